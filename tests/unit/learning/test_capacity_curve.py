"""The capacity curve and the number of shared servers, from departures and time by state."""

from __future__ import annotations

import numpy as np

from benchmarks.identifiability import served_shared
from mockforge.learning.capacity_curve import capacity_curve, shared_servers
from mockforge.learning.capacity_inversion import Inside


def test_the_curve_is_the_rate_of_completions_over_that_of_one() -> None:
    times = np.array([1e6, 1e6, 1e6])
    departures = np.array([1_000.0, 1_500.0, 1_800.0])
    assert capacity_curve(departures, times) == (1.0, 1.5, 1.8)


def test_states_with_few_departures_are_pooled_with_their_neighbours() -> None:
    departures = np.array([1_000.0, 100.0, 100.0])
    times = np.array([1e6, 1e5, 1e5])
    assert capacity_curve(departures, times) == (1.0, 1.0, 1.0)


def test_below_the_fewest_seen_one_job_is_as_fast_as_each_of_those() -> None:
    departures = np.array([0.0, 0.0, 0.0, 800.0, 500.0, 600.0])
    times = np.array([0.0, 0.0, 0.0, 1e6, 5e5, 5e5])
    assert capacity_curve(departures, times) == (1.0, 2.0, 3.0, 4.0, 5.0, 5.5)


def test_too_few_departures_give_no_curve() -> None:
    assert capacity_curve(np.array([100.0, 100.0]), np.array([1e6, 1e6])) == ()
    assert capacity_curve(np.zeros(0), np.zeros(0)) == ()


def test_the_curve_of_a_simulated_service_is_found() -> None:
    curve = [1.0, 1.6, 2.1, 2.4]
    generator = np.random.default_rng(1)
    arrived = np.cumsum(generator.exponential(20e6 / (0.8 * 2.4), 20_000))
    departed = served_shared(arrived, 20e6 * generator.gamma(4.0, 0.25, 20_000), curve)
    departures, times = Inside(arrived, departed).states(np.array([0.0, np.inf]))
    assert np.abs(np.array(capacity_curve(departures[0], times[0])[:4]) / curve - 1).max() < 0.05


def test_the_likeliest_number_of_shared_servers_is_told_for_each_sample() -> None:
    states = np.arange(1, 9)
    times = np.full((2, 8), 1e6)
    departures = np.stack([1e-3 * np.minimum(states, 3), 1e-3 * np.minimum(states, 5)]) * times
    assert shared_servers(departures, times, np.arange(1, 9)).tolist() == [3, 5]
