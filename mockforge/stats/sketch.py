"""A mergeable quantile sketch with bounded relative error: DDSketch (Masson, Rim & Lee, VLDB 2019).

A value v > 0 is counted in bucket `ceil(log_gamma(v))` with `gamma = (1 + a) / (1 - a)`; the bucket's
middle is then within a relative error `a` of every value in it. Merging adds counters, exactly.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["QuantileSketch"]


class QuantileSketch:
    """Counts of non-negative values in logarithmic buckets; `accuracy` is a quantile's relative error."""

    __slots__ = ("_buckets", "_gamma", "_scale", "accuracy", "count", "maximum", "minimum", "total", "zeros")

    def __init__(self, accuracy: float = 0.005) -> None:
        self.accuracy = accuracy
        self._gamma = (1 + accuracy) / (1 - accuracy)
        self._scale = 1 / math.log(self._gamma)
        self._buckets: dict[int, int] = {}
        self.zeros = 0
        self.count = 0
        self.total = 0.0
        self.minimum = math.inf
        self.maximum = -math.inf

    def add(self, value: float, times: int = 1) -> None:
        """Count one value, seen so many `times`; what is not above zero counts as zero."""
        self.count += times
        if value <= 0:
            value = 0.0
            self.zeros += times
        else:
            index = math.ceil(math.log(value) * self._scale)
            self._buckets[index] = self._buckets.get(index, 0) + times
        self.total += value * times
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)

    def add_many(self, values: NDArray[np.float64]) -> None:
        """Count an array of values, any shape: the same as adding each, an order of magnitude faster."""
        positive = values[values > 0]
        self.count += values.size
        self.zeros += values.size - positive.size
        if positive.size < values.size:
            self.minimum = min(self.minimum, 0.0)
            self.maximum = max(self.maximum, 0.0)
        if positive.size:
            self.total += float(positive.sum())
            self.minimum = min(self.minimum, float(positive.min()))
            self.maximum = max(self.maximum, float(positive.max()))
            indices, counts = np.unique(np.ceil(np.log(positive) * self._scale), return_counts=True)
            for index, count in zip(indices.tolist(), counts.tolist(), strict=True):
                self._buckets[int(index)] = self._buckets.get(int(index), 0) + count

    def merge(self, other: QuantileSketch) -> None:
        """Add the other's counts; raises ValueError where the accuracies differ."""
        if other.accuracy != self.accuracy:
            raise ValueError(f"accuracies differ: {self.accuracy} and {other.accuracy}")
        for index, count in other._buckets.items():
            self._buckets[index] = self._buckets.get(index, 0) + count
        self.zeros += other.zeros
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)

    def quantile(self, probability: float) -> float:
        """The lower quantile at `probability` in 0..1, within `accuracy` of the exact one; NaN when empty."""
        if not self.count:
            return math.nan
        rank = max(0, math.ceil(probability * self.count) - 1)
        if rank < self.zeros:
            return 0.0
        seen = self.zeros
        for index in sorted(self._buckets):
            seen += self._buckets[index]
            if rank < seen:
                middle = 2 * self._gamma**index / (self._gamma + 1)
                return min(max(middle, self.minimum), self.maximum)
        return self.maximum

    @property
    def mean(self) -> float:
        """The exact mean; NaN when empty."""
        return self.total / self.count if self.count else math.nan
