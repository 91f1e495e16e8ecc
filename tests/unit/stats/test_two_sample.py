"""The Wasserstein distance against closed forms and its own laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.stats.two_sample import wasserstein

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
