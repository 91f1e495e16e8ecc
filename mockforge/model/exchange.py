"""One real request and its answer, with the times that everything after recording rests on."""

from __future__ import annotations

from dataclasses import dataclass, field

from mockforge.model.headers import Headers

__all__ = ["Exchange", "Marker", "Piece", "Request", "Response"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was sent: `target` is the raw request target, path and query, never decoded.

    `omitted` bytes of the body were not kept; `body` is empty then.
    """

    method: str
    target: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    trailers: Headers = field(default_factory=Headers)
    omitted: int = 0

    @property
    def size(self) -> int:
        """Bytes of the body as it was sent."""
        return len(self.body) + self.omitted


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it came; the body is as on the wire, after de-chunking, before content decoding.

    `omitted` bytes of the body were not kept; `body` is empty then.
    """

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    trailers: Headers = field(default_factory=Headers)
    omitted: int = 0
    reason: str = ""

    @property
    def size(self) -> int:
        """Bytes of the body as it was sent."""
        return len(self.body) + self.omitted


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a body that came by itself, `at_ns` after the exchange's arrival, of `size` bytes.

    `kind` is "request" or "response", or for a WebSocket's frames "frame-in" (from the caller) and
    "frame-out".
    """

    at_ns: int
    size: int
    kind: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A labelled moment of a run: the begin of a phase. `at_ns` counts from the run's start."""

    label: str
    at_ns: int
    wall_ns: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it.

    Times are nanoseconds. `arrived_ns` is on the run's monotonic clock, counted from the run's start
    (a replay's: the *intended* send time); all durations count from it.

    * `connect_ns`: time to open the upstream connection, None where a pooled one served.
    * `tls_ns`: time of the TLS handshake that followed, None where there was none.
    * `ttfb_ns`: to the response's first byte, None where none came.
    * `total_ns`: to the response's last byte, or to the failure.
    * `in_flight`: other requests under way when this one arrived.
    * `lateness_ns`: how late the program that wrote this was itself: a replay's send behind its
      schedule, a mock's first byte behind its plan; None where it has no plan (a recorder).
    * `error`: None, or `phase: reason` where no complete answer came (`connect: refused`).
    * `operation`: the operation's name where the writer knew it (a mock does).
    * `pieces`: the timeline of bodies that came in several, and of WebSocket frames; else empty.
    """

    wall_ns: int
    arrived_ns: int
    request: Request
    response: Response | None
    total_ns: int
    ttfb_ns: int | None = None
    connect_ns: int | None = None
    in_flight: int = 0
    connection_id: int = 0
    lateness_ns: int | None = None
    error: str | None = None
    operation: str | None = None
    tls_ns: int | None = None
    pieces: tuple[Piece, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the caller got an error: no complete answer, or a status of 400 and above."""
        return self.response is None or self.error is not None or self.response.status >= 400
