"""Where a series changes its law: E-divisive, by energy distances that shuffling does not give as large.

The statistic of a split is `nm / (n + m)` times the energy distance of the n values before it from the m
values after it, up to any later end, so that a rise that is taken back is found too (Matteson and James,
2014). A split stands where no more than a part `level` of shuffles of its segment have one as large anywhere;
then both of its sides are searched. The shuffles are seeded: the same series has the same change points.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["ChangePoint", "change_points"]

_SHUFFLES = 199
_SEED = 2014
_FEWEST = 3
#: Sums in another order differ by this much.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The first index of a new law, the means of both segments, and the share of shuffles that do as much."""

    index: int
    before: float
    after: float
    p: float


def change_points(values: ArrayLike, level: float = 0.01) -> tuple[ChangePoint, ...]:
    """The change points of a series, shape (n,), by index; no segment is shorter than three values."""
    series = np.asarray(values, dtype=np.float64)
    if not np.isfinite(series).all():
        raise ValueError("a series with change points has no gaps: leave out what is not finite")
    found: dict[int, float] = {}
    pending = [(0, series.size)]
    while pending:
        begin, end = pending.pop()
        split = _split(series[begin:end], level)
        if split is not None:
            index, p = split
            found[begin + index] = p
            pending += [(begin, begin + index), (begin + index, end)]
    edges = [0, *sorted(found), series.size]
    means = [float(series[begin:end].mean()) for begin, end in itertools.pairwise(edges) if end]
    return tuple(
        ChangePoint(index, means[place], means[place + 1], found[index])
        for place, index in enumerate(edges[1:-1])
    )


def _split(series: NDArray[np.float64], level: float) -> tuple[int, float] | None:
    """Where the segment is split, and how often chance does as much; None where it is one."""
    if series.size < 2 * _FEWEST or series.min() == series.max():
        return None
    apart = np.abs(series[:, None] - series[None, :])
    statistics = _statistics(apart)
    best = float(statistics.max()) * (1 - _ROUNDING)
    random = np.random.default_rng(_SEED)
    as_far, allowed = 1, level * (_SHUFFLES + 1)
    for _ in range(_SHUFFLES):
        order = random.permutation(series.size)
        as_far += bool(_statistics(apart[np.ix_(order, order)]).max() >= best)
        if as_far > allowed:
            return None
    index, _ = np.unravel_index(int(statistics.argmax()), statistics.shape)
    return int(index) + _FEWEST, as_far / (_SHUFFLES + 1)


def _statistics(apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """The statistics from the distances, shape (n, n): a row a split, a column an end; -inf where too near.

    The first row splits after the fewest values that a segment may have, and the first column ends there.
    """
    corner = apart.cumsum(axis=0).cumsum(axis=1)[_FEWEST - 1 :, _FEWEST - 1 :]
    within_left = np.diagonal(corner)[:, None]
    across = corner - within_left
    within_right = np.diagonal(corner)[None, :] - within_left - 2 * across
    left = np.arange(_FEWEST, apart.shape[0] + 1, dtype=np.float64)[:, None]
    right = left.T - left
    allowed = right >= _FEWEST
    right = np.where(allowed, right, _FEWEST)
    energy = (
        2 * across / (left * right) - within_left / (left * (left - 1)) - within_right / (right * (right - 1))
    )
    return np.where(allowed, energy * left * right / (left + right), -np.inf)
