"""How far two samples are apart: areas between their distribution functions F and G."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mockforge.stats.products import inner

__all__ = ["Distance", "distance", "inhomogeneity", "wasserstein"]

_Weights = NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class Distance:
    """Two samples' distance, in the unit of their values where nothing else is said.

    `wasserstein` is the first Wasserstein distance, ∫|F - G|. `inhomogeneity` is the energy statistic's
    coefficient H in 0..1, 0 for the same law. `by_chance` and `error` are for samples with
    `1/n + 1/m` = 1, and shrink with that sum's root: `by_chance` is the distance that two samples of one law,
    both together, have on average; `error` is the standard deviation of this distance.
    """

    wasserstein: float
    inhomogeneity: float
    by_chance: float
    error: float


def distance(a: ArrayLike, b: ArrayLike, weights_a: _Weights = None, weights_b: _Weights = None) -> Distance:
    """The distance of two samples, shapes (n,) and (m,), weighted or not; NaN where either is empty."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.size == 0 or y.size == 0:
        return Distance(math.nan, math.nan, math.nan, math.nan)
    both, f, g = _laws(x, y, weights_a, weights_b)
    widths, difference = np.diff(both), f - g
    crossed = float(np.sum((f * (1 - g) + g * (1 - f)) * widths))
    pooled = (f + g) / 2
    chance = math.sqrt(2 / math.pi) * float(np.sum(np.sqrt(pooled * (1 - pooled)) * widths))
    influence = np.concatenate([[0.0], np.cumsum(np.sign(difference) * widths)])
    heights = np.diff(np.concatenate([[0.0], (f + g) / 2, [1.0]]))
    variance = inner(heights, influence**2) - inner(heights, influence) ** 2
    return Distance(
        wasserstein=float(np.sum(np.abs(difference) * widths)),
        inhomogeneity=float(np.sum(difference**2 * widths)) / crossed if crossed > 0 else 0.0,
        by_chance=chance,
        error=math.sqrt(max(variance, 0.0)),
    )


def wasserstein(a: ArrayLike, b: ArrayLike) -> float:
    """The first Wasserstein distance: the area between the two empirical distribution functions.

    In the unit of the values; for samples of one size it is `mean |a_(i) - b_(i)|`.
    NaN when either sample is empty.
    """
    x = np.sort(np.asarray(a, dtype=np.float64))
    y = np.sort(np.asarray(b, dtype=np.float64))
    if x.size and x.size == y.size:
        return float(np.mean(np.abs(x - y)))
    return distance(x, y).wasserstein


def inhomogeneity(a: ArrayLike, b: ArrayLike) -> float:
    """H = (2 E|X-Y| - E|X-X'| - E|Y-Y'|) / (2 E|X-Y|), in 0..1: the energy statistic's coefficient."""
    return distance(a, b).inhomogeneity


def _laws(
    x: NDArray[np.float64], y: NDArray[np.float64], weights_x: _Weights, weights_y: _Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """All values in their order, and the shares of either sample that are at most each but the last."""
    both = np.concatenate([x, y])
    order = np.argsort(both, kind="stable")
    mass = np.concatenate([_masses(x, weights_x), _masses(y, weights_y)])[order]
    of_x = order < x.size
    f, g = np.cumsum(np.where(of_x, mass, 0.0)), np.cumsum(np.where(of_x, 0.0, mass))
    return both[order], np.minimum(f[:-1], 1.0), np.minimum(g[:-1], 1.0)


def _masses(values: NDArray[np.float64], weights: _Weights) -> NDArray[np.float64]:
    return np.full(values.size, 1 / values.size) if weights is None else weights / weights.sum()
