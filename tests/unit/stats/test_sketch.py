"""The sketch against exact quantiles, and merging against sketching everything at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.stats.sketch import QuantileSketch

VALUES = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e12)), max_size=200)
LEVELS = (0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)


def sketch_of(values: list[float], accuracy: float = 0.005) -> QuantileSketch:
    sketch = QuantileSketch(accuracy)
    for value in values:
        sketch.add(value)
    return sketch


@given(VALUES.filter(bool), st.sampled_from([0.001, 0.005, 0.02]))
def test_every_quantile_is_within_the_accuracy_of_the_exact_one(values: list[float], accuracy: float) -> None:
    sketch = sketch_of(values, accuracy)
    for level in LEVELS:
        exact = float(np.quantile(values, level, method="inverted_cdf"))
        assert abs(sketch.quantile(level) - exact) <= accuracy * exact * (1 + 1e-9)


@given(VALUES, VALUES)
def test_merging_equals_sketching_the_concatenation(first: list[float], second: list[float]) -> None:
    merged = sketch_of(first)
    merged.merge(sketch_of(second))
    whole = sketch_of(first + second)
    assert (merged.count, merged.zeros) == (whole.count, whole.zeros)
    assert (merged.minimum, merged.maximum) == (whole.minimum, whole.maximum)
    for level in LEVELS:
        assert merged.quantile(level) == whole.quantile(level) or merged.count == 0


@given(VALUES.filter(bool))
def test_the_mean_is_exact(values: list[float]) -> None:
    assert sketch_of(values).mean == pytest.approx(sum(values) / len(values))


def test_the_ends_are_the_smallest_and_the_largest_value() -> None:
    sketch = sketch_of([3.0, 700.0, 41.0])
    assert sketch.quantile(0.0) == pytest.approx(3.0, rel=0.005)
    assert sketch.quantile(1.0) == pytest.approx(700.0, rel=0.005)


def test_what_is_not_above_zero_counts_as_zero() -> None:
    sketch = sketch_of([-5.0, 0.0, 10.0])
    assert (sketch.zeros, sketch.minimum, sketch.quantile(0.5)) == (2, 0.0, 0.0)


def test_an_empty_sketch_knows_nothing() -> None:
    assert math.isnan(QuantileSketch().quantile(0.5))
    assert math.isnan(QuantileSketch().mean)


def test_sketches_of_different_accuracy_do_not_merge() -> None:
    with pytest.raises(ValueError, match=r"accuracies differ: 0\.01 and 0\.02"):
        QuantileSketch(0.01).merge(QuantileSketch(0.02))
