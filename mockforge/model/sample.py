"""A run: a set of timed requests, in columns, so that a million of them stay cheap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Run"]


@dataclass(frozen=True, slots=True)
class Run:
    """The samples of one run, n of them, ordered by start.

    All columns have shape (n,). Times are nanoseconds; `start_ns` counts from the run's start.
    `ttfb_ns` and `lateness_ns` are -1 where unknown. `status` is 0 where no answer came.
    `operation` indexes `operations`, whose names are `METHOD /path/template`.
    """

    name: str
    kind: str
    operations: tuple[str, ...]
    operation: NDArray[np.int32]
    start_ns: NDArray[np.int64]
    total_ns: NDArray[np.int64]
    ttfb_ns: NDArray[np.int64]
    status: NDArray[np.int32]
    failed: NDArray[np.bool_]
    in_flight: NDArray[np.int32]
    lateness_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.start_ns.size)

    @property
    def duration_s(self) -> float:
        """From the first start to the last end, in seconds; 0 for an empty run."""
        if not len(self):
            return 0.0
        return float((self.start_ns + self.total_ns).max() - self.start_ns.min()) / 1e9

    def of(self, operation: str) -> NDArray[np.bool_]:
        """The mask, shape (n,), of the samples of one operation."""
        if operation not in self.operations:
            return np.zeros(len(self), dtype=np.bool_)
        mask: NDArray[np.bool_] = self.operation == self.operations.index(operation)
        return mask
