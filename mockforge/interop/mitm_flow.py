"""A flow of mitmproxy as an exchange.

mitmproxy's times are seconds since 1970 as floats, exact to some 200 ns. The arrival is the request's
`timestamp_end`, so the durations are those of the backend as the proxy sees it. Nothing of mitmproxy is
imported here: a flow is whatever has its attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mockforge.interop.placing import Found
from mockforge.model.exchange import Exchange, Piece, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.foreign.failures import failure_of
from mockforge.recording.foreign.instants import scaled_ns
from mockforge.targets import Target

__all__ = ["KEEP_BODY", "FlowSeen", "Tee", "found_in_flow"]

#: Bytes of a body that are kept; of a larger one only the size.
KEEP_BODY = 8 << 20
_PIECES_LIMIT = 10_000


class Tee:
    """Passes a streamed body on, chunk by chunk, and keeps a copy and when each chunk came.

    mitmproxy calls it with each chunk, and with none at the end. `then` is what was to be called in its
    place.
    """

    def __init__(self, now: Callable[[], float], keep: int, then: object = None) -> None:
        self.size = 0
        #: (seconds since 1970, bytes) of each chunk.
        self.reads: list[tuple[float, int]] = []
        self._now = now
        self._keep = keep
        self._then = then
        self._kept = bytearray()

    def __call__(self, chunk: bytes) -> Any:
        """What is passed on for `chunk`."""
        if chunk:
            self.size += len(chunk)
            if len(self.reads) < _PIECES_LIMIT:
                self.reads.append((self._now(), len(chunk)))
            if self.size <= self._keep:
                self._kept += chunk
        return self._then(chunk) if callable(self._then) else chunk

    @property
    def body(self) -> bytes:
        """The whole body, or nothing where it was too large."""
        return bytes(self._kept) if self.size <= self._keep else b""


@dataclass(slots=True)
class FlowSeen:
    """What the addon saw of a flow while it was under way."""

    flow: Any
    connection_id: int
    in_flight: int = 0
    fresh: bool = False
    arrived: bool = False
    request_body: Tee | None = None
    response_body: Tee | None = None
    keep: int = field(default=KEEP_BODY)


def found_in_flow(seen: FlowSeen, started_wall_ns: int, now: float, error: str | None = None) -> Found:
    """The exchange of a flow whose request has come in whole, as it stands `now` (seconds since 1970).

    `error` is what ended it, where that was not the flow's own error.
    """
    flow = seen.flow
    request, response = flow.request, flow.response
    arrived_ns = _ns(request.timestamp_end)
    if error is None and flow.error is not None:
        error = failure_of(str(flow.error.msg), answered=response is not None)
    answer = _response(seen) if response is not None else _in_place_of_one(error)
    ended = _ended(flow, now)
    connect_ns, tls_ns = _setup(flow.server_conn) if seen.fresh else (None, None)
    target = Target(request.scheme, request.host, request.port)
    exchange = Exchange(
        wall_ns=arrived_ns,
        arrived_ns=arrived_ns - started_wall_ns,
        request=_request(seen, target),
        response=answer,
        total_ns=max(_ns(ended) - arrived_ns, 0),
        ttfb_ns=None if response is None else max(_ns(response.timestamp_start) - arrived_ns, 0),
        connect_ns=connect_ns,
        in_flight=seen.in_flight,
        connection_id=seen.connection_id,
        error=error,
        tls_ns=tls_ns,
        pieces=_pieces(seen, arrived_ns),
    )
    return Found(exchange, target.origin, placed=True)


def _ns(seconds: float) -> int:
    return scaled_ns(seconds, 1_000_000_000)


def _ended(flow: Any, now: float) -> float:
    if flow.websocket is not None:
        return float(flow.websocket.timestamp_end or now)
    if flow.error is not None:
        return float(flow.error.timestamp)
    return float((flow.response.timestamp_end if flow.response is not None else None) or now)


def _setup(server: Any) -> tuple[int | None, int | None]:
    """How long the connection and its TLS handshake took, where they came about."""
    begun, connected, secured = server.timestamp_start, server.timestamp_tcp_setup, server.timestamp_tls_setup
    connect_ns = _ns(connected) - _ns(begun) if begun and connected else None
    return connect_ns, _ns(secured) - _ns(connected) if connected and secured else None


def _request(seen: FlowSeen, target: Target) -> Request:
    request = seen.flow.request
    headers = _fields(request.headers)
    if "host" not in headers:  # HTTP/2 has it as :authority
        headers = Headers((("host", request.authority or target.authority), *headers.pairs))
    body, omitted = _body(request, seen.request_body, seen.keep)
    return Request(request.method, request.path, headers, body, _fields(request.trailers), omitted)


def _response(seen: FlowSeen) -> Response:
    response = seen.flow.response
    body, omitted = _body(response, seen.response_body, seen.keep)
    return Response(
        response.status_code,
        _fields(response.headers),
        body,
        _fields(response.trailers),
        omitted,
        response.reason or "",
    )


def _in_place_of_one(error: str | None) -> Response | None:
    """What mitmproxy answers by itself where the backend did not; nothing to a caller that left."""
    if error is None or error.startswith(("caller", "proxy")):
        return None
    return Response(502, reason="Bad Gateway")


def _fields(headers: Any) -> Headers:
    return Headers() if headers is None else Headers.from_raw(headers.fields)


def _body(message: Any, tee: Tee | None, keep: int) -> tuple[bytes, int]:
    """The body as on the wire, and how many of its bytes were not kept."""
    if tee is not None and tee.size:
        body = tee.body
        return body, tee.size - len(body)
    body = message.raw_content or b""
    return (body, 0) if len(body) <= keep else (b"", len(body))


def _pieces(seen: FlowSeen, arrived_ns: int) -> tuple[Piece, ...]:
    flow, tee = seen.flow, seen.response_body
    if flow.websocket is not None:
        return tuple(
            Piece(
                max(_ns(message.timestamp) - arrived_ns, 0),
                len(message.content),
                "frame-in" if message.from_client else "frame-out",
            )
            for message in flow.websocket.messages[:_PIECES_LIMIT]
        )
    if tee is None or len(tee.reads) < 2:
        return ()
    return tuple(Piece(max(_ns(at) - arrived_ns, 0), size, "response") for at, size in tee.reads)
