"""The quantile table follows the sample, and claims nothing beyond it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from mockforge.delays.distributions import Quantiles, compile_distribution
from mockforge.learning.latency import LatencyFit, fit_latency, pooled_ns, supported

MS = 1_000_000
Sample = NDArray[np.float64]

LAWS: Mapping[str, Callable[[Generator, int], Sample]] = {
    "lognormal": lambda rng, size: rng.lognormal(np.log(20), 0.4, size),
    "heavy tail": lambda rng, size: rng.lognormal(np.log(5), 1.2, size),
    "bimodal": lambda rng, size: np.where(
        rng.random(size) < 0.8, rng.normal(2, 0.1, size), rng.normal(80, 4, size)
    ),
    "shifted exponential": lambda rng, size: 3 + rng.exponential(10, size),
    "two values": lambda rng, size: np.where(rng.random(size) < 0.97, 1.0, 250.0),
    "narrow": lambda rng, size: rng.uniform(9.99, 10.01, size),
}


def drawn(law: str, size: int) -> Sample:
    return np.maximum(LAWS[law](np.random.default_rng(3), size), 0.05)


def fit(sample_ms: Sample | list[float]) -> LatencyFit:
    return fit_latency(np.asarray(np.asarray(sample_ms) * MS, dtype=np.int64))


def points_of(fitted: LatencyFit) -> dict[float, float]:
    return cast("dict[float, float]", fitted.distribution.parameters["points"])


def table_of(fitted: LatencyFit) -> Quantiles:
    table = compile_distribution(fitted.distribution)
    assert isinstance(table, Quantiles)
    return table


@pytest.mark.parametrize("law", LAWS)
def test_the_table_gives_back_the_quantiles_of_a_known_law(law: str) -> None:
    sample = drawn(law, 5_000)
    fitted = fit(sample)
    table = table_of(fitted)
    assert fitted.count == 5_000
    for level in (0.5, 0.9, 0.95, 0.99):
        assert table.at(level) / MS == pytest.approx(float(np.quantile(sample, level)), rel=0.02)
    assert [fitted.p50_ms, fitted.p95_ms, fitted.p99_ms] == pytest.approx(
        [float(each) for each in np.quantile(sample, [0.5, 0.95, 0.99])], rel=1e-6
    )


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("size", "at_most"), [(2, 1.0), (30, 0.6), (200, 0.1), (5_000, 0.02)])
def test_the_table_is_off_by_little_and_says_by_how_much(law: str, size: int, at_most: float) -> None:
    sample = drawn(law, size)
    fitted = fit(sample)
    table = table_of(fitted)
    middles = (np.arange(size) + 0.5) / size
    law_ms = np.array([table.at(float(level)) for level in middles]) / MS
    measured = float(np.mean(np.abs(law_ms - np.sort(sample))) / sample.mean())
    assert fitted.error == pytest.approx(measured, abs=1e-4)
    assert fitted.error < at_most


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("size", [1, 2, 3, 30, 1_000])
def test_points_rise_stay_within_the_sample_and_are_few(law: str, size: int) -> None:
    sample = drawn(law, size)
    points = points_of(fit(sample))
    assert all(level < after for level, after in itertools.pairwise(points))
    assert all(value <= after for value, after in itertools.pairwise(points.values()))
    assert min(points.values()) >= sample.min() * (1 - 5e-4)
    assert max(points.values()) <= sample.max() * (1 + 5e-4)
    assert len(points) == fit(sample).points <= 40


def test_the_table_reaches_from_the_least_to_the_largest_of_the_sample() -> None:
    points = points_of(fit([5.0, 1.0, 3.0, 80.0]))
    assert (points[0], points[100]) == (1.0, 80.0)


def test_one_latency_is_a_table_of_one_point() -> None:
    fitted = fit([12.5])
    assert points_of(fitted) == {0: 12.5}
    assert (fitted.count, fitted.p50_ms, fitted.p99_ms) == (1, 12.5, 12.5)
    assert fitted.error == pytest.approx(0, abs=1e-9)


def test_equal_latencies_need_few_points_and_have_no_error() -> None:
    fitted = fit([7.0] * 500)
    assert set(points_of(fitted).values()) == {7.0}
    assert fitted.points <= 3
    assert fitted.error == pytest.approx(0, abs=1e-9)


def test_latencies_of_nothing_have_a_table_still() -> None:
    table = table_of(fit_latency(np.zeros(10, dtype=np.int64)))
    assert 0 < table.at(0.5) <= 0.01 * MS


def test_the_order_of_the_sample_does_not_matter() -> None:
    sample = drawn("lognormal", 500)
    assert fit(sample) == fit(sample[::-1])


def test_values_are_written_with_as_many_digits_as_people_read() -> None:
    assert all(float(f"{value:.4g}") == value for value in points_of(fit(drawn("heavy tail", 500))).values())


def test_callers_that_left_make_the_law_longer_not_shorter() -> None:
    rng = np.random.default_rng(8)
    truth = rng.exponential(20, 20_000)
    patience = rng.exponential(40, 20_000)
    seen = truth[truth <= patience] * MS
    left = patience[truth > patience] * MS
    fitted = fit_latency(seen.astype(np.int64), left.astype(np.int64))
    table = table_of(fitted)
    assert fitted.censored == left.size
    for level in (0.5, 0.9, 0.95):
        assert table.at(level) / MS == pytest.approx(-20 * np.log(1 - level), rel=0.08)


def test_a_large_sample_with_a_tail_goes_on_beyond_its_longest_latency() -> None:
    sample = drawn("lognormal", 5_000)
    fitted = fit_latency((sample * MS).astype(np.int64), tail=True)
    assert fitted.tail is not None
    law = table_of(fitted)
    assert law.at(0.9999) / MS == pytest.approx(20 * np.exp(0.4 * 3.719), rel=0.25)
    assert law.at(1 - 1e-12) / MS <= 3.01 * sample.max()
    for level in (0.5, 0.9, 0.95, 0.99):
        assert law.at(level) / MS == pytest.approx(float(np.quantile(sample, level)), rel=0.03)
    assert fitted.error < 0.02


def test_two_modes_are_not_extrapolated() -> None:
    sample = drawn("two values", 5_000)
    fitted = fit_latency((sample * MS).astype(np.int64), tail=True)
    assert fitted.tail is None
    assert max(points_of(fitted).values()) == 250


@pytest.mark.parametrize(("probability", "least"), [(0.5, 6), (0.95, 72), (0.99, 368)])
def test_a_quantile_is_supported_from_the_sample_that_can_bound_it(probability: float, least: int) -> None:
    assert supported(probability, least)
    assert not supported(probability, least - 1)


def test_few_samples_take_the_shape_of_their_parent_at_their_own_median() -> None:
    pooled = pooled_ns(np.array([9, 10, 11]) * MS, np.array([0.5, 1.0, 1.0, 4.0]))
    assert (pooled / MS).tolist() == [5, 10, 10, 40]
