"""Which station a written capacity stands for."""

from __future__ import annotations

from random import Random

import pytest

from mockforge.delays.station import Station
from mockforge.delays.station_of import station_of
from mockforge.model.service import Capacity, StallLaws
from mockforge.model.stub import DelayDistribution

MS = 1_000_000


def fixed(ms: float) -> DelayDistribution:
    return DelayDistribution("fixed", {"milliseconds": ms})


def completions(station: Station, jobs: int = 3) -> list[int]:
    """When each of so many jobs of 10 ms completes that come at once, in ms; those refused left out."""
    for job in range(jobs):
        station.arrive(0, 10 * MS, job)
    return [round(at_ns / MS) for at_ns, _ in station.advance(10_000 * MS)]


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        (Capacity(), [10, 10, 10]),
        (Capacity(servers=1), [10, 20, 30]),
        (Capacity(servers=2), [10, 10, 20]),
        (Capacity(servers=1, queue_limit=1), [10, 20]),
        (Capacity(servers=1, discipline="ps"), [30, 30, 30]),
        (Capacity(servers=2, discipline="ps"), [15, 15, 15]),
        (Capacity(servers=9, discipline="ps"), [10, 10, 10]),
        (Capacity(discipline="ps", curve=(1.0, 1.5)), [20, 20, 20]),
        (Capacity(discipline="ps", curve=(1.0,), most=2), [20, 20, 30]),
        (Capacity(discipline="ps", curve=(1.0,), most=1, queue_limit=1), [10, 20]),
        (Capacity(discipline="ps", curve=(1.0,), queue_limit=2), [20, 20]),
    ],
)
def test_a_capacity_is_the_station_that_it_says(capacity: Capacity, expected: list[int]) -> None:
    assert completions(station_of(capacity, Random(1))) == expected


def test_stalls_come_from_the_generator_and_are_scaled_as_delays_are() -> None:
    capacity = Capacity(servers=1, stalls=StallLaws(fixed(0.001), fixed(50)))
    # A gap is a millisecond at least: the ten that a job takes are interrupted ten times.
    assert completions(station_of(capacity, Random(1)), jobs=1) == [510]
    assert completions(station_of(capacity, Random(1), time_scale=0.5), jobs=1) == [260]


def test_a_curve_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="values above 0"):
        station_of(Capacity(discipline="ps", curve=(1.0, 0.0)), Random(1))
