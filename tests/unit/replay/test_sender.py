"""The sender, in a time that moves only when everybody waits: no socket, no sleep."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable
from itertools import count

import numpy as np
import pytest

from mockforge.clock import ManualClock
from mockforge.model.exchange import Exchange, Piece, Request, Response
from mockforge.replay.connection import Read
from mockforge.replay.failure import ABORTED
from mockforge.replay.feed import Shot
from mockforge.replay.sender import LEAD_NS, Limits, Sender, Wiring
from mockforge.replay.transport import Caller, Outcome
from mockforge.replay.wire import PreparedRequest

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
        self.pending: dict[Caller, None] = {}
        self.reads: tuple[Read, ...] = ()

    def send(self, request: PreparedRequest, caller: Caller) -> None:
        now_ns = self._time.clock.now_ns()
        self.sent_at_ns.append(now_ns - LEAD_NS)
        ends_ns = self._ends_at(now_ns)
        self.pending[caller] = None
        if ends_ns is not None:
            self._time.call_at(ends_ns, lambda: self.answer(caller))

    def answer(self, caller: Caller) -> None:
        if caller in self.pending:
            del self.pending[caller]
            now_ns = self._time.clock.now_ns()
            caller.on_outcome(Outcome(Response(200), now_ns, connection_id=7, reads=self.reads))

    def abort(self) -> None:
        for caller in list(self.pending):
            del self.pending[caller]
            caller.on_outcome(Outcome(None, error=ABORTED))


class NumberedFeed:
    """Requests whose targets are their numbers; keeps which were answered."""

    def __init__(self) -> None:
        self.answered: list[int] = []

    def shot(self, number: int) -> Shot:
        name = "GET /{id}"
        return Shot(Request("GET", f"/{number}"), PreparedRequest(b"GET"), name, name)

    def on_answer(self, number: int, response: Response) -> None:
        self.answered.append(number)


class Bench:
    """A sender with everything around it that a test looks at."""

    def __init__(
        self,
        due_ns: Iterable[int],
        ends_at: Callable[[int], int | None],
        *,
        limits: Limits | None = None,
        timer_late_ns: int = 0,
    ) -> None:
        self.time = VirtualTime(timer_late_ns)
        self.target = FakeTarget(self.time, ends_at)
        self.exchanges: list[Exchange] = []
        self.stop = asyncio.Event()
        self.feed = NumberedFeed()
        wiring = Wiring(self.target, self.time.clock, self.time)
        self.sender = Sender(due_ns, self.feed, wiring, lambda one, _: self.exchanges.append(one), limits)

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
        for caller in list(bench.target.pending):
            bench.target.answer(caller)
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


#: The oracle's server: one worker, a millisecond of service, a stall of a second at every ten.
SERVICE_NS, STALL_NS, PERIOD_NS = 1 * MS, 1 * S, 10 * S
PER_SECOND = 500


class StallingServer:
    """Serves one after another, in order of arrival, and nothing while it stalls."""

    def __init__(self) -> None:
        self._free_ns = 0

    def ends_at(self, now_ns: int) -> int:
        starts_ns = max(now_ns, self._free_ns)
        into_period_ns = (starts_ns - LEAD_NS) % PERIOD_NS
        starts_ns += max(0, STALL_NS - into_period_ns)
        self._free_ns = starts_ns + SERVICE_NS
        return self._free_ns


def response_law_s(probability: float) -> float:
    """The quantile of the response time under a constant open-loop rate, from the queue's geometry.

    A request due `a` into the stall T waits for its end and for those before it: T - a (1 - r s). From the
    stall's end the queue r T drains at 1/s - r, its wait falling evenly from r s T to nothing.
    """
    rate, service, stall, period = PER_SECOND, SERVICE_NS / S, STALL_NS / S, PERIOD_NS / S
    load = rate * service
    above = (1 - probability) * period
    if above <= stall:
        return stall - above * (1 - load) + service
    drained = (above - stall) * (1 - load) / load  # as a share of the wait at the stall's end, times T
    return max(0.0, load * (stall - drained)) + service


def test_a_stall_shows_in_the_response_time_of_every_request_that_was_due_in_it() -> None:
    async def main() -> None:
        due_ns = [i * S // PER_SECOND for i in range(PER_SECOND * 60)]
        exchanges = await Bench(due_ns, StallingServer().ends_at).run()
        response_s = np.array([one.total_ns for one in exchanges]) / S
        for probability in (0.5, 0.9, 0.95, 0.99):
            measured = np.quantile(response_s, probability, method="inverted_cdf")
            assert measured == pytest.approx(response_law_s(probability), rel=0.02)

    asyncio.run(main())


def test_a_closed_loop_that_times_its_own_requests_would_have_missed_the_stall() -> None:
    server, now_ns, took_s = StallingServer(), LEAD_NS, []
    while now_ns < LEAD_NS + 60 * S:
        ended_ns = server.ends_at(now_ns)
        took_s.append((ended_ns - now_ns) / S)
        now_ns = max(ended_ns, now_ns + S // PER_SECOND)
    assert sum(each > 0.01 for each in took_s) == 6  # one a stall
    assert np.quantile(took_s, 0.99) == pytest.approx(0.001)
    assert response_law_s(0.99) > 900 * np.quantile(took_s, 0.99)


def test_a_sender_that_fell_behind_sends_everything_that_is_due_at_once() -> None:
    async def main() -> None:
        bench = Bench([0, *(i * MS for i in range(1, 101))], never)
        task = bench.start()
        await bench.time.pass_until(task, until_ns=LEAD_NS)
        bench.time.clock.advance(80 * MS)  # a pause of the machine
        await bench.time.pass_until(task)
        assert bench.target.sent_at_ns[:82] == [0] + [80 * MS] * 80 + [81 * MS]
        bench.stop.set()
        bench.target.abort()
        await task

    asyncio.run(main())


def test_an_endless_schedule_is_read_as_it_goes() -> None:
    async def main() -> None:
        bench = Bench((i * MS for i in count()), after(MS))
        task = bench.start()
        await bench.time.pass_until(task, until_ns=LEAD_NS + 50 * MS)
        bench.stop.set()
        await bench.time.pass_until(task)
        await task
        assert len(bench.exchanges) == 51

    asyncio.run(main())


def test_the_feed_hears_of_complete_answers_only() -> None:
    async def main() -> None:
        bench = Bench([0, MS, 2 * MS], lambda now_ns: now_ns + MS if now_ns < LEAD_NS + 2 * MS else None)
        task = bench.start()
        await bench.time.pass_until(task)
        bench.stop.set()
        bench.target.abort()
        await task
        assert bench.feed.answered == [0, 1]
        assert bench.exchanges[2].error == ABORTED

    asyncio.run(main())


def test_a_streamed_answers_timeline_counts_from_the_due_time() -> None:
    async def main() -> None:
        bench = Bench([0], after(5 * MS))
        bench.target.reads = (Read(LEAD_NS + 2 * MS, 10), Read(LEAD_NS + 5 * MS, 3))
        (one,) = await bench.run()
        assert one.pieces == (Piece(2 * MS, 10, "response"), Piece(5 * MS, 3, "response"))
        assert one.connection_id == 7

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
