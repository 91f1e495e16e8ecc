"""The pace options: what they say, and what is refused with its value."""

from __future__ import annotations

import math

import pytest

from mockforge.errors import UsageError
from mockforge.replay.pace import Loop, Pace, Segment, parse_duration, parse_loop, parse_ramp


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_an_impossible_pace_is_refused_with_its_value(value: float) -> None:
    with pytest.raises(UsageError, match=rf"--speed is {value:g}"):
        Pace(speed=value)
    with pytest.raises(UsageError, match=rf"--rate is {value:g}"):
        Pace(rate=value)


def test_speed_and_rate_exclude_each_other() -> None:
    with pytest.raises(UsageError, match=r"--speed 2 and --rate 50 exclude each other"):
        Pace(speed=2, rate=50)


def test_a_ramp_excludes_every_other_pace() -> None:
    ramp = (Segment(1, 2, 3),)
    with pytest.raises(UsageError, match="--ramp and --rate 50 exclude"):
        Pace(rate=50, ramp=ramp)
    with pytest.raises(UsageError, match="--ramp and --loop exclude"):
        Pace(ramp=ramp, loop=Loop(2))
    assert Pace(ramp=ramp, poisson=True).ramp == ramp


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1.5m", 90), ("250ms", 0.25), ("1h", 3600), ("7us", 7e-6), ("5", None)],
)
def test_a_duration_has_a_unit(text: str, seconds: float | None) -> None:
    assert parse_duration(text) == (None if seconds is None else pytest.approx(seconds))


def test_a_loop_is_a_number_of_rounds_or_a_time() -> None:
    assert parse_loop("3") == Loop(3, None)
    assert parse_loop("10m") == Loop(None, 600)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "0s", "", "ever", "5 x"])
def test_what_is_no_loop_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--loop is"):
        parse_loop(text)


def test_a_ramp_has_steps_joined_by_commas() -> None:
    assert parse_ramp("50:500:60s, 500:500:1m") == (Segment(50, 500, 60), Segment(500, 500, 60))


@pytest.mark.parametrize(
    "text", ["50:500", "a:1:1s", "1:2:3", "-1:2:3s", "1:2:0s", "1:2:3s:4", "", "nan:1:1s"]
)
def test_what_is_no_ramp_is_refused_with_the_step(text: str) -> None:
    with pytest.raises(UsageError, match=r"each step is FROM:TO:TIME"):
        parse_ramp(text)


def test_a_ramp_that_sends_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="sends nothing"):
        parse_ramp("0:0:5s")
