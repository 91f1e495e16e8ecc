"""Intervals for quantiles and proportions that keep their word, dependent samples included."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mockforge.stats.autocorrelation import effective_size

__all__ = ["Interval", "newcombe", "quantile_interval", "wilson"]

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its bounds; a bound that the sample cannot give is infinite.

    `effective` is the number of independent values that it rests on.
    """

    estimate: float
    low: float
    high: float
    effective: float


def quantile_interval(values: NDArray[np.float64], probability: float, confidence: float = 0.95) -> Interval:
    """The quantile of a series in its order of time, shape (n,), and its interval.

    Order statistics at the effective sample size: were n_eff values independent, the number of them below the
    quantile would be binomial, and the share of all values below it has that spread. n_eff counts the
    dependence of the indicator {x <= quantile}, not of x: a series may be dependent in its middle and not in
    its tail. Where n_eff is too small for a bound (p^n_eff > α/2), the bound is infinite.
    """
    count = values.size
    if count == 0:
        return Interval(math.nan, -math.inf, math.inf, 0.0)
    ordered = np.sort(values)
    estimate = float(np.quantile(ordered, probability))
    effective = min(effective_size(values <= estimate), float(count))
    z = _NORMAL.inv_cdf(0.5 + confidence / 2)
    low_share, high_share = _binomial_bounds(probability, effective, z)
    low = -math.inf if _beyond(1 - probability, effective, confidence) else _order(ordered, low_share)
    high = math.inf if _beyond(probability, effective, confidence) else _order(ordered, high_share)
    return Interval(estimate, low, high, effective)


def _binomial_bounds(probability: float, effective: float, z: float) -> tuple[float, float]:
    """Bounds of the observed share below the true quantile: the normal's, widened by half an observation."""
    spread = z * math.sqrt(probability * (1 - probability) / effective) + 0.5 / effective
    return probability - spread, probability + spread


def _beyond(probability: float, effective: float, confidence: float) -> bool:
    """Whether no order statistic bounds the quantile: P(all below it) = p^n_eff above α/2."""
    return effective * math.log(max(probability, 1e-300)) > math.log((1 - confidence) / 2)


def _order(ordered: NDArray[np.float64], share: float) -> float:
    return float(np.quantile(ordered, min(max(share, 0.0), 1.0)))


def wilson(hits: float, count: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (1927) of a proportion; (0, 1) for an empty sample."""
    if count <= 0:
        return 0.0, 1.0
    z2 = _NORMAL.inv_cdf(0.5 + confidence / 2) ** 2
    share = hits / count
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count * count))) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(
    hits_1: float, count_1: float, hits_2: float, count_2: float, confidence: float = 0.95
) -> tuple[float, float, float]:
    """The difference of two proportions, p1 - p2, and its interval (Newcombe 1998, method 10)."""
    p1, p2 = (hits / count if count else math.nan for hits, count in ((hits_1, count_1), (hits_2, count_2)))
    low_1, high_1 = wilson(hits_1, count_1, confidence)
    low_2, high_2 = wilson(hits_2, count_2, confidence)
    difference = p1 - p2
    return (
        difference,
        difference - math.hypot(p1 - low_1, high_2 - p2),
        difference + math.hypot(high_1 - p1, p2 - low_2),
    )
