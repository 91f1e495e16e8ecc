"""The Wasserstein distance against closed forms and its own laws."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mockforge.stats.two_sample import distance, inhomogeneity, wasserstein

SAMPLE = st.lists(st.floats(0, 1e4), min_size=1, max_size=40)


@given(SAMPLE)
def test_a_sample_is_no_distance_from_itself(values: list[float]) -> None:
    assert wasserstein(values, values[::-1]) == 0.0


@given(SAMPLE, SAMPLE)
def test_the_distance_is_the_same_from_either_side(a: list[float], b: list[float]) -> None:
    assert wasserstein(a, b) == pytest.approx(wasserstein(b, a), rel=1e-9, abs=1e-9)


@given(SAMPLE, SAMPLE, SAMPLE)
def test_a_detour_is_never_shorter(a: list[float], b: list[float], c: list[float]) -> None:
    assert wasserstein(a, c) <= wasserstein(a, b) + wasserstein(b, c) + 1e-6


@given(SAMPLE, st.floats(0, 1e4))
def test_shifting_a_sample_moves_it_by_the_shift(values: list[float], shift: float) -> None:
    assert wasserstein(values, [value + shift for value in values]) == pytest.approx(shift, abs=1e-6)


@given(SAMPLE, st.floats(1, 20))
def test_scaling_a_sample_moves_it_by_the_scale_less_one_of_its_mean(
    values: list[float], scale: float
) -> None:
    expected = (scale - 1) * float(np.mean(values))
    assert wasserstein(values, [value * scale for value in values]) == pytest.approx(expected, abs=1e-6)


@given(SAMPLE, SAMPLE, st.integers(2, 4))
def test_repeating_every_value_changes_nothing(a: list[float], b: list[float], times: int) -> None:
    assert wasserstein(a * times, b) == pytest.approx(wasserstein(a, b), rel=1e-6, abs=1e-6)


def test_samples_of_one_size_are_their_sorted_values_apart() -> None:
    assert wasserstein([1, 5, 3], [9, 2, 4]) == pytest.approx((1 + 1 + 4) / 3)


def test_samples_of_different_sizes_are_the_area_between_their_steps_apart() -> None:
    assert wasserstein([0], [0, 1, 2, 3]) == pytest.approx(1.5)


def test_two_uniform_laws_are_half_the_difference_of_their_widths_apart() -> None:
    grid = (np.arange(10_000) + 0.5) / 10_000
    assert wasserstein(grid, 2 * grid[::2]) == pytest.approx(0.5, abs=1e-3)


def test_an_empty_sample_is_at_no_known_distance() -> None:
    assert math.isnan(wasserstein([], [1]))
    assert math.isnan(wasserstein([1], []))


def test_the_inhomogeneity_is_that_of_all_pairs() -> None:
    random = np.random.default_rng(1)
    a, b = random.random(30), random.random(20) * 1.3

    def apart(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        return float(np.abs(x[:, None] - y[None, :]).mean())

    expected = (2 * apart(a, b) - apart(a, a) - apart(b, b)) / (2 * apart(a, b))
    assert inhomogeneity(a, b) == pytest.approx(expected)


@given(SAMPLE)
def test_the_same_sample_has_no_inhomogeneity(values: list[float]) -> None:
    assert inhomogeneity(values, values) == 0


def test_the_inhomogeneity_does_not_see_units_and_offsets() -> None:
    a, b = np.array([1.0, 2, 3, 9]), np.array([2.0, 4, 4])
    assert inhomogeneity(3 + 7 * a, 3 + 7 * b) == pytest.approx(inhomogeneity(a, b))


@pytest.mark.parametrize(("scale", "expected"), [(1.05, 0.002), (1.10, 0.009), (1.20, 0.031), (1.50, 0.131)])
def test_the_inhomogeneity_of_lognormals_a_scale_apart(scale: float, expected: float) -> None:
    levels = (np.arange(4_000) + 0.5) / 4_000
    law = np.exp(0.5 * np.array([NormalDist().inv_cdf(level) for level in levels]))
    assert inhomogeneity(law, scale * law) == pytest.approx(expected, abs=6e-4)


def test_weights_count_as_repetitions() -> None:
    once = distance([1, 2, 2, 5], [1, 3, 3, 3])
    weighted = distance([1, 2, 5], [1, 3], np.array([1.0, 2, 1]), np.array([1.0, 3]))
    assert weighted.wasserstein == pytest.approx(once.wasserstein)


def test_chance_and_error_are_those_of_simulated_pairs() -> None:
    random = np.random.default_rng(3)
    size, root = 2_000, math.sqrt(2 / 2_000)
    same = [wasserstein(random.lognormal(0, 0.6, size), random.lognormal(0, 0.6, size)) for _ in range(200)]
    apart = [
        distance(random.lognormal(0, 0.6, size), 1.2 * random.lognormal(0, 0.6, size)) for _ in range(200)
    ]
    assert np.mean([each.by_chance for each in apart]) * root == pytest.approx(np.mean(same), rel=0.15)
    assert np.mean([each.error for each in apart]) * root == pytest.approx(
        np.std([each.wasserstein for each in apart]), rel=0.15
    )
