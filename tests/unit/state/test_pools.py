"""A pool as it runs: who is let in, what is counted, and when it says that it is beyond the recording."""

from __future__ import annotations

from random import Random

from mockforge.delays.station import QUEUE_FULL
from mockforge.delays.station_of import station_of
from mockforge.model.response import RenderedResponse
from mockforge.model.service import Capacity, RateRule
from mockforge.state.pools import Beyond, Pool, PoolCounts, PoolRule, RefusalAnswer

MS = 1_000_000
S = 1_000 * MS
REFUSED = RefusalAnswer(RenderedResponse(503, (), b""), 0)


def pool(capacity: Capacity, counts: PoolCounts | None = None, told: list[Beyond] | None = None) -> Pool:
    rule = PoolRule("db", capacity, REFUSED, REFUSED)
    station = station_of(capacity, Random(1))
    return Pool(rule, station, counts or PoolCounts(), (told if told is not None else []).append)


def test_completed_jobs_are_taken_one_by_one_in_order() -> None:
    running = pool(Capacity(servers=1))
    for job in "abc":
        running.arrive(0, 10 * MS, job)
    assert (running.in_flight, running.waiting) == (3, 2)
    assert running.take(5 * MS) is None
    assert running.take(25 * MS) == (10 * MS, "a")
    assert (running.next_ns(), running.in_flight) == (20 * MS, 2)
    assert running.take(25 * MS) == (20 * MS, "b")
    assert running.take(25 * MS) is None
    assert running.next_ns() == 30 * MS


def test_refusals_are_counted_by_their_reason() -> None:
    counts = PoolCounts()
    running = pool(Capacity(servers=1, queue_limit=1, rate_limit=RateRule(1, burst=3)), counts)
    refusals = [running.arrive(0, 10 * MS, job) for job in "abcde"]
    assert refusals[:3] == [None, None, QUEUE_FULL]
    assert [refusal and refusal.reason for refusal in refusals[3:]] == ["rate limit", "rate limit"]
    assert (counts.queue_full, counts.rate_limited) == (1, 2)


def test_the_place_of_a_caller_that_left_is_kept_unless_it_frees_it() -> None:
    for abandoned, second_ends in [("keeps", 20 * MS), ("frees", 14 * MS)]:
        running = pool(Capacity(servers=1, abandoned=abandoned))
        running.arrive(0, 10 * MS, "a")
        running.arrive(0, 10 * MS, "b")
        running.leave(4 * MS, "a")
        taken = [running.take(S), running.take(S)]
        assert (second_ends, "b") in taken


def test_more_in_flight_than_recorded_is_counted_and_told_once_a_minute() -> None:
    counts, told = PoolCounts(), list[Beyond]()
    running = pool(Capacity(servers=1, recorded_up_to=2), counts, told)
    for now_ns in (0, 0, 0, 0, 59 * S, 60 * S):
        running.arrive(now_ns, 1_000 * S, object())
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
        running.arrive(0, MS, "a")
        running.arrive(0, MS, "b")
    assert counts.queue_full == 2
