"""Service times from response times: the inversion gives back what a simulation was made of."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.identifiability import served_in_order, served_shared
from mockforge.learning.capacity_inversion import Inside, fifo_starts, in_flight
from mockforge.learning.capacity_station import FifoStation, LimitedStation, SharingStation, StationLaw

CURVE = (1.0, 1.6, 2.1, 2.4)


def load(servers: float, count: int = 2_000) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    generator = np.random.default_rng(3)
    arrived = np.cumsum(generator.exponential(20e6 / (0.9 * servers), count))
    return arrived, 20e6 * generator.exponential(1.0, count)


def test_in_flight_counts_those_before_that_are_left() -> None:
    arrived, departed = np.array([0.0, 1.0, 2.0, 5.0]), np.array([2.0, 9.0, 4.0, 6.0])
    assert in_flight(arrived, departed).tolist() == [0, 1, 1, 1]


def test_a_job_starts_when_the_servers_are_no_longer_all_taken() -> None:
    arrived, departed = np.array([0.0, 1.0, 2.0, 3.0]), np.array([10.0, 4.0, 8.0, 12.0])
    assert fifo_starts(arrived, departed, 2).tolist() == [0.0, 1.0, 4.0, 8.0]
    assert fifo_starts(arrived, departed, 4).tolist() == arrived.tolist()


@pytest.mark.parametrize("servers", [1, 4, 16])
def test_fifo_inversion_gives_the_demands_back(servers: int) -> None:
    arrived, demands = load(servers)
    found = FifoStation(servers).demands(arrived, served_in_order(arrived, demands, servers))
    assert np.abs(found / demands - 1).max() < 1e-6
    assert np.abs(found - demands).max() / 20e6 < 1e-9


@pytest.mark.parametrize("curve", [(1.0,), (1.0, 2.0, 3.0, 4.0), CURVE])
def test_sharing_inversion_gives_the_demands_back(curve: tuple[float, ...]) -> None:
    arrived, demands = load(max(curve))
    found = SharingStation(curve).demands(arrived, served_shared(arrived, demands, curve))
    assert np.abs(found - demands).max() / 20e6 < 1e-9


def test_limited_sharing_inversion_gives_the_demands_back() -> None:
    arrived, demands = load(2.4)
    departed = served_shared(arrived, demands, CURVE, most=6)
    found = LimitedStation(CURVE, 6).demands(arrived, departed)
    assert np.abs(found - demands).max() / 20e6 < 1e-9


@pytest.mark.parametrize(
    ("station", "most"),
    [(SharingStation.of(3), None), (SharingStation(CURVE), None), (LimitedStation(CURVE, 5), 5)],
)
def test_stations_serve_as_an_independent_simulator_does(station: StationLaw, most: int | None) -> None:
    arrived, demands = load(2.4)
    curve = station.curve  # type: ignore[attr-defined]
    expected = served_shared(arrived, demands, curve, most) - arrived
    # Stations round times to whole nanoseconds, which adds up while one is busy.
    assert station.responses(arrived, demands) == pytest.approx(expected, abs=10_000.0)


def test_fifo_serves_as_an_independent_simulator_does() -> None:
    arrived, demands = load(4)
    expected = served_in_order(arrived, demands, 4) - arrived
    assert FifoStation(4).responses(arrived, demands) == pytest.approx(expected, abs=10_000.0)


def test_time_and_departures_are_told_by_state_and_block() -> None:
    inside = Inside(np.array([0.0, 2.0, 10.0]), np.array([6.0, 4.0, 12.0]))
    departures, times = inside.states(np.array([0.0, 8.0, np.inf]))
    assert times.tolist() == [[4.0, 2.0], [2.0, 0.0]]
    assert departures.tolist() == [[1.0, 1.0], [1.0, 0.0]]


def test_a_place_that_is_taken_in_the_same_moment_is_not_counted_twice() -> None:
    inside = Inside(np.array([0.0, 5.0]), np.array([5.0, 9.0]))
    assert inside.count.max() == 1
