"""Rate limits and stalls, by tables."""

from __future__ import annotations

from itertools import islice, repeat
from random import Random

import pytest

from mockforge.delays.distributions import Fixed, Uniform
from mockforge.delays.station import Fifo, Refusal, Sharing
from mockforge.delays.station_limits import RateLimit, Stalls, drawn_stalls

MS = 1_000_000
S = 1_000 * MS


def test_a_bucket_lets_a_burst_in_and_then_one_a_token() -> None:
    limit = RateLimit(per_second=10, burst=3)
    assert [limit.take(S) is None for _ in range(4)] == [True, True, True, False]
    assert limit.take(S) == Refusal("rate limit", 100 * MS)
    assert limit.take(S + 40 * MS) == Refusal("rate limit", 60 * MS)
    assert limit.take(S + 100 * MS) is None
    assert limit.take(S + 100 * MS) == Refusal("rate limit", 100 * MS)


def test_a_bucket_holds_no_more_than_its_burst() -> None:
    limit = RateLimit(per_second=10, burst=2)
    assert limit.take(0) is None
    assert [limit.take(1_000 * S) is None for _ in range(3)] == [True, True, False]


def test_a_bucket_lets_its_rate_in_over_time() -> None:
    limit = RateLimit(per_second=30, burst=1)
    assert sum(limit.take(now) is None for now in range(0, 10 * S, MS)) == pytest.approx(300, rel=0.04)


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_bucket_that_lets_nothing_in_is_refused(per_second: float, burst: int) -> None:
    with pytest.raises(ValueError, match="lets nothing in"):
        RateLimit(per_second, burst)


def stalls(*gaps_and_durations_ms: tuple[int, int], servers: int | None = 1) -> Stalls:
    """A station with these stalls, and none after them for a day."""
    written = [(gap * MS, duration * MS) for gap, duration in gaps_and_durations_ms]
    return Stalls(Fifo(servers), iter([*written, (86_400 * S, MS)]))


def test_nothing_completes_in_a_stall_and_then_it_goes_on() -> None:
    station = stalls((15, 100))
    station.arrive(S, 10 * MS, "before")
    station.arrive(S, 10 * MS, "during")
    assert station.next_ns() == S + 10 * MS
    assert station.advance(S + 10 * MS) == [(S + 10 * MS, "before")]
    assert station.next_ns() == S + 120 * MS
    assert station.advance(S + 119 * MS) == []
    assert station.advance(S + 120 * MS) == [(S + 120 * MS, "during")]


def test_several_stalls_on_the_way_all_count() -> None:
    station = stalls((5, 20), (2, 30))
    station.arrive(0, 10 * MS, "a")
    assert station.next_ns() == 60 * MS
    assert station.advance(S) == [(60 * MS, "a")]


def test_who_comes_in_a_stall_waits_for_its_end_whatever_it_demands() -> None:
    station = stalls((10, 100))
    station.arrive(0, MS, "first")
    station.arrive(50 * MS, 0, "nothing")
    station.arrive(50 * MS, 10 * MS, "ten")
    assert station.advance(S) == [(MS, "first"), (110 * MS, "nothing"), (120 * MS, "ten")]


def test_what_would_complete_as_a_stall_begins_completes_after_it() -> None:
    station = stalls((10, 100))
    station.arrive(0, 10 * MS, "a")
    assert station.next_ns() == 110 * MS
    assert station.advance(50 * MS) == []
    assert station.advance(110 * MS) == [(110 * MS, "a")]


def test_a_caller_that_leaves_in_a_stall_frees_its_place() -> None:
    station = stalls((5, 100))
    station.leave(0, "nobody")
    station.arrive(0, 10 * MS, "a")
    station.arrive(0, 10 * MS, "b")
    station.leave(50 * MS, "a")
    assert (station.in_flight, station.waiting) == (1, 0)
    assert station.next_ns() == 115 * MS


def test_asking_often_or_once_gives_the_same_times() -> None:
    def run(step_ns: int) -> list[object]:
        station = Stalls(Sharing([1.0, 1.5]), drawn_stalls(Fixed(37 * MS), Fixed(11 * MS), Random(1)))
        for job in range(20):
            station.arrive(job * 10 * MS, 14 * MS, job)
        completed: list[object] = []
        for now in range(190 * MS, S, step_ns):
            completed += station.advance(now)
        return completed

    assert len(run(MS)) == 20
    assert run(MS) == run(790 * MS)


def test_stalls_that_nobody_saw_are_not_gone_through() -> None:
    drawn = 0

    def counted() -> object:
        nonlocal drawn
        for each in repeat((MS, MS)):
            drawn += 1
            yield each

    station = Stalls(Fifo(1), counted())  # type: ignore[arg-type]
    station.arrive(0, MS // 2, "a")
    assert station.advance(MS // 2) == [(MS // 2, "a")]
    station.arrive(3_600 * S, MS // 2, "b")
    assert station.advance(3_601 * S) == [(3_600 * S + MS // 2, "b")]
    assert drawn < 600, "those of the second in which it was told nothing, and no more"


def test_with_stalls_without_end_on_the_way_asking_again_comes_to_the_completion() -> None:
    station = Stalls(Fifo(1), repeat((MS, MS)))
    station.arrive(0, 5_000 * MS + 1, "a")
    asked = 0
    while not (completed := station.advance(station.next_ns() or 0)):
        asked += 1
    assert completed == [(10_000 * MS + 1, "a")]
    assert asked < 10


def test_drawn_stalls_follow_their_laws_and_their_seed() -> None:
    gap, duration = Uniform(100, 200), Uniform(10, 20)
    drawn = list(islice(drawn_stalls(gap, duration, Random(5)), 2_000))
    assert drawn == list(islice(drawn_stalls(gap, duration, Random(5)), 2_000))
    assert sum(each for each, _ in drawn) / 2_000 == pytest.approx(150 * MS, rel=0.02)
    assert sum(each for _, each in drawn) / 2_000 == pytest.approx(15 * MS, rel=0.02)
    firsts = [next(drawn_stalls(gap, duration, Random(seed)))[0] for seed in range(2_000)]
    assert sum(firsts) / 2_000 == pytest.approx(75 * MS, rel=0.04), "the first gap is entered in its middle"
    scaled = list(islice(drawn_stalls(gap, duration, Random(5), time_scale=0.5), 2_000))
    assert [each for _, each in scaled] == pytest.approx([each / 2 for _, each in drawn], abs=1)
