"""Due times are a pure function of the recorded arrivals and the pace."""

from __future__ import annotations

import math

import pytest

from mockforge.errors import RecordingError, UsageError
from mockforge.model.exchange import Exchange, Request
from mockforge.replay.schedule import make_schedule

MS = 1_000_000


def recorded(*arrived_ms: float) -> list[Exchange]:
    """Exchanges that arrived then; each target tells its own arrival."""
    return [
        Exchange(0, round(at * MS), Request("GET", f"/{at:g}"), None, 0, operation="GET /{id}")
        for at in arrived_ms
    ]


@pytest.mark.parametrize(
    ("arrived_ms", "speed", "rate", "due_ms"),
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
    arrived_ms: tuple[float, ...], speed: float | None, rate: float | None, due_ms: tuple[float, ...]
) -> None:
    schedule = make_schedule(recorded(*arrived_ms), speed=speed, rate=rate)
    assert [one.due_ns for one in schedule.requests] == [round(due * MS) for due in due_ms]
    assert [one.request.target for one in schedule.requests] == [f"/{at:g}" for at in sorted(arrived_ms)]


def test_requests_of_one_moment_keep_their_order() -> None:
    exchanges = [Exchange(0, 5, Request("GET", f"/{index}"), None, 0) for index in range(20)]
    assert [one.request.target for one in make_schedule(exchanges).requests] == [f"/{i}" for i in range(20)]


def test_the_operation_is_carried_over() -> None:
    assert [one.operation for one in make_schedule(recorded(0, 1)).requests] == ["GET /{id}"] * 2


def test_rounding_does_not_add_up() -> None:
    schedule = make_schedule(recorded(*range(1000)), speed=3)
    assert schedule.requests[-1].due_ns == 333 * MS


def test_the_schedule_knows_its_mean_rate_and_speed() -> None:
    schedule = make_schedule(recorded(0, 10, 30, 40), rate=150)
    assert schedule.rate == pytest.approx(150)
    assert schedule.speed == pytest.approx(2)
    assert schedule.span_ns == 20 * MS
    assert math.isnan(make_schedule(recorded(3, 3)).rate)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
@pytest.mark.parametrize("option", ["speed", "rate"])
def test_an_impossible_pace_is_refused_with_its_value(option: str, value: float) -> None:
    with pytest.raises(UsageError, match=rf"--{option} is {value:g}"):
        make_schedule(recorded(0, 1), **{option: value})


def test_speed_and_rate_exclude_each_other() -> None:
    with pytest.raises(UsageError, match=r"--speed 2 and --rate 50 exclude each other"):
        make_schedule(recorded(0, 1), speed=2, rate=50)


def test_a_rate_cannot_be_had_of_requests_of_one_moment() -> None:
    with pytest.raises(UsageError, match="all 2 requests were recorded at one moment"):
        make_schedule(recorded(5, 5), rate=50)


def test_nothing_recorded_is_nothing_to_replay() -> None:
    with pytest.raises(RecordingError, match="nothing to replay"):
        make_schedule([])
