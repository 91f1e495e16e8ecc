"""A Pareto tail is fitted where there is one, and refused where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mockforge.stats.tail import ParetoTail, anderson_darling, fit_exceedances, fit_tail


def pareto(shape: float, scale: float, count: int, seed: int = 1) -> NDArray[np.float64]:
    uniform = np.random.default_rng(seed).random(count)
    return np.asarray(scale / shape * ((1 - uniform) ** -shape - 1))


def test_moments_of_the_expected_order_statistics_give_the_law_back() -> None:
    """E[y_(i)] of an exponential law (shape 0, scale 1) is a sum of 1/(n-j)."""
    count = 500
    expected = np.cumsum(1 / np.arange(count, 0, -1))
    shape, scale = fit_exceedances(expected)
    assert shape == pytest.approx(0, abs=1e-9)
    assert scale == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("shape", "scale"), [(-0.2, 3.0), (0.1, 20.0), (0.3, 1.0)])
def test_a_simulated_law_is_recovered_on_average(shape: float, scale: float) -> None:
    fits = np.array([fit_exceedances(pareto(shape, scale, 1_000, seed)) for seed in range(200)])
    error = fits.std(axis=0) / np.sqrt(200)
    assert fits[:, 0].mean() == pytest.approx(shape, abs=float(4 * error[0]) + 0.01)
    assert fits[:, 1].mean() == pytest.approx(scale, abs=float(4 * error[1]) + 0.02 * scale)


def test_the_quantile_at_the_threshold_is_the_threshold() -> None:
    tail = ParetoTail(threshold=99, beyond=0.01, shape=0.2, scale=14)
    assert tail.at(0.99) == pytest.approx(99)
    assert tail.at(0.999) == pytest.approx(99 + 14 / 0.2 * (10**0.2 - 1))


def test_a_shape_of_zero_is_the_exponential_law() -> None:
    assert ParetoTail(10, 0.1, 0.0, 5).at(0.99) == pytest.approx(10 + 5 * np.log(10))


def test_the_tail_of_a_lognormal_sample_is_taken_and_holds_beyond_the_sample() -> None:
    sample = np.random.default_rng(3).lognormal(3, 0.6, 5_000)
    tail = fit_tail(sample)
    assert tail is not None
    truth = float(np.exp(3 + 0.6 * 3.0902))  # z at 99.9 %
    assert tail.at(0.999) == pytest.approx(truth, rel=0.2)


def test_the_tail_meets_the_sample_where_it_begins() -> None:
    sample = np.random.default_rng(4).exponential(20, 5_000)
    tail = fit_tail(sample)
    assert tail is not None
    assert tail.threshold == pytest.approx(float(np.quantile(sample, 1 - tail.beyond)), rel=0.05)


def test_a_second_mode_is_no_tail() -> None:
    random = np.random.default_rng(5)
    slow = random.random(5_000) < 0.02
    sample = np.where(slow, random.normal(300, 5, 5_000), random.lognormal(3, 0.2, 5_000))
    tail = fit_tail(sample)
    assert tail is None or tail.at(0.9999) < 330


def test_few_values_have_no_tail() -> None:
    assert fit_tail(np.random.default_rng(6).exponential(1, 400)) is None


def test_one_value_repeated_has_no_tail() -> None:
    assert fit_tail(np.full(10_000, 5.0)) is None


def test_the_gate_grows_with_the_misfit() -> None:
    good = pareto(0.1, 1, 200)
    assert anderson_darling(good, 0.1, 1) < 2.5 < anderson_darling(good + 1, 0.1, 1)
