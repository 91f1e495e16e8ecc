"""What has come of an upstream's answer: what goes on to the caller, and what the journal says of it."""

from __future__ import annotations

from collections.abc import Callable

from mockforge.forwarding.fields import listed_in_connection
from mockforge.forwarding.proxied import Forward
from mockforge.model.event import Forwarded
from mockforge.model.headers import HOP_BY_HOP
from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.model.upstream import UpstreamCall, UpstreamHead
from mockforge.server.gateway import Gateway

__all__ = ["KEPT_BODY", "UpstreamAnswer", "own_answer", "refusal_to_pass_on"]

#: Bytes of an answer's body that the journal keeps; of a longer one only the size.
KEPT_BODY = 8 * 1024 * 1024

_PLAIN_TEXT = ((b"Content-Type", b"text/plain; charset=utf-8"),)
#: What is told anew to the caller, as its connection and its framing are its own.
_NOT_PASSED_ON = frozenset(name.encode() for name in HOP_BY_HOP) | {b"content-length"}


def own_answer(status: int, what: str) -> RenderedResponse:
    """The mock's own answer where there is none of an upstream: one line that says why."""
    return RenderedResponse(status, _PLAIN_TEXT, f"mockforge: {what}\n".encode())


def refusal_to_pass_on(
    gateway: Gateway | None, forward: Forward, request: RequestView
) -> RenderedResponse | None:
    """The mock's own answer where the request cannot go on; None where it can."""
    if gateway is None:
        return own_answer(501, "this server has no way to pass requests on")
    if gateway.has_passed(request):
        what = f"{forward.request.url} leads back to this mock: the request has been here before"
        return own_answer(508, what)
    return None


class UpstreamAnswer:
    """The answer to one request that was passed on, as far as it has come."""

    __slots__ = (
        "_asked_ns",
        "_cut",
        "_end_ns",
        "_forward",
        "_now_ns",
        "_parts",
        "_size",
        "call",
        "error",
        "fields",
        "first_byte_ns",
        "head",
    )

    def __init__(self, forward: Forward, now_ns: Callable[[], int]) -> None:
        self._forward = forward
        self._now_ns = now_ns
        self._asked_ns = now_ns()
        self._end_ns: int | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._cut = False
        self.call: UpstreamCall | None = None
        self.error: str | None = None
        self.first_byte_ns: int | None = None
        self.head: UpstreamHead | None = None
        #: The fields for the caller, without framing; the stub's come after the upstream's.
        self.fields: tuple[tuple[bytes, bytes], ...] = ()

    def begin(self, head: UpstreamHead) -> None:
        """The head is here."""
        self.first_byte_ns = self._now_ns()
        self.head = head
        raw = head.headers.raw()
        dropped = _NOT_PASSED_ON | listed_in_connection(raw)
        self.fields = (
            *(pair for pair in raw if pair[0].lower() not in dropped),
            *self._forward.fields,
        )

    def take(self, data: bytes) -> None:
        """Some of the body is here."""
        self._size += len(data)
        if self._size <= KEPT_BODY:
            self._parts.append(data)
        else:
            self._parts.clear()

    def end(self, error: str | None = None, *, cut: bool = False) -> None:
        """It is complete, or will not be; `cut`: the caller has got a part of it."""
        self._end_ns = self._now_ns()
        self.error = error
        self._cut = cut

    def rendered(self) -> RenderedResponse | None:
        """The answer as far as it came and is kept; None before its head."""
        if self.head is None:
            return None
        omitted = self._size if self._size > KEPT_BODY else None
        return RenderedResponse(self.head.status, self.fields, b"".join(self._parts), omitted)

    def forwarded(self) -> Forwarded:
        """What the journal says of it."""
        call = self.call
        return Forwarded(
            self._forward.request.url,
            self._asked_ns,
            self.first_byte_ns,
            self._end_ns,
            None if call is None else call.connect_ns,
            None if call is None else call.tls_ns,
            self._size,
            self.error,
            self._cut,
        )
