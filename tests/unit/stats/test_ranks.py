"""Ranks within groups, and Spearman's correlation."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.stats.ranks import correlation, levels, spearman


def test_levels_are_evenly_spread_around_zero() -> None:
    assert levels([30.0, 10.0, 20.0, 40.0]).tolist() == [0.125, -0.375, -0.125, 0.375]


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert levels([5.0, 1.0, 5.0, 9.0]).tolist() == [0.0, -0.375, 0.0, 0.375]


def test_levels_within_groups_know_nothing_of_other_groups() -> None:
    group = np.array([0, 1, 0, 1])
    assert levels([1.0, 100.0, 2.0, 50.0], group).tolist() == [-0.25, 0.25, 0.25, -0.25]


def test_an_empty_sample_has_no_levels_and_no_correlation() -> None:
    assert levels([]).size == 0
    assert spearman([], []) == 0.0


def test_any_rising_function_correlates_fully() -> None:
    values = np.array([0.1, 0.5, 2.0, 7.0])
    assert spearman(values, np.exp(values)) == pytest.approx(1.0)
    assert spearman(values, -(values**3)) == pytest.approx(-1.0)


def test_a_known_value() -> None:
    # d = (0, 1, 1, 2, 0): 1 - 6 * 6 / (5 * 24)
    assert spearman([1, 2, 3, 4, 5], [1, 3, 4, 2, 5]) == pytest.approx(0.7)


def test_the_mix_of_groups_does_not_pass_for_a_correlation() -> None:
    slow = np.array([0, 0, 1, 1] * 50)
    latency = np.tile([1.0, 2.0, 100.0, 200.0], 50)
    load = np.tile([1.0, 1.0, 9.0, 9.0], 50)
    assert spearman(latency, load) > 0.8
    assert spearman(latency, load, slow) == pytest.approx(0.0)


def test_a_constant_series_correlates_with_nothing() -> None:
    assert correlation(np.ones(4), np.arange(4.0)) == 0.0
