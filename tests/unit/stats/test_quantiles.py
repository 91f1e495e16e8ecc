"""Quantiles of samples, and quantile tables read backwards."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.stats.quantiles import harrell_davis, interpolate_log, quantiles

LATENCIES = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=60)


def test_the_textbook_sample_has_its_type_7_quantiles() -> None:
    assert quantiles([1, 2, 3, 4], (0.0, 0.25, 0.5, 1.0)).tolist() == [1.0, 1.75, 2.5, 4.0]


def test_an_empty_sample_has_no_quantiles() -> None:
    assert np.isnan(quantiles([], (0.5, 0.99))).tolist() == [True, True]


def test_one_value_is_every_quantile() -> None:
    assert quantiles([7], (0.0, 0.5, 1.0)).tolist() == [7.0, 7.0, 7.0]


@given(LATENCIES)
def test_the_order_of_the_values_does_not_matter(values: list[float]) -> None:
    levels = (0.1, 0.5, 0.9)
    assert quantiles(values, levels).tolist() == quantiles(values[::-1], levels).tolist()


@given(LATENCIES)
def test_quantiles_rise_with_their_probability_and_stay_within_the_sample(values: list[float]) -> None:
    found = quantiles(values, (0.0, 0.25, 0.5, 0.75, 1.0))
    assert np.all(np.diff(found) >= -1e-9 * found[1:])
    assert found[0] == min(values)
    assert found[-1] == max(values)


def test_a_table_gives_back_its_own_points() -> None:
    table = ([0.0, 0.5, 0.9, 1.0], [1.0, 10.0, 40.0, 200.0])
    assert interpolate_log([0.0, 0.5, 0.9, 1.0], *table) == pytest.approx(table[1])


def test_half_way_between_two_points_lies_their_geometric_mean() -> None:
    assert interpolate_log([0.5], [0.0, 1.0], [1.0, 100.0]) == pytest.approx([10.0])


def test_beyond_the_table_its_ends_hold() -> None:
    assert interpolate_log([-1.0, 2.0], [0.0, 1.0], [3.0, 9.0]) == pytest.approx([3.0, 9.0])


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_table_read_backwards_never_falls(first: float, second: float) -> None:
    low, high = sorted((first, second))
    found = interpolate_log([low, high], [0.0, 0.3, 0.8, 1.0], [1.0, 4.0, 4.0, 90.0])
    assert found[0] <= found[1] * (1 + 1e-12)
    assert not math.isnan(found[0])


@pytest.mark.parametrize(("probability", "expected"), [(0.5, 5.54611733), (0.9, 64.10289084)])
def test_harrell_and_davis_give_the_published_values(probability: float, expected: float) -> None:
    values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100]
    assert harrell_davis(values, (probability,))[0] == pytest.approx(expected, abs=5e-9)


def test_harrell_davis_of_a_large_sample_is_the_quantile() -> None:
    values = np.random.default_rng(1).exponential(size=1_000)
    assert harrell_davis(values, (0.5, 0.95)) == pytest.approx(quantiles(values, (0.5, 0.95)), rel=0.02)


def test_harrell_davis_of_nothing_is_unknown() -> None:
    assert np.isnan(harrell_davis([], (0.5,))).all()
