"""Sends each request when it is due, and never waits for an answer before it sends the next.

Everything counts from the *intended* time: a request that had to wait, here or at the target, was slow for
whoever would have sent it. What was this program's own doing stands beside it as the send lag
(`lateness_ns`), so that a run whose sender was the limit can be told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mockforge.clock import Clock
from mockforge.model.exchange import Exchange
from mockforge.replay.schedule import Schedule
from mockforge.replay.transport import Outcome, PreparedRequest, Transport

__all__ = ["ABORT_GRACE_S", "DEFAULT_CAP", "LEAD_NS", "Limits", "Sender", "Timer", "Wiring"]

#: From the start to the first due time, so that the first request is not late for being first.
LEAD_NS = 50_000_000

#: Requests under way at once, unless told otherwise.
DEFAULT_CAP = 4096

#: How long requests that are under way may still end after an abort, in seconds.
ABORT_GRACE_S = 5.0


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


class Sender:
    """One replay of a schedule; `run` is called once.

    `prepared` are the schedule's requests, in its order. `on_exchange` is given every exchange as it ends,
    dropped ones included.
    """

    def __init__(
        self,
        schedule: Schedule,
        prepared: Sequence[PreparedRequest],
        wiring: Wiring,
        on_exchange: Callable[[Exchange], object],
        limits: Limits | None = None,
    ) -> None:
        self._requests = schedule.requests
        self._prepared = prepared
        self._exchange = wiring.transport.exchange
        self._clock = wiring.clock
        self._timer = wiring.timer
        self._on_exchange = on_exchange
        self._limits = limits or Limits()
        self._under_way: set[asyncio.Task[None]] = set()
        self._started_ns = 0
        self._started_wall_ns = 0
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._bug: BaseException | None = None
        #: Requests whose time has come, dropped ones included.
        self.due = 0
        #: Requests that were not sent because too many were under way.
        self.dropped = 0

    @property
    def in_flight(self) -> int:
        """Requests sent and not ended."""
        return len(self._under_way)

    async def run(self, stop: asyncio.Event) -> None:
        """Send the whole schedule and wait for every answer.

        Once `stop` is set nothing more is sent, and what is under way has the limits' grace to end.
        """
        self._stop = stop
        self._started_ns = self._clock.now_ns() + LEAD_NS
        self._started_wall_ns = self._clock.wall_ns() + LEAD_NS
        self._timer.at(self._started_ns, self._send_what_is_due)
        waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._ended.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=self._limits.abort_grace_s)
        finally:
            left = [*waits, *self._under_way]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        if self._bug is not None:
            raise self._bug

    def _send_what_is_due(self) -> None:
        requests = self._requests
        while self.due < len(requests) and not self._stop.is_set():
            due_ns = self._started_ns + requests[self.due].due_ns
            if due_ns > self._clock.now_ns():
                self._timer.at(due_ns, self._send_what_is_due)
                return
            self._send(self.due)
            self.due += 1
        self._end_if_done()

    def _send(self, index: int) -> None:
        if len(self._under_way) >= self._limits.in_flight:
            self._drop(index)
            return
        task = asyncio.create_task(self._see_through(index, len(self._under_way)))
        self._under_way.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            # Not the target's failure, which is an outcome, but this program's: it ends the run.
            self._bug = bug
            self._ended.set()
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self.due == len(self._requests) and not self._under_way:
            self._ended.set()

    async def _see_through(self, index: int, in_flight: int) -> None:
        sent_ns = self._clock.now_ns()
        try:
            outcome = await self._exchange(self._prepared[index])
        except asyncio.CancelledError:
            outcome = Outcome(None, error="aborted: the replay was ended")
        self._report(index, outcome, in_flight, sent_ns)

    def _drop(self, index: int) -> None:
        self.dropped += 1
        outcome = Outcome(None, error=f"dropped: {len(self._under_way)} requests were under way already")
        self._report(index, outcome, len(self._under_way), None)

    def _report(self, index: int, outcome: Outcome, in_flight: int, sent_ns: int | None) -> None:
        ended_ns = self._clock.now_ns()
        scheduled = self._requests[index]
        intended_ns = self._started_ns + scheduled.due_ns
        first_byte_at_ns = outcome.first_byte_at_ns
        self._on_exchange(
            Exchange(
                wall_ns=self._started_wall_ns + scheduled.due_ns,
                arrived_ns=scheduled.due_ns,
                request=scheduled.request,
                response=outcome.response,
                total_ns=ended_ns - intended_ns,
                ttfb_ns=None if first_byte_at_ns is None else first_byte_at_ns - intended_ns,
                connect_ns=outcome.connect_ns,
                in_flight=in_flight,
                lateness_ns=None if sent_ns is None else sent_ns - intended_ns,
                error=outcome.error,
                operation=scheduled.operation,
            )
        )
