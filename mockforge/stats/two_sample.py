"""How far two samples are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["wasserstein"]


def wasserstein(a: ArrayLike, b: ArrayLike) -> float:
    """The first Wasserstein distance: the area between the two empirical distribution functions.

    In the unit of the values; for samples of one size it is `mean |a_(i) - b_(i)|`.
    NaN when either sample is empty.
    """
    x = np.sort(np.asarray(a, dtype=np.float64))
    y = np.sort(np.asarray(b, dtype=np.float64))
    if x.size == 0 or y.size == 0:
        return float("nan")
    if x.size == y.size:
        return float(np.mean(np.abs(x - y)))
    both = np.sort(np.concatenate([x, y]))
    gaps = np.diff(both)
    share_x = np.searchsorted(x, both[:-1], side="right") / x.size
    share_y = np.searchsorted(y, both[:-1], side="right") / y.size
    return float(np.sum(np.abs(share_x - share_y) * gaps))
