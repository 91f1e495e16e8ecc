"""The gap's interval and noise, on runs whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mockforge.report.distances import Gap, gap_of, mean_gap
from tests.unit.report.runs import drawn_run


def test_the_interval_of_a_gap_holds_as_often_as_it_says() -> None:
    held = 0
    for seed in range(60):
        gap = gap_of([drawn_run(seed, 2_000)], [drawn_run(900 + seed, 2_000, median_ms=24)])
        estimate = gap.estimates()[0]
        held += estimate.low <= 0.2 <= estimate.high
    assert held >= 55


def test_two_runs_of_one_law_are_about_their_noise_apart() -> None:
    gaps = [gap_of([drawn_run(seed, 2_000)], [drawn_run(900 + seed, 2_000)]) for seed in range(30)]
    assert np.mean([gap.value / gap.noise for gap in gaps]) == pytest.approx(1, abs=0.2)
    assert all(gap.estimates()[0].low == 0 for gap in gaps)


def test_dependence_makes_more_noise() -> None:
    alone = gap_of([drawn_run(1, 3_000)], [drawn_run(2, 3_000)])
    dependent = gap_of([drawn_run(1, 3_000, phi=0.9)], [drawn_run(2, 3_000, phi=0.9)])
    assert dependent.noise > 2 * alone.noise


def test_repetitions_that_differ_are_the_noise() -> None:
    same = [drawn_run(seed, 2_000) for seed in range(3)]
    differing = [drawn_run(seed, 2_000, median_ms=ms) for seed, ms in enumerate((16, 20, 25))]
    mock = [drawn_run(9, 2_000)]
    assert gap_of(differing, mock).noise > 4 * gap_of(same, mock).noise
    assert gap_of(differing, mock).error > 2 * gap_of(same, mock).error


def test_of_a_few_requests_nothing_is_known_of_chance() -> None:
    assert math.isnan(gap_of([drawn_run(1, 5)], [drawn_run(2, 5)]).error)


def test_a_rare_operation_does_not_take_the_interval_from_the_others() -> None:
    often, rare = Gap(0.1, 0.02, 0.01), Gap(0.5, math.nan, math.nan)
    whole = mean_gap([often, rare], [0.99, 0.01])
    assert whole.value == pytest.approx(0.104)
    assert whole.noise == pytest.approx(0.0248)
    assert whole.error == pytest.approx(math.hypot(0.0099, 0.005))
    assert math.isnan(mean_gap([rare], [1.0]).error)
