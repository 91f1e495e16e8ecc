"""Intervals for quantiles, means and proportions that keep their word, dependent samples included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mockforge.stats.autocorrelation import cautious_time
from mockforge.stats.products import inner

__all__ = [
    "Interval",
    "mean_interval",
    "newcombe",
    "quantile_bounds",
    "quantile_interval",
    "quantile_intervals",
    "share_interval",
    "wilson",
]

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
    """The quantile of a series in its order of time, and its interval: see `quantile_intervals`."""
    return quantile_intervals(values, (probability,), confidence)[0]


def quantile_intervals(
    values: NDArray[np.float64],
    probabilities: Sequence[float],
    confidence: float = 0.95,
    weights: NDArray[np.float64] | None = None,
) -> list[Interval]:
    """The quantiles of a series in its order of time, shape (n,), weighted or not, and their intervals.

    Order statistics at the effective sample size: were n_eff values independent, the number of them below the
    quantile would be binomial, and the share of all values below it has that spread. n_eff counts the
    dependence of the indicator {x <= quantile}, not of x: a series may be dependent in its middle and not in
    its tail; and uneven weights (Kish's design effect). Where n_eff is too small for a bound (p^n_eff > α/2),
    the bound is infinite.
    """
    if not _weighs(values, weights):
        return [Interval(math.nan, -math.inf, math.inf, 0.0) for _ in probabilities]
    ordered = _Ordered.of(values, weights)
    return [_bounded(values, ordered, probability, confidence) for probability in probabilities]


@dataclass(frozen=True, slots=True)
class _Ordered:
    """Sorted values, each at its share of the weight, and how many even weights theirs are worth."""

    values: NDArray[np.float64]
    shares: NDArray[np.float64] | None
    worth: float

    @classmethod
    def of(cls, values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> _Ordered:
        if weights is None:
            return cls(np.sort(values), None, float(values.size))
        order = np.argsort(values, kind="stable")
        heavy = weights[order]
        shares = (np.cumsum(heavy) - heavy / 2) / heavy.sum()
        return cls(values[order], shares, _worth(weights))

    def at(self, share: float) -> float:
        """The value at a share of the whole, on straight lines between neighbours (type 7 where even)."""
        share = min(max(share, 0.0), 1.0)
        if self.shares is not None:
            return float(np.interp(share, self.shares, self.values))
        place = share * (self.values.size - 1)
        below = int(place)
        lower, upper = self.values[below], self.values[min(below + 1, self.values.size - 1)]
        return float(lower + (upper - lower) * (place - below))


def _weighs(values: NDArray[np.float64] | NDArray[np.bool_], weights: NDArray[np.float64] | None) -> bool:
    """Whether there is any value, and one that counts."""
    return values.size > 0 and (weights is None or bool(weights.any()))


def _worth(weights: NDArray[np.float64]) -> float:
    """The number of even weights that these are worth (Kish): for a mean, uneven ones count for less."""
    return float(weights.sum()) ** 2 / inner(weights, weights)


def _bounded(
    values: NDArray[np.float64], ordered: _Ordered, probability: float, confidence: float
) -> Interval:
    estimate = ordered.at(probability)
    effective = ordered.worth / cautious_time(values <= estimate)
    z = _NORMAL.inv_cdf(0.5 + confidence / 2)
    low_share, high_share = _binomial_bounds(probability, effective, z)
    low = -math.inf if _beyond(1 - probability, effective, confidence) else ordered.at(low_share)
    high = math.inf if _beyond(probability, effective, confidence) else ordered.at(high_share)
    return Interval(estimate, low, high, effective)


def _binomial_bounds(probability: float, effective: float, z: float) -> tuple[float, float]:
    """Bounds of the observed share below the true quantile: the normal's, widened by half an observation."""
    spread = z * math.sqrt(probability * (1 - probability) / effective) + 0.5 / effective
    return probability - spread, probability + spread


def _beyond(probability: float, effective: float, confidence: float) -> bool:
    """Whether no order statistic bounds the quantile: P(all below it) = p^n_eff above α/2."""
    return effective * math.log(max(probability, 1e-300)) > math.log((1 - confidence) / 2)


def quantile_bounds(
    ordered: NDArray[np.float64],
    probabilities: NDArray[np.float64],
    effective: NDArray[np.float64],
    confidence: float = 0.95,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The bounds of many quantiles of a sorted sample, shape (n,), at known effective sizes.

    As `quantile_intervals` has them; all but the sample have shape (p,), bounds that there are not are NaN.
    """
    z = _NORMAL.inv_cdf(0.5 + confidence / 2)
    half = z * np.sqrt(probabilities * (1 - probabilities) / effective) + 0.5 / effective
    low = np.quantile(ordered, np.clip(probabilities - half, 0, 1))
    high = np.quantile(ordered, np.clip(probabilities + half, 0, 1))
    chance = math.log((1 - confidence) / 2)
    with np.errstate(divide="ignore"):
        low[effective * np.log(1 - probabilities) > chance] = np.nan
        high[effective * np.log(probabilities) > chance] = np.nan
    return low, high


def mean_interval(
    values: NDArray[np.float64], weights: NDArray[np.float64] | None = None, confidence: float = 0.95
) -> Interval:
    """The mean of a series in its order of time, shape (n,), and its interval; dependence counts."""
    if values.size < 2 or not _weighs(values, weights):
        alone = float(values[0]) if values.size == 1 else math.nan
        return Interval(alone, -math.inf, math.inf, float(values.size))
    mean = float(np.average(values, weights=weights))
    worth = float(values.size) if weights is None else _worth(weights)
    effective = worth / cautious_time(values)
    half = _NORMAL.inv_cdf(0.5 + confidence / 2) * float(values.std(ddof=1)) / math.sqrt(effective)
    return Interval(mean, mean - half, mean + half, effective)


def share_interval(hits: NDArray[np.bool_], weights: NDArray[np.float64] | None = None) -> Interval:
    """The true share of a series in its order of time, and Wilson's interval; bursts count for less."""
    if not _weighs(hits, weights):
        return Interval(math.nan, 0.0, 1.0, 0.0)
    share = float(np.average(hits, weights=weights))
    worth = float(hits.size) if weights is None else _worth(weights)
    effective = worth / cautious_time(hits)
    low, high = wilson(share * effective, effective)
    return Interval(share, low, high, effective)


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
