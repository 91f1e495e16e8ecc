"""The inner product, without threads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["inner"]


def inner(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """a · b of two vectors, shape (n,).

    `@` hands long vectors to threads that wait for each other: ten times as long on a busy machine.
    """
    return float(np.einsum("i,i->", a, b))
