"""Sends each request when it is due, and never waits for an answer before it sends the next.

Everything counts from the *intended* time: a request that had to wait, here or at the target, was slow for
whoever would have sent it. What was this program's own doing stands beside it as the send lag
(`lateness_ns`), so that a run whose sender was the limit can be told.

Requests are sent from the timer's callback. One that comes late finds several due, and sends them at once,
whatever became of those before: a sender that has fallen behind is as open a loop as one that has not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from mockforge.clock import Clock
from mockforge.model.exchange import Exchange, Piece, Request
from mockforge.replay.connection import Read
from mockforge.replay.failure import LIMIT
from mockforge.replay.feed import Feed, Shot
from mockforge.replay.transport import Outcome, Transport

__all__ = ["ABORT_GRACE_S", "DEFAULT_CAP", "LEAD_NS", "Limits", "OnExchange", "Sender", "Timer", "Wiring"]

#: From the start to the first due time, so that the first request is not late for being first.
LEAD_NS = 50_000_000

#: Requests under way at once, unless told otherwise.
DEFAULT_CAP = 4096

#: How long requests that are under way may still end after an abort, in seconds.
ABORT_GRACE_S = 5.0

#: So many requests that are due are sent before answers are read again. They are sent all the same, one
#: turn of the event loop later; else a sender far behind would send for seconds and take no answer in.
_AT_ONCE = 16

#: Given every exchange as it ends, dropped ones included, and its operation's name.
OnExchange = Callable[[Exchange, str], object]


class Timer(Protocol):
    """Runs a callback at an absolute monotonic time."""

    def at(self, due_ns: int, callback: Callable[[], object]) -> object: ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a sender works with; a test gives it a clock, a timer and a target of its own."""

    transport: Transport
    clock: Clock
    timer: Timer


@dataclass(frozen=True, slots=True)
class Limits:
    """`in_flight`: requests under way at once; one that is due beyond it is dropped, and counted."""

    in_flight: int = DEFAULT_CAP
    abort_grace_s: float = ABORT_GRACE_S


class _Flight:
    """A request that was sent: told of its end by the transport."""

    __slots__ = ("due_ns", "in_flight", "number", "sender", "sent_ns", "shot")

    def __init__(self, sender: Sender, number: int, due_ns: int, shot: Shot) -> None:
        self.sender = sender
        self.number = number
        self.due_ns = due_ns
        self.shot = shot
        self.in_flight = sender.in_flight
        self.sent_ns = sender.now_ns()

    def on_outcome(self, outcome: Outcome) -> None:
        self.sender.on_end(self, outcome)


class Sender:
    """One replay of due times (ns from the start, ascending); `run` is called once.

    The n-th due time is that of the feed's n-th request.
    """

    def __init__(
        self,
        due_ns: Iterable[int],
        feed: Feed,
        wiring: Wiring,
        on_exchange: OnExchange,
        limits: Limits | None = None,
    ) -> None:
        self._due = iter(due_ns)
        self._feed = feed
        self._transport = wiring.transport
        self._clock = wiring.clock
        self._timer = wiring.timer
        self._on_exchange = on_exchange
        self._limits = limits or Limits()
        self._next_ns = next(self._due, None)
        self._started_ns = 0
        self._started_wall_ns = 0
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._bug: Exception | None = None
        self.now_ns = wiring.clock.now_ns
        #: Requests whose time has come, dropped ones included.
        self.due = 0
        #: Requests that were not sent because too many were under way.
        self.dropped = 0
        #: Requests sent and not ended.
        self.in_flight = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Send the whole schedule and wait for every answer.

        Once `stop` is set nothing more is sent, and what is under way has the limits' grace to end.
        """
        self._stop = stop
        self._started_ns = self._clock.now_ns() + LEAD_NS
        self._started_wall_ns = self._clock.wall_ns() + LEAD_NS
        self._timer.at(self._started_ns, self._send_what_is_due)
        stopped = asyncio.ensure_future(stop.wait())
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((stopped, ended), return_when=asyncio.FIRST_COMPLETED)
            if self.in_flight and self._bug is None:
                await asyncio.wait((ended,), timeout=self._limits.abort_grace_s)
        finally:
            stopped.cancel()
            ended.cancel()
            self._transport.abort()
            await asyncio.gather(stopped, ended, return_exceptions=True)
        if self._bug is not None:
            raise self._bug

    def on_end(self, flight: _Flight, outcome: Outcome) -> None:
        """Report what a request came to."""
        self.in_flight -= 1
        try:
            if outcome.response is not None and outcome.error is None:
                self._feed.on_answer(flight.number, outcome.response)
            self._report(flight, outcome)
        except Exception as bug:  # not the target's failure but this program's: it ends the run
            self._fail(bug)
        if not self.in_flight and (self._next_ns is None or self._stop.is_set()):
            self._ended.set()

    def _send_what_is_due(self) -> None:
        try:
            for _ in range(_AT_ONCE):
                if self._next_ns is None or self._stop.is_set() or self._bug is not None:
                    break
                due_ns = self._started_ns + self._next_ns
                if due_ns > self.now_ns():
                    break
                self._send(self._next_ns)
                self._next_ns = next(self._due, None)
        except Exception as bug:
            self._fail(bug)
        if self._next_ns is None or self._stop.is_set() or self._bug is not None:
            if not self.in_flight:
                self._ended.set()
            return
        self._timer.at(self._started_ns + self._next_ns, self._send_what_is_due)

    def _send(self, due_ns: int) -> None:
        number = self.due
        self.due = number + 1
        shot = self._feed.shot(number)
        flight = _Flight(self, number, due_ns, shot)
        if self.in_flight >= self._limits.in_flight:
            self.dropped += 1
            self._report(flight, Outcome(None, error=LIMIT.format(self.in_flight)), sent=False)
            return
        self.in_flight += 1
        self._transport.send(shot.prepared, flight)

    def _fail(self, bug: Exception) -> None:
        self._bug = bug
        self._ended.set()

    def _report(self, flight: _Flight, outcome: Outcome, *, sent: bool = True) -> None:
        due_ns = flight.due_ns
        intended_ns = self._started_ns + due_ns
        first_byte_at_ns = outcome.first_byte_at_ns
        request: Request = flight.shot.request
        exchange = Exchange(
            wall_ns=self._started_wall_ns + due_ns,
            arrived_ns=due_ns,
            request=request,
            response=outcome.response,
            total_ns=self.now_ns() - intended_ns,
            ttfb_ns=None if first_byte_at_ns is None else first_byte_at_ns - intended_ns,
            connect_ns=outcome.connect_ns,
            in_flight=flight.in_flight,
            connection_id=outcome.connection_id,
            lateness_ns=flight.sent_ns - intended_ns if sent else None,
            error=outcome.error,
            operation=flight.shot.operation,
            tls_ns=outcome.tls_ns,
            pieces=_pieces(outcome.reads, intended_ns) if outcome.reads else (),
        )
        self._on_exchange(exchange, flight.shot.name)


def _pieces(reads: tuple[Read, ...], intended_ns: int) -> tuple[Piece, ...]:
    """The timeline of a streamed answer, counted from the intended time."""
    return tuple(Piece(read.at_ns - intended_ns, read.size, "response") for read in reads)
