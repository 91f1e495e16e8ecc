"""Due times are a pure function of the recorded arrivals and the pace."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from mockforge.errors import RecordingError, UsageError
from mockforge.model.exchange import Exchange, Request
from mockforge.replay.pace import Loop, Pace, Segment
from mockforge.replay.schedule import Schedule, make_schedule
from mockforge.replay.workload import Workload, read_workload

MS = 1_000_000
S = 1_000_000_000


def recorded(*arrived_ms: float) -> Workload:
    """Exchanges that arrived then; each target tells its own arrival."""
    return read_workload(
        Exchange(0, round(at * MS), Request("GET", f"/{at:g}"), None, 0, operation="GET /{id}")
        for at in arrived_ms
    )


def due_ms(schedule: Schedule) -> list[float]:
    return [due / MS for due in schedule]


@pytest.mark.parametrize(
    ("arrived_ms", "speed", "rate", "due"),
    [
        ((0, 10, 30), None, None, (0, 10, 30)),
        ((500, 510, 530), None, None, (0, 10, 30)),  # what came before the first request is left out
        ((0, 10, 30), 1.0, None, (0, 10, 30)),
        ((0, 10, 30), 2.0, None, (0, 5, 15)),
        ((0, 10, 30), 0.5, None, (0, 20, 60)),
        ((30, 0, 10), None, None, (0, 10, 30)),  # sorted by arrival
        ((0, 0, 10), 2.0, None, (0, 0, 5)),  # what came together stays together
        ((0, 10, 30, 40), None, 150.0, (0, 5, 15, 20)),  # 3 gaps in 40 ms are 75/s
        ((0, 1000), None, 0.5, (0, 2000)),
        ((7,), 3.0, None, (0,)),
        ((7,), None, 100.0, (0,)),
    ],
)
def test_gaps_are_scaled_and_keep_their_shape(
    arrived_ms: tuple[float, ...], speed: float | None, rate: float | None, due: tuple[float, ...]
) -> None:
    workload = recorded(*arrived_ms)
    assert tuple(due_ms(make_schedule(workload, Pace(speed, rate)))) == due
    sent = [workload.request(index).target for index in range(len(workload))]
    assert sent == [f"/{at:g}" for at in sorted(arrived_ms)]


@pytest.mark.parametrize(
    ("arrived_ms", "speed", "loop", "due"),
    [
        ((0, 10, 20), None, Loop(2), (0, 10, 20, 30, 40, 50)),  # the mean gap lies between two rounds
        ((0, 5, 20), 2.0, Loop(2), (0, 2.5, 10, 15, 17.5, 25)),
        ((7,), None, Loop(3), (0, 1000, 2000)),
        ((0, 10, 20), None, Loop(None, 0.04), (0, 10, 20, 30)),  # what is due at the end is not sent
        ((0, 10, 20), None, Loop(None, 0.045), (0, 10, 20, 30, 40)),
        ((0, 10, 20), None, Loop(None, 0.015), (0, 10)),
    ],
)
def test_a_recording_is_gone_through_again(
    arrived_ms: tuple[float, ...], speed: float | None, loop: Loop, due: tuple[float, ...]
) -> None:
    assert tuple(due_ms(make_schedule(recorded(*arrived_ms), Pace(speed, loop=loop)))) == due


def test_a_million_exchanges_for_a_day_are_not_expanded() -> None:
    arrived = np.arange(1_000_000, dtype=np.int64) * MS
    workload = Workload(arrived, np.zeros(1_000_000, dtype=np.int32), (Request("GET", "/"),), (None,))
    schedule = make_schedule(workload, Pace(loop=Loop(rounds=86_400)))
    assert schedule.count == 86_400_000_000
    assert list(itertools.islice(schedule, 999_999, 1_000_002)) == [
        999_999 * MS,
        1_000_000 * MS,
        1_000_001 * MS,
    ]


@pytest.mark.parametrize(
    ("segments", "due_s"),
    [
        ((Segment(2, 2, 2),), (0, 0.5, 1, 1.5)),
        ((Segment(0, 2, 2),), (0, math.sqrt(2))),  # t² / 2 requests after t seconds
        ((Segment(2, 0, 2),), (0, 2 - math.sqrt(2))),
        ((Segment(1, 3, 2),), tuple(math.sqrt(1 + 2 * k) - 1 for k in range(4))),  # t + t² / 2
        ((Segment(1, 1, 2), Segment(4, 4, 1)), (0, 1, 2, 2.25, 2.5, 2.75)),
        ((Segment(1, 1, 1), Segment(0, 0, 5), Segment(2, 2, 1)), (0, 6, 6.5)),  # a pause
    ],
)
def test_a_ramp_is_played_by_its_integral(segments: tuple[Segment, ...], due_s: tuple[float, ...]) -> None:
    schedule = make_schedule(recorded(0, 1), Pace(ramp=segments))
    assert [due / S for due in schedule] == pytest.approx(due_s, abs=1e-8)
    assert schedule.count == len(due_s)


def test_a_ramp_of_many_steps_has_exactly_the_requests_that_its_area_says() -> None:
    ramp = tuple(Segment(0.1, 0.1, 1) for _ in range(100))
    assert make_schedule(recorded(0), Pace(ramp=ramp)).count == 10


def test_poisson_gaps_are_exponential_at_the_mean_rate_and_repeat_with_the_seed() -> None:
    workload = recorded(*range(20_000))
    schedule = make_schedule(workload, Pace(rate=500.0, poisson=True, seed=3))
    due = np.array(list(schedule)) / S
    gaps = np.diff(due)
    assert schedule.count == 20_000
    assert due[0] == 0
    assert gaps.mean() == pytest.approx(1 / 500, rel=0.03)
    assert np.quantile(gaps, [0.5, 0.9]) * 500 == pytest.approx([math.log(2), math.log(10)], rel=0.05)
    assert list(schedule) == list(make_schedule(workload, Pace(rate=500.0, poisson=True, seed=3)))
    assert list(schedule) != list(make_schedule(workload, Pace(rate=500.0, poisson=True, seed=4)))


def test_poisson_alone_has_the_recordings_mean_rate_and_speed_scales_it() -> None:
    workload = recorded(*range(0, 50_000, 10))
    plain = make_schedule(workload, Pace(poisson=True))
    fast = make_schedule(workload, Pace(speed=2.0, poisson=True))
    assert plain.rate == pytest.approx(100, rel=0.05)
    assert fast.span_ns * 2 == pytest.approx(plain.span_ns, rel=1e-6)


def test_poisson_follows_a_ramp() -> None:
    schedule = make_schedule(recorded(0), Pace(ramp=(Segment(0, 1000, 10),), poisson=True))
    due_s = np.array(list(schedule)) / S
    assert schedule.count == pytest.approx(5000, rel=0.05)
    # A quarter of the area lies in the first half.
    assert (due_s < 5).mean() == pytest.approx(0.25, abs=0.02)


def test_poisson_may_go_on_for_a_time() -> None:
    schedule = make_schedule(recorded(0, 1), Pace(rate=100, poisson=True, loop=Loop(None, 20)))
    assert schedule.count == pytest.approx(2000, rel=0.1)
    assert schedule.span_ns < 20 * S


def test_requests_of_one_moment_keep_their_order() -> None:
    workload = read_workload(Exchange(0, 5, Request("GET", f"/{index}"), None, 0) for index in range(20))
    assert [workload.request(index).target for index in range(20)] == [f"/{index}" for index in range(20)]


def test_equal_requests_are_kept_once() -> None:
    workload = read_workload(
        Exchange(0, at, Request("GET", f"/{at % 3}"), None, 0, operation="GET /{id}") for at in range(30)
    )
    assert len(workload.requests) == 3
    assert workload.operations == ("GET /{id}",) * 3
    assert workload.times_sent().tolist() == [10, 10, 10]


def test_rounding_does_not_add_up() -> None:
    assert make_schedule(recorded(*range(1000)), Pace(speed=3)).span_ns == 333 * MS
    looped = make_schedule(recorded(0, 1, 2), Pace(speed=7, loop=Loop(70_000)))
    assert list(looped)[-1] == round((70_000 * 3 - 1) * MS / 7)


@pytest.mark.parametrize(
    "pace",
    [
        Pace(loop=Loop(3)),
        Pace(loop=Loop(70_000)),
        Pace(speed=3, loop=Loop(None, 0.0105)),
        Pace(loop=Loop(None, 0.012)),
        Pace(loop=Loop(None, 0.001)),
        Pace(loop=Loop(None, 1234.5)),
        Pace(ramp=(Segment(0, 7, 3), Segment(7, 2, 4.5))),
        Pace(rate=3, poisson=True, loop=Loop(None, 9)),
    ],
)
def test_its_size_is_known_without_going_through_it(pace: Pace) -> None:
    schedule = make_schedule(recorded(0, 3, 4), pace)
    due = list(schedule)
    assert (schedule.count, schedule.span_ns) == (len(due), due[-1])
    assert due == sorted(due)


def test_the_schedule_knows_its_mean_rate_and_speed() -> None:
    schedule = make_schedule(recorded(0, 10, 30, 40), Pace(rate=150))
    assert schedule.rate == pytest.approx(150)
    assert schedule.speed == pytest.approx(2)
    assert schedule.span_ns == 20 * MS
    assert math.isnan(make_schedule(recorded(3, 3), Pace()).rate)
    assert make_schedule(recorded(0, 1), Pace(rate=5, poisson=True)).speed is None


@pytest.mark.parametrize(
    ("arrived_ms", "most", "at_ms"),
    [
        ((0, 500, 999), 3, 999),
        ((0, 500, 1000), 2, 500),  # a second is open at its end
        ((0, 2000, 2100, 2200, 4000), 3, 2200),
        ((0,), 1, 0),
    ],
)
def test_the_peak_is_the_fullest_second_anywhere(
    arrived_ms: tuple[float, ...], most: int, at_ms: float
) -> None:
    peak = make_schedule(recorded(*arrived_ms), Pace()).peak()
    assert (peak.requests, peak.at_ns / MS) == (most, at_ms)


def test_the_peak_of_a_constant_rate_is_that_rate_also_where_pieces_meet() -> None:
    schedule = make_schedule(recorded(0), Pace(ramp=(Segment(70_000, 70_000, 3),)))
    assert schedule.peak().requests == 70_000


def test_requests_are_counted_by_the_second() -> None:
    assert make_schedule(recorded(0, 999, 1000, 3100), Pace()).per_second() == [2, 1, 0, 1]


def test_a_rate_cannot_be_had_of_requests_of_one_moment() -> None:
    for pace in (Pace(rate=50), Pace(poisson=True)):
        with pytest.raises(UsageError, match="all 2 requests were recorded at one moment"):
            make_schedule(recorded(5, 5), pace)


def test_nothing_recorded_is_nothing_to_replay() -> None:
    with pytest.raises(RecordingError, match="nothing to replay"):
        read_workload([])
