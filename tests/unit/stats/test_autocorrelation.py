"""Dependent values are worth fewer independent ones, by the textbook's number."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mockforge.stats.autocorrelation import autocorrelation, autocorrelation_time, effective_size


def ar1(phi: float, count: int, seed: int = 1) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).normal(size=count) * np.sqrt(1 - phi**2)
    values = np.empty(count)
    values[0] = noise[0] / np.sqrt(1 - phi**2)
    for index in range(1, count):
        values[index] = phi * values[index - 1] + noise[index]
    return values


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_the_time_of_a_known_process_comes_out(phi: float) -> None:
    times = [autocorrelation_time(ar1(phi, 20_000, seed)) for seed in range(5)]
    assert float(np.mean(times)) == pytest.approx((1 + phi) / (1 - phi), rel=0.1)


def test_correlations_of_a_known_process_fall_as_its_powers() -> None:
    found = autocorrelation(ar1(0.8, 100_000))
    assert found[:6] == pytest.approx(0.8 ** np.arange(6), abs=0.03)


def test_alternating_values_are_worth_no_more_than_there_are() -> None:
    assert effective_size(np.tile([1.0, -1.0], 500)) == 1_000


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0]])
def test_series_that_tell_nothing_have_no_dependence(values: list[float]) -> None:
    assert effective_size(np.array(values)) == len(values)
