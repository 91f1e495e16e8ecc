"""The incomplete beta function and Student's quantiles, against tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mockforge.stats.beta import incomplete_beta, student_probability, student_quantile


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(1, 12.706205), (2, 4.302653), (5, 2.570582), (30, 2.042272), (math.inf, 1.959964)],
)
def test_students_quantiles_are_those_of_the_tables(freedom: float, expected: float) -> None:
    assert student_quantile(0.975, freedom) == pytest.approx(expected, abs=5e-7)


def test_students_law_is_even() -> None:
    assert student_probability(-1.3, 4) == pytest.approx(1 - student_probability(1.3, 4))


def test_known_values_of_the_incomplete_beta() -> None:
    x = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    assert incomplete_beta(1, 1, x) == pytest.approx(x)
    assert incomplete_beta(2, 1, x) == pytest.approx(x**2)
    assert incomplete_beta(2, 3, x) == pytest.approx(6 * x**2 - 8 * x**3 + 3 * x**4)
