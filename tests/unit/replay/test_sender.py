"""The sender, in a time that moves only when everybody waits: no socket, no sleep."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from multidict import CIMultiDict
from yarl import URL

from mockforge.clock import ManualClock
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.replay.schedule import Schedule, ScheduledRequest
from mockforge.replay.sender import LEAD_NS, Limits, Sender, Wiring
from mockforge.replay.transport import Outcome, PreparedRequest

MS = 1_000_000
S = 1_000_000_000

#: More turns of the event loop than anything here takes to come to rest.
TURNS = 10


class VirtualTime:
    """A clock and a timer; the next callback runs once the event loop has come to rest."""

    def __init__(self, timer_late_ns: int = 0) -> None:
        self.clock = ManualClock()
        self._timer_late_ns = timer_late_ns
        self._pending: list[tuple[int, int, Callable[[], object]]] = []
        self._order = count()

    def at(self, due_ns: int, callback: Callable[[], object]) -> None:
        self.call_at(due_ns + self._timer_late_ns, callback)

    def call_at(self, due_ns: int, callback: Callable[[], object]) -> None:
        heapq.heappush(self._pending, (due_ns, next(self._order), callback))

    async def rest(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def pass_until(self, task: asyncio.Task[None], until_ns: int | None = None) -> None:
        """Let time pass until `task` is done, nothing more is pending, or `until_ns`."""
        await self.rest()
        while self._pending and not task.done():
            if until_ns is not None and self._pending[0][0] > until_ns:
                return
            due_ns, _, callback = heapq.heappop(self._pending)
            self.clock.advance(max(0, due_ns - self.clock.now_ns()))
            callback()
            await self.rest()


class FakeTarget:
    """A transport whose answers end when `ends_at(now_ns)` says; None is never."""

    def __init__(self, time: VirtualTime, ends_at: Callable[[int], int | None]) -> None:
        self._time = time
        self._ends_at = ends_at
        self.sent_at_ns: list[int] = []
        self.pending: list[asyncio.Future[None]] = []

    async def exchange(self, request: PreparedRequest) -> Outcome:
        now_ns = self._time.clock.now_ns()
        self.sent_at_ns.append(now_ns - LEAD_NS)
        answered = asyncio.get_running_loop().create_future()
        self.pending.append(answered)
        ends_ns = self._ends_at(now_ns)
        if ends_ns is not None:
            self._time.call_at(ends_ns, lambda: answered.set_result(None))
        await answered
        return Outcome(Response(200), first_byte_at_ns=self._time.clock.now_ns())


class Bench:
    """A sender with everything around it that a test looks at."""

    def __init__(
        self,
        due_ns: list[int],
        ends_at: Callable[[int], int | None],
        *,
        limits: Limits | None = None,
        timer_late_ns: int = 0,
    ) -> None:
        self.time = VirtualTime(timer_late_ns)
        self.target = FakeTarget(self.time, ends_at)
        self.exchanges: list[Exchange] = []
        self.stop = asyncio.Event()
        requests = tuple(
            ScheduledRequest(due, Request("GET", f"/{i}"), "GET /{id}") for i, due in enumerate(due_ns)
        )
        prepared = [PreparedRequest("GET", URL("http://t/"), CIMultiDict(), None)] * len(requests)
        wiring = Wiring(self.target, self.time.clock, self.time)
        self.sender = Sender(Schedule(requests, 1.0), prepared, wiring, self.exchanges.append, limits)

    def start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.sender.run(self.stop))

    async def run(self) -> list[Exchange]:
        task = self.start()
        await self.time.pass_until(task)
        await task
        return self.exchanges


def after(latency_ns: int) -> Callable[[int], int]:
    return lambda now_ns: now_ns + latency_ns


def never(now_ns: int) -> None:
    return None


def test_each_request_is_sent_when_it_is_due() -> None:
    async def main() -> None:
        bench = Bench([0, 3 * MS, 3 * MS, 40 * MS], after(7 * MS))
        exchanges = await bench.run()
        assert bench.target.sent_at_ns == [0, 3 * MS, 3 * MS, 40 * MS]
        assert [one.arrived_ns for one in exchanges] == [0, 3 * MS, 3 * MS, 40 * MS]
        assert [one.wall_ns for one in exchanges] == [LEAD_NS + due for due in (0, 3 * MS, 3 * MS, 40 * MS)]
        assert {one.total_ns for one in exchanges} == {7 * MS}
        assert {one.ttfb_ns for one in exchanges} == {7 * MS}
        assert {one.lateness_ns for one in exchanges} == {0}
        assert {one.operation for one in exchanges} == {"GET /{id}"}

    asyncio.run(main())


def test_requests_are_sent_whether_or_not_others_are_answered() -> None:
    async def main() -> None:
        bench = Bench([i * MS for i in range(100)], never)
        task = bench.start()
        await bench.time.pass_until(task)
        assert bench.target.sent_at_ns == [i * MS for i in range(100)]
        assert bench.sender.in_flight == 100
        assert not task.done()
        for answered in bench.target.pending:
            answered.set_result(None)
        await task
        assert [one.in_flight for one in bench.exchanges] == list(range(100))

    asyncio.run(main())


def test_latency_counts_from_the_due_time_and_the_senders_own_lag_stands_beside_it() -> None:
    async def main() -> None:
        bench = Bench([0, 100 * MS], after(5 * MS), timer_late_ns=2 * MS)
        exchanges = await bench.run()
        assert [one.lateness_ns for one in exchanges] == [2 * MS, 2 * MS]
        assert [one.total_ns for one in exchanges] == [7 * MS, 7 * MS]
        assert [one.ttfb_ns for one in exchanges] == [7 * MS, 7 * MS]

    asyncio.run(main())


def test_a_stall_shows_in_the_latency_of_every_request_that_was_due_in_it() -> None:
    """The analytic law: 1 s of stall in every 10 s, 1 ms of service, constant rate.

    A tenth of the requests wait for a uniform part of a second, so that the quantile at 0.9 + 0.1 u is u
    seconds. A sender that waited for answers would see one slow request a stall.
    """

    def ends_at(now_ns: int) -> int:
        since_start_ns = now_ns - LEAD_NS
        into_period_ns = since_start_ns % (10 * S)
        return now_ns + max(0, 1 * S - into_period_ns) + 1 * MS

    async def main() -> None:
        exchanges = await Bench([i * 10 * MS + 5 * MS for i in range(10_000)], ends_at).run()
        latencies_s = np.array([one.total_ns for one in exchanges]) / S
        p50, p89, p95, p99 = np.quantile(latencies_s, [0.5, 0.89, 0.95, 0.99])
        assert p50 == pytest.approx(0.001, rel=0.02)
        assert p89 == pytest.approx(0.001, rel=0.02)
        assert p95 == pytest.approx(0.501, rel=0.02)
        assert p99 == pytest.approx(0.901, rel=0.02)

    asyncio.run(main())


def test_beyond_the_cap_requests_are_dropped_and_counted_not_delayed() -> None:
    async def main() -> None:
        due_ns = [0, MS, 2 * MS, 20 * MS]
        bench = Bench(due_ns, after(10 * MS), limits=Limits(in_flight=2))
        exchanges = sorted(await bench.run(), key=lambda one: one.arrived_ns)
        assert bench.target.sent_at_ns == [0, MS, 20 * MS]
        assert [one.error for one in exchanges] == [
            None,
            None,
            "dropped: 2 requests were under way already",
            None,
        ]
        assert exchanges[2].failed
        assert exchanges[2].lateness_ns is None
        assert bench.sender.dropped == 1

    asyncio.run(main())


def test_after_a_stop_nothing_is_sent_and_what_is_under_way_may_end() -> None:
    async def main() -> None:
        bench = Bench([0, 10 * MS, 60 * S], after(20 * MS))
        task = bench.start()
        await bench.time.pass_until(task, until_ns=LEAD_NS + 12 * MS)
        bench.stop.set()
        await bench.time.pass_until(task)
        await task
        assert bench.target.sent_at_ns == [0, 10 * MS]
        assert [one.error for one in bench.exchanges] == [None, None]

    asyncio.run(main())


def test_what_does_not_end_in_the_grace_after_a_stop_is_kept_as_aborted_with_its_age() -> None:
    async def main() -> None:
        bench = Bench([0, 10 * MS], never, limits=Limits(abort_grace_s=0))
        task = bench.start()
        await bench.time.pass_until(task)
        bench.time.clock.advance(5 * MS)
        bench.stop.set()
        await task
        exchanges = sorted(bench.exchanges, key=lambda one: one.arrived_ns)
        assert [one.error for one in exchanges] == ["aborted: the replay was ended"] * 2
        assert [one.total_ns for one in exchanges] == [15 * MS, 5 * MS]

    asyncio.run(main())


def test_a_cancelled_run_leaves_no_request_behind() -> None:
    async def main() -> None:
        bench = Bench([0, 10 * MS], never)
        task = bench.start()
        await bench.time.pass_until(task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(bench.exchanges) == 2
        assert bench.sender.in_flight == 0

    asyncio.run(main())


def test_a_mistake_of_the_program_ends_the_run_and_is_not_taken_for_an_answer() -> None:
    def broken(now_ns: int) -> int:
        raise RuntimeError("a bug")

    async def main() -> None:
        with pytest.raises(RuntimeError, match="a bug"):
            await Bench([0, 60 * S], broken).run()

    asyncio.run(main())
