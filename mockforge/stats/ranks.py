"""Ranks, and how far one series rises with another, whatever the shape: Spearman's correlation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mockforge.stats.products import inner

__all__ = ["correlation", "levels", "spearman"]


def levels(values: ArrayLike, group: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """The rank of each value within its group, over the group's size, less a half; shape (n,), in -½..½.

    Equal values have the mean of their ranks, so that the levels of every group add up to 0.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return np.zeros(0)
    groups = np.zeros(array.size, dtype=np.int64) if group is None else group
    order = np.lexsort((array, groups))
    by_group, by_value = groups[order], array[order]
    new_group = np.r_[True, by_group[1:] != by_group[:-1]]
    first, size = _runs(new_group)
    first_equal, equal = _runs(new_group | np.r_[True, by_value[1:] != by_value[:-1]])
    found = np.empty(array.size)
    found[order] = (first_equal + equal / 2 - first) / size - 0.5
    return found


def _runs(begins: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each element the index at which its run begins, and the length of the run; shape (n,) both."""
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.r_[starts, begins.size])
    return np.repeat(starts, lengths), np.repeat(lengths, lengths)


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Pearson's correlation of two series, shape (n,); 0 where one of them is constant."""
    if a.size < 2:
        return 0.0
    deviation_a, deviation_b = a - a.mean(), b - b.mean()
    scale = math.sqrt(inner(deviation_a, deviation_a) * inner(deviation_b, deviation_b))
    return inner(deviation_a, deviation_b) / scale if scale > 0 else 0.0


def spearman(a: ArrayLike, b: ArrayLike, group: NDArray[np.int64] | None = None) -> float:
    """Spearman's rank correlation of two series, shape (n,), their ranks taken within groups."""
    return correlation(levels(a, group), levels(b, group))
