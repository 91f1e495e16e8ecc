"""What stations make of demands, the inversion takes back, whatever the trace."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mockforge.learning.capacity_station import FifoStation, LimitedStation, SharingStation, StationLaw

Times = NDArray[np.float64]

JOBS = st.lists(st.tuples(st.integers(0, 50_000_000), st.integers(1, 60_000_000)), min_size=1, max_size=60)
CURVES = st.lists(st.floats(0.2, 1.5), max_size=6).map(
    lambda steps: (1.0, *np.cumsum([1.0, *steps])[1:].tolist())
)
STATIONS = st.one_of(
    st.integers(1, 20).map(FifoStation),
    CURVES.map(SharingStation),
    st.tuples(CURVES, st.integers(1, 8)).map(lambda each: LimitedStation(*each)),
)


def trace(jobs: list[tuple[int, int]]) -> tuple[Times, Times]:
    gaps, demands = np.array(jobs, dtype=np.float64).T
    return np.cumsum(gaps), demands


@settings(deadline=None, max_examples=150)
@given(JOBS, STATIONS)
def test_inversion_gives_the_demands_back(jobs: list[tuple[int, int]], station: StationLaw) -> None:
    arrived, demands = trace(jobs)
    found = station.demands(arrived, arrived + station.responses(arrived, demands))
    # Stations round completions to whole nanoseconds, which shifts the pace of all that are inside.
    assert np.abs(found - demands).max() <= 10.0 * len(jobs)


@settings(deadline=None, max_examples=100)
@given(JOBS, st.integers(1, 20))
def test_more_servers_never_read_less_demand(jobs: list[tuple[int, int]], servers: int) -> None:
    arrived, took = trace(jobs)
    fewer, more = (FifoStation(count).demands(arrived, arrived + took) for count in (servers, servers + 1))
    assert (fewer <= more).all()
    assert (more <= took + 1e-6).all()


@settings(deadline=None, max_examples=100)
@given(JOBS, STATIONS, st.floats(0.1, 1_000.0))
def test_the_unit_of_time_makes_no_difference(
    jobs: list[tuple[int, int]], station: StationLaw, unit: float
) -> None:
    arrived, took = trace(jobs)
    found = station.demands(arrived, arrived + took)
    scaled = station.demands(arrived * unit, (arrived + took) * unit)
    assert np.allclose(scaled, found * unit, rtol=1e-6, atol=unit)
