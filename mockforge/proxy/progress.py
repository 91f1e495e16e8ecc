"""An exchange while it is under way: what is known of it so far, and the Exchange that it ends as.

Times are monotonic nanoseconds until the end, where they become durations from the arrival.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mockforge.clock import Clock
from mockforge.model.exchange import Exchange, Piece, Request, Response
from mockforge.proxy.body import Body
from mockforge.proxy.head import AnswerHead, RequestHead

__all__ = ["PIECES_LIMIT", "ExchangeInProgress", "RunStart"]

#: The longest timeline that is kept of one exchange.
PIECES_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class RunStart:
    """The moment that a run's times count from, on both clocks."""

    now_ns: int
    wall_ns: int

    @classmethod
    def of(cls, clock: Clock) -> RunStart:
        """This moment."""
        return cls(clock.now_ns(), clock.wall_ns())


@dataclass(slots=True)
class ExchangeInProgress:
    """A request whose head has come in, and what has happened to it since.

    `read_ns` is when the last of its bytes so far came; `arrived_ns` when its last one did, None before.
    """

    head: RequestHead
    connection_id: int
    request_body: Body | None = None
    read_ns: int = 0
    arrived_ns: int | None = None
    in_flight: int = 0
    #: Whether it is one of those that others find in flight.
    counted: bool = False
    connect_ns: int | None = None
    tls_ns: int | None = None
    first_byte_ns: int | None = None
    answer: AnswerHead | None = None
    answer_body: Body | None = None
    #: (time, bytes, kind) of what came in pieces.
    reads: list[tuple[int, int, str]] = field(default_factory=list)

    def note(self, at_ns: int, size: int, kind: str) -> None:
        """Add to the timeline, as long as it is not full."""
        if len(self.reads) < PIECES_LIMIT:
            self.reads.append((at_ns, size, kind))

    @property
    def phase(self) -> str:
        """How far it has come: `send` until the request is whole, `wait` for the answer's head, `body`."""
        if self.answer is not None:
            return "body"
        return "send" if self.arrived_ns is None else "wait"

    @property
    def request(self) -> Request:
        """The request, with as much of its body as came and was kept."""
        request, body = self.head.request, self.request_body
        if body is None:
            return request
        return Request(
            request.method, request.target, request.headers, body.kept, body.trailers, body.omitted
        )

    @property
    def response(self) -> Response | None:
        """What the caller has got so far; None before the first byte of an answer."""
        answer, body = self.answer, self.answer_body
        if answer is None:
            return None
        if body is None:
            return Response(answer.status, answer.headers, reason=answer.reason)
        return Response(answer.status, answer.headers, body.kept, body.trailers, body.omitted, answer.reason)

    def ended(
        self, start: RunStart, ended_ns: int, response: Response | None, error: str | None = None
    ) -> Exchange:
        """The exchange, which has arrived, ended at `ended_ns` with what the caller got."""
        assert self.arrived_ns is not None
        arrived_ns = self.arrived_ns
        since_start_ns = arrived_ns - start.now_ns
        return Exchange(
            wall_ns=start.wall_ns + since_start_ns,
            arrived_ns=since_start_ns,
            request=self.request,
            response=response,
            total_ns=ended_ns - arrived_ns,
            ttfb_ns=None if self.first_byte_ns is None else self.first_byte_ns - arrived_ns,
            connect_ns=self.connect_ns,
            in_flight=self.in_flight,
            connection_id=self.connection_id,
            error=error,
            tls_ns=self.tls_ns,
            pieces=tuple(Piece(at_ns - arrived_ns, size, kind) for at_ns, size, kind in self.reads),
        )
