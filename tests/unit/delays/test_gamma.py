"""The gamma law's numerics, against closed forms and against themselves."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest

from mockforge.delays.gamma import gamma_cdf, gamma_inverse

NORMAL = NormalDist()


@pytest.mark.parametrize("value", [0.001, 0.5, 1.9, 2.1, 10.0, 40.0])
def test_the_distribution_function_has_its_closed_forms(value: float) -> None:
    assert gamma_cdf(1, value) == pytest.approx(1 - math.exp(-value), rel=1e-12)
    assert gamma_cdf(2, value) == pytest.approx(1 - math.exp(-value) * (1 + value), rel=1e-9)
    assert gamma_cdf(0.5, value) == pytest.approx(math.erf(math.sqrt(value)), rel=1e-12)


@pytest.mark.parametrize("shape", [0.05, 0.3, 1, 1.7, 10, 10_000])
def test_the_table_is_within_its_stated_error(shape: float) -> None:
    inverse = gamma_inverse(shape)
    for step in range(-59, 60):
        level = NORMAL.cdf(step / 10 + 0.031)
        value = inverse(level)
        if value > 1e-300:
            off = abs(gamma_cdf(shape, value) - level)
            assert off < 1e-5 * min(level, 1 - level), (shape, level)
