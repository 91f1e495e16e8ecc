"""Intervals hold as often as they say, and published values come out to the last digit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mockforge.stats.intervals import newcombe, quantile_interval, wilson
from tests.unit.stats.test_autocorrelation import ar1


@pytest.mark.parametrize(
    ("hits_1", "count_1", "hits_2", "count_2", "expected"),
    [
        (56, 70, 48, 80, (0.2000, 0.0524, 0.3339)),
        (9, 10, 3, 10, (0.6000, 0.1705, 0.8090)),
        (0, 10, 0, 10, (0.0, -0.2775, 0.2775)),
        (10, 10, 0, 10, (1.0, 0.6075, 1.0)),
    ],
)
def test_newcombe_gives_the_published_values(
    hits_1: int, count_1: int, hits_2: int, count_2: int, expected: tuple[float, float, float]
) -> None:
    assert newcombe(hits_1, count_1, hits_2, count_2) == pytest.approx(expected, abs=5e-5)


def test_wilson_stays_within_nought_and_one() -> None:
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == 1
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("probability", [0.5, 0.95, 0.99])
def test_intervals_of_dependent_samples_hold_as_often_as_they_say(phi: float, probability: float) -> None:
    truth = {0.5: 0.0, 0.95: 1.6449, 0.99: 2.3263}[probability]
    held = 0
    for seed in range(150):
        interval = quantile_interval(ar1(phi, 3_000, seed), probability)
        held += interval.low <= truth <= interval.high
    assert held / 150 >= 0.88


def test_a_quantile_that_the_sample_cannot_bound_has_no_bound() -> None:
    values = np.random.default_rng(1).exponential(size=100)
    interval = quantile_interval(values, 0.99)
    assert interval.high == math.inf
    assert interval.low < interval.estimate


def test_an_empty_sample_has_no_estimate() -> None:
    interval = quantile_interval(np.zeros(0), 0.5)
    assert math.isnan(interval.estimate)
    assert (interval.low, interval.high) == (-math.inf, math.inf)


def test_more_values_make_the_interval_narrower() -> None:
    random = np.random.default_rng(2)
    widths = []
    for count in (200, 2_000, 20_000):
        interval = quantile_interval(random.normal(size=count), 0.9)
        widths.append(interval.high - interval.low)
    assert widths[0] > 2 * widths[1] > 4 * widths[2]
