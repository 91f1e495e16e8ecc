"""The incomplete beta function, and what rests on it: Student's quantiles, Harrell–Davis' weights."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["incomplete_beta", "student_probability", "student_quantile"]

_TINY = 1e-300
_TERMS = 400
_STEPS = 60
_ENOUGH = 1e-15


def incomplete_beta(a: float, b: float, x: ArrayLike) -> NDArray[np.float64]:
    """The regularised I_x(a, b) for x in 0..1, by its continued fraction (Lentz), whichever end converges."""
    at = np.atleast_1d(np.asarray(x, dtype=np.float64))
    found = np.where(at >= 1, 1.0, 0.0)
    inside = (at > 0) & (at < 1)
    near = inside & (at <= (a + 1) / (a + b + 2))
    far = inside & ~near
    found[near] = _series(a, b, at[near])
    found[far] = 1 - _series(b, a, 1 - at[far])
    return found


def _series(a: float, b: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = np.exp(logarithm + a * np.log(x) + b * np.log1p(-x)) / a
    c = np.ones_like(x)
    d = 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    fraction = d.copy()
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            fraction = fraction * d * c
        if np.all(np.abs(d * c - 1) < _ENOUGH):
            break
    return front * fraction


def _away_from_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(values) < _TINY, _TINY, values)


def student_quantile(probability: float, freedom: float) -> float:
    """Student's t at a probability above a half, with `freedom` degrees; the normal's where infinite."""
    normal = NormalDist().inv_cdf(probability)
    if math.isinf(freedom):
        return normal
    # The law is concave here, so that Newton's steps from the left never pass the root.
    t = normal
    for _ in range(_STEPS):
        step = (probability - student_probability(t, freedom)) / _student_density(t, freedom)
        t += step
        if abs(step) < 1e-12 * t:
            break
    return t


def _student_density(t: float, freedom: float) -> float:
    scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(scale - (freedom + 1) / 2 * math.log1p(t * t / freedom))


def student_probability(t: float, freedom: float) -> float:
    """The probability of Student's t, with `freedom` degrees (the normal's where infinite), up to `t`."""
    if math.isinf(freedom):
        return 0.5 * math.erfc(-t / math.sqrt(2))
    beyond = 0.5 * float(incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))[0])
    return beyond if t < 0 else 1 - beyond
