"""The pictures' curves: thin, honest about where the samples end, and equal where the runs are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mockforge.report.curves import (
    MOST_POINTS,
    Sample,
    known_curve,
    known_shift,
    percentile_curves,
    shift_curve,
    spread,
)

SORTED = st.lists(st.floats(1e-3, 1e5), min_size=1, max_size=50).map(
    lambda values: np.sort(np.array(values, dtype=np.float64))
)


def test_a_million_samples_make_no_longer_a_curve_than_a_thousand() -> None:
    large = np.sort(np.random.default_rng(1).exponential(10, 1_000_000))
    for curve in (
        *percentile_curves(Sample(large), Sample(large[::1000])),
        shift_curve(Sample(large), Sample(large)),
    ):
        assert curve.x.size == curve.y.size <= MOST_POINTS


def test_a_curve_ends_where_its_samples_do() -> None:
    long, short = percentile_curves(Sample(np.arange(1.0, 10_001.0)), Sample(np.arange(1.0, 101.0)))
    assert long.x[-1] == pytest.approx(4.0)
    assert 1.9 < short.x[-1] <= 2.0


def test_both_curves_look_at_the_same_percentiles() -> None:
    long, short = percentile_curves(Sample(np.arange(1.0, 10_001.0)), Sample(np.arange(1.0, 101.0)))
    assert np.array_equal(long.x[: short.x.size], short.x)


def test_a_mock_that_is_a_tenth_slower_throughout_has_a_flat_shift() -> None:
    real = np.sort(np.random.default_rng(2).lognormal(2, 0.5, 500))
    assert shift_curve(Sample(real), Sample(real * 1.1)).y == pytest.approx(np.full(MOST_POINTS, 0.1))


@given(SORTED, SORTED)
def test_curves_rise_and_shares_sum_up(a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    for curve in percentile_curves(Sample(a), Sample(b)):
        assert np.all(np.diff(curve.y) >= -1e-6 * curve.y[1:])
    both = spread(a, b)
    assert both.a.sum() == pytest.approx(1.0)
    assert both.b.sum() == pytest.approx(1.0)
    assert both.edges_ms.size == both.a.size + 1
    assert np.all(np.diff(both.edges_ms) > 0)


def test_latencies_of_zero_fall_into_the_first_bin() -> None:
    both = spread(np.array([0.0, 0.0]), np.array([0.0, 5.0]))
    assert both.a[0] == 1.0
    assert both.b.tolist()[-1] == 0.5


def test_a_band_narrows_with_the_independent_samples_and_ends_where_they_cannot_bound() -> None:
    ordered = np.sort(np.random.default_rng(3).lognormal(2, 0.5, 5_000))
    wide, _ = percentile_curves(Sample(ordered, ((0.5, 500.0), (0.999, 500.0))), Sample(ordered))
    narrow, bare = percentile_curves(Sample(ordered, ((0.5, 5_000.0), (0.999, 5_000.0))), Sample(ordered))
    median = int(np.argmin(np.abs(narrow.x - np.log10(2))))
    assert narrow.low[median] < narrow.y[median] < narrow.high[median]
    ratio = (wide.high - wide.low)[median] / (narrow.high - narrow.low)[median]
    assert ratio == pytest.approx(np.sqrt(10), rel=0.3)
    assert np.isnan(wide.high[wide.x > 2.5]).all()
    assert np.isfinite(narrow.high[narrow.x < 2.9]).all()
    assert np.isnan(bare.low).all()


def test_the_band_of_a_shift_is_that_of_both_sides() -> None:
    ordered = np.sort(np.random.default_rng(4).lognormal(2, 0.5, 2_000))
    known = Sample(ordered, ((0.5, 2_000.0),))
    both, one = shift_curve(known, known), shift_curve(known, Sample(ordered))
    assert np.isnan(one.low).all()
    median = int(np.argmin(np.abs(both.x - np.log10(2))))
    assert both.low[median] < 0 < both.high[median]


def test_sides_known_by_percentiles_are_compared_where_both_are() -> None:
    real = known_curve([(0.5, 10.0), (0.95, 20.0), (0.99, 40.0)])
    mock = known_curve([(0.5, 11.0), (0.99, 30.0)])
    shift = known_shift(real, mock)
    assert shift.x == pytest.approx([np.log10(2), 2.0])
    assert shift.y == pytest.approx([0.1, -0.25])
