"""The way out of the mock: requests to upstreams, marked so that one that comes back is known again."""

from __future__ import annotations

import secrets

from mockforge.model.request import RequestView
from mockforge.model.upstream import AnswerSink, OutgoingRequest, Upstream, UpstreamCall

__all__ = ["Gateway"]


class Gateway:
    """Sends by way of `upstream`; every request says in `Via` that it came through here (RFC 9110 §7.6.3)."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        name = secrets.token_hex(4)
        self._passed_on = f"mockforge-{name}"
        self._called_back = f"mockforge-{name}-callback"

    def pass_on(self, request: OutgoingRequest, sink: AnswerSink) -> UpstreamCall:
        """Send a request that a caller made."""
        return self._send(request, self._passed_on, sink)

    def call_back(self, request: OutgoingRequest, sink: AnswerSink) -> UpstreamCall:
        """Send a request of the mock's own."""
        return self._send(request, self._called_back, sink)

    def has_passed(self, request: RequestView) -> bool:
        """Whether the request is one that was passed on from here."""
        return self._passed_on in _hops(request)

    def callbacks_before(self, request: RequestView) -> int:
        """How many callbacks of this mock led to the request."""
        return _hops(request).count(self._called_back)

    async def close(self) -> None:
        await self._upstream.close()

    def _send(self, request: OutgoingRequest, name: str, sink: AnswerSink) -> UpstreamCall:
        via = (b"Via", f"1.1 {name}".encode())
        return self._upstream.send(request._replace(headers=(*request.headers, via)), sink)


def _hops(request: RequestView) -> list[str]:
    """The names that stand in the request's `Via`."""
    lines = [value.decode("latin-1") for name, value in request.raw_headers if name.lower() == b"via"]
    return [hop.strip().partition(" ")[2] for line in lines for hop in line.split(",")]
