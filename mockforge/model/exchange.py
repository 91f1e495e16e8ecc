"""One real request and its answer, with the times that everything after recording rests on."""

from __future__ import annotations

from dataclasses import dataclass, field

from mockforge.model.headers import Headers

__all__ = ["Exchange", "Request", "Response"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was sent: `target` is the raw request target, path and query, never decoded."""

    method: str
    target: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it came; the body is as on the wire, after de-chunking, before content decoding."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it.

    Times are nanoseconds. `arrived_ns` is on the run's monotonic clock, counted from the run's start
    (a replay's: the *intended* send time); all durations count from it.

    * `connect_ns`: time to open the upstream connection, None where a pooled one served.
    * `ttfb_ns`: to the response's first byte, None where none came.
    * `total_ns`: to the response's last byte, or to the failure.
    * `in_flight`: other requests under way when this one arrived.
    * `lateness_ns`: how late the program that wrote this was itself: a replay's send behind its
      schedule, a mock's first byte behind its plan; None where it has no plan (a recorder).
    * `error`: None, or `phase: reason` where no complete answer came (`connect: refused`).
    * `operation`: the operation's name where the writer knew it (a mock does).
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

    @property
    def failed(self) -> bool:
        """Whether the caller got an error: no complete answer, or a status of 400 and above."""
        return self.response is None or self.error is not None or self.response.status >= 400
