"""Quantiles of samples and of quantile tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mockforge.stats.beta import incomplete_beta

__all__ = ["harrell_davis", "interpolate_log", "quantiles"]


def quantiles(values: ArrayLike, probabilities: Sequence[float]) -> NDArray[np.float64]:
    """The type-7 quantiles (Hyndman & Fan 1996) of `values`, shape (n,), at `probabilities` in 0..1.

    An empty sample has no quantiles: NaN for each.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return np.full(len(probabilities), np.nan)
    return np.asarray(np.quantile(array, probabilities), dtype=np.float64)


def harrell_davis(values: ArrayLike, probabilities: Sequence[float]) -> NDArray[np.float64]:
    """Harrell & Davis' quantiles (1982): every order statistic counts by a beta law around its place.

    Steadier than type 7 where values are few; an empty sample has none: NaN for each.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if ordered.size == 0:
        return np.full(len(probabilities), np.nan)
    edges = np.arange(ordered.size + 1) / ordered.size
    found = [
        float(np.diff(incomplete_beta((ordered.size + 1) * p, (ordered.size + 1) * (1 - p), edges)) @ ordered)
        for p in probabilities
    ]
    return np.array(found)


def interpolate_log(
    probabilities: ArrayLike, table_probabilities: ArrayLike, table_values: ArrayLike
) -> NDArray[np.float64]:
    """Invert a quantile table: straight lines in the logarithm of the value between its points.

    `table_probabilities` rise in 0..1; `table_values` (> 0, same shape) do not fall. Latencies span
    decades, so that a line in the logarithm bends as they do.
    """
    levels = np.asarray(table_probabilities, dtype=np.float64)
    logs = np.log(np.asarray(table_values, dtype=np.float64))
    return np.exp(np.interp(np.asarray(probabilities, dtype=np.float64), levels, logs))
