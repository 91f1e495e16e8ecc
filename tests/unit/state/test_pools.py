"""A pool as it runs: who is let in, what is counted, and when it says that it is beyond the recording."""

from __future__ import annotations

from random import Random

from mockforge.delays.station import QUEUE_FULL
from mockforge.delays.station_of import station_of
from mockforge.model.response import RenderedResponse
from mockforge.model.service import AfterIdle, Capacity, ColdStart, RateRule, Timeout
from mockforge.state.pools import Beyond, Demand, Done, Pool, PoolAnswer, PoolCounts, PoolRule

MS = 1_000_000
S = 1_000 * MS
REFUSED = PoolAnswer(RenderedResponse(503, (), b""), 0)


def pool(capacity: Capacity, counts: PoolCounts | None = None, told: list[Beyond] | None = None) -> Pool:
    rule = PoolRule("db", capacity, REFUSED, REFUSED)
    station = station_of(capacity, Random(1))
    limit_ns = None if capacity.timeout is None else round(capacity.timeout.after_ms * MS)
    return Pool(rule, station, counts or PoolCounts(), (told if told is not None else []).append, limit_ns)


def demand(service_ns: int, offset_ns: int = 0) -> Demand:
    return Demand(PoolRule("db", Capacity(), REFUSED, REFUSED), service_ns, offset_ns)


def test_completed_jobs_are_taken_one_by_one_in_order() -> None:
    running = pool(Capacity(servers=1))
    for job in "abc":
        running.arrive(0, demand(10 * MS), job)
    assert (running.in_flight, running.waiting) == (3, 2)
    assert running.take(5 * MS) is None
    assert running.take(25 * MS) == Done(10 * MS, "a")
    assert (running.next_ns(), running.in_flight) == (20 * MS, 2)
    assert running.take(25 * MS) == Done(20 * MS, "b")
    assert running.take(25 * MS) is None
    assert running.next_ns() == 30 * MS


def test_refusals_are_counted_by_their_reason() -> None:
    counts = PoolCounts()
    running = pool(Capacity(servers=1, queue_limit=1, rate_limit=RateRule(1, burst=3)), counts)
    refusals = [running.arrive(0, demand(10 * MS), job) for job in "abcde"]
    assert refusals[:3] == [None, None, QUEUE_FULL]
    assert [refusal and refusal.reason for refusal in refusals[3:]] == ["rate limit", "rate limit"]
    assert (counts.queue_full, counts.rate_limited) == (1, 2)


def test_the_place_of_a_caller_that_left_is_kept_unless_it_frees_it() -> None:
    for abandoned, second_ends in [("keeps", 20 * MS), ("frees", 14 * MS)]:
        running = pool(Capacity(servers=1, abandoned=abandoned))
        running.arrive(0, demand(10 * MS), "a")
        running.arrive(0, demand(10 * MS), "b")
        running.leave(4 * MS, "a")
        taken = [running.take(S), running.take(S)]
        assert Done(second_ends, "b") in taken


def test_more_in_flight_than_recorded_is_counted_and_told_once_a_minute() -> None:
    counts, told = PoolCounts(), list[Beyond]()
    running = pool(Capacity(servers=1, recorded_up_to=2), counts, told)
    for now_ns in (0, 0, 0, 0, 59 * S, 60 * S):
        running.arrive(now_ns, demand(1_000 * S), object())
    assert counts.beyond_recorded == 4
    assert told == [Beyond("db", 3, 2), Beyond("db", 6, 2)]
    assert str(told[0]) == (
        "beyond what was recorded: 3 in flight in pool db, recorded were 2 at most; how such a load is "
        "answered is the model's guess"
    )


def test_what_is_counted_outlives_the_pool() -> None:
    counts = PoolCounts()
    for _ in range(2):
        running = pool(Capacity(servers=1, queue_limit=0), counts)
        running.arrive(0, demand(MS), "a")
        running.arrive(0, demand(MS), "b")
    assert counts.queue_full == 2


def test_one_whose_time_is_up_is_given_as_late_and_counted() -> None:
    counts = PoolCounts()
    running = pool(Capacity(servers=1, timeout=Timeout(15)), counts)
    for job in "ab":
        running.arrive(0, demand(10 * MS, offset_ns=2 * MS), job)
    assert [running.take(S) for _ in range(3)] == [Done(10 * MS, "a"), Done(13 * MS, "b", late=True), None]
    assert counts.timed_out == 1


def test_a_cold_pool_serves_more_slowly() -> None:
    running = pool(Capacity(servers=1, cold_start=ColdStart(3), after_idle=AfterIdle(500, 2)))
    for now_ns in (0, 100 * MS, S):
        running.arrive(now_ns, demand(10 * MS), now_ns)
    assert [running.take(2 * S) for _ in range(3)] == [
        Done(30 * MS, 0),
        Done(110 * MS, 100 * MS),
        Done(S + 20 * MS, S),
    ]
