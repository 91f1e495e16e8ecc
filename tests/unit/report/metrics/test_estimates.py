"""Two sides' intervals make one of their difference: Newcombe's for proportions; repetitions widen it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mockforge.report.metrics.estimates import estimate
from mockforge.report.metrics.registry import KINDS
from mockforge.stats.intervals import Interval, newcombe, wilson

P50, ERRORS = KINDS["p50"], KINDS["error_rate"]


def around(value: float, share: float) -> Interval:
    return Interval(value, value / (1 + share), value * (1 + share), 100)


def proportion(hits: float, count: float) -> Interval:
    return Interval(hits / count, *wilson(hits, count), count)


@pytest.mark.parametrize("hits", [(56, 70, 48, 80), (9, 10, 3, 10), (0, 10, 0, 10), (10, 10, 0, 10)])
def test_a_difference_of_proportions_has_newcombes_interval(hits: tuple[int, int, int, int]) -> None:
    found = estimate(ERRORS, [proportion(*hits[2:])], [proportion(*hits[:2])])
    assert (found.deviation, found.low, found.high) == pytest.approx(newcombe(*hits))


def test_half_widths_of_a_ratio_add_in_quadrature_on_the_logarithm() -> None:
    found = estimate(P50, [around(10, 0.1)], [around(12, 0.1)])
    assert found.deviation == pytest.approx(0.2)
    assert found.high == pytest.approx(1.2 * 1.1 ** math.sqrt(2) - 1)


def test_a_figure_of_one_run_is_its_own_to_the_last_digit() -> None:
    found = estimate(P50, [around(20.1, 0.1)], [around(30.3, 0.1)])
    assert (found.a, found.b) == (20.1, 30.3)


def test_repetitions_that_differ_more_than_their_samples_widen_the_interval() -> None:
    once = estimate(P50, [around(10, 0.01)], [around(10.1, 0.01)])
    often = estimate(
        P50, [around(x, 0.01) for x in (9, 10, 11)], [around(x, 0.01) for x in (9.2, 10.1, 11.2)]
    )
    assert often.high - often.low > 5 * (once.high - once.low)
    assert often.freedom == pytest.approx(4, abs=0.1)


def test_repetitions_that_agree_narrow_it() -> None:
    once = estimate(P50, [around(10, 0.1)], [around(10, 0.1)])
    often = estimate(P50, [around(10, 0.1)] * 4, [around(10, 0.1)] * 4)
    assert often.high == pytest.approx(math.expm1(math.log1p(once.high) / 2))


def test_intervals_over_repetitions_hold_as_often_as_they_say() -> None:
    random = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        sides = [
            [around(float(np.exp(x)), 0.001) for x in random.normal(scale=0.1, size=3)] for _ in range(2)
        ]
        found = estimate(P50, *sides)
        held += found.low <= 0 <= found.high
    assert held / 400 >= 0.92


def test_a_side_that_says_nothing_leaves_no_estimate() -> None:
    assert math.isnan(estimate(P50, [around(10, 0.1)], []).deviation)
    assert math.isnan(estimate(P50, [Interval(0.0, 0.0, 0.0, 1)], [around(1, 0.1)]).deviation)


def test_the_chance_of_an_estimate_at_its_bound_is_one_in_forty() -> None:
    found = estimate(P50, [around(10, 0.02)], [around(12, 0.02)])
    assert found.chance_beyond(found.low) == pytest.approx(0.025, abs=1e-6)
    assert found.chance_beyond(0.5) > 0.99
