"""Stalls: found where a backend stands still, and not where it works on a long job."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.identifiability import Truth, served_in_order, trace_of
from mockforge.learning.capacity_trace import Jobs, jobs_of
from mockforge.learning.load_stalls import Stall, find_stalls, without_stalls

Times = NDArray[np.float64]
_STARTS = np.array([1.0, 2.5, 3.2, 5.0, 6.1]) * 1e9
_LASTS = np.array([90.0, 130.0, 110.0, 120.0, 80.0]) * 1e6


def jobs(arrived: Times, departed: Times) -> Jobs:
    every = np.ones(arrived.size, dtype=np.bool_)
    return jobs_of(trace_of(arrived - arrived[0], departed - arrived[0]), every, every)


def standing_still(servers: int, starts: Times = _STARTS, lasts: Times = _LASTS) -> Jobs:
    """Served in order, on a clock that stands several times."""
    generator = np.random.default_rng(servers)
    arrived = np.cumsum(generator.exponential(4e6 / (0.6 * servers), 1_100 * servers))
    arrived -= arrived[0]
    stood = np.r_[0.0, np.cumsum(lasts)]
    edges = np.sort(np.r_[0.0, starts, starts + lasts])
    lost = np.interp(arrived, edges, [lasts[edge >= starts + lasts].sum() for edge in edges])
    departed = served_in_order(arrived - lost, 4e6 * generator.gamma(4.0, 0.25, arrived.size), servers)
    return jobs(arrived, departed + stood[np.searchsorted(starts - stood[:-1], departed)])


@pytest.mark.parametrize(
    ("servers", "how"), [(1, "far from all other gaps"), (16, "many completions at once")]
)
def test_stalls_are_found_where_and_as_long_as_they_were(servers: int, how: str) -> None:
    found = find_stalls(standing_still(servers))
    assert how in found.reason
    assert [stall.start_ns / 1e9 for stall in found.stalls] == pytest.approx(_STARTS / 1e9, abs=0.03)
    assert [stall.duration_ns / 1e6 for stall in found.stalls] == pytest.approx(_LASTS / 1e6, abs=20)


def test_hiccups_between_do_not_hide_them() -> None:
    starts = np.sort(np.r_[_STARTS, 1.8e9, 4.2e9])
    hiccups = np.array([90.0, 50.0, 130.0, 110.0, 35.0, 120.0, 80.0]) * 1e6
    found = find_stalls(standing_still(1, starts, hiccups)).stalls
    assert {round(stall.start_ns / 1e8) for stall in found} >= {round(start / 1e8) for start in _STARTS}


def test_a_heavy_tail_is_no_stall() -> None:
    for seed in range(5):
        generator = np.random.default_rng(seed)
        arrived = np.cumsum(generator.exponential(8e6, 4_000))
        demands = 2.4e6 * (1 + generator.pareto(2.5, arrived.size))
        found = find_stalls(jobs(arrived - arrived[0], served_in_order(arrived - arrived[0], demands, 1)))
        assert found.stalls == (), seed


@pytest.mark.parametrize("servers", [1, 4, 16])
@pytest.mark.parametrize("discipline", ["fifo", "ps"])
@pytest.mark.parametrize("load", [0.5, 0.95])
def test_long_jobs_are_no_stalls(discipline: str, servers: int, load: float) -> None:
    arrived, _, departed = Truth(discipline, servers, load, "lognormal 1.0").recorded(3_000)
    found = find_stalls(jobs(arrived, departed))
    assert found.stalls == ()
    assert found.reason.startswith("not seen")


def test_too_few_requests_say_so() -> None:
    assert "too few" in find_stalls(jobs(np.arange(10.0), np.arange(10.0) + 5.0)).reason


def test_a_clock_without_the_stalls_takes_them_out_of_response_times() -> None:
    stalled = jobs(np.array([0.0, 100.0, 160.0, 300.0]), np.array([20.0, 220.0, 230.0, 310.0]))
    moving = without_stalls(stalled, (Stall(150, 50, 20.0),))
    assert moving.arrived.tolist() == [0.0, 100.0, 150.0, 250.0]
    assert moving.response.tolist() == [20.0, 70.0, 30.0, 10.0]
