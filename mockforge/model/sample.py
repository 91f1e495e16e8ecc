"""A run: timed requests, in columns, so that a million of them stay cheap; or its percentiles alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FailureKind", "OperationSummary", "Run", "SummaryRun"]


class FailureKind(IntEnum):
    """Why no complete answer came; `NONE` where one did, whatever its status."""

    NONE = 0
    TIMEOUT = 1
    CONNECTION = 2
    BROKEN = 3
    CALLER_LEFT = 4


@dataclass(frozen=True, slots=True)
class Run:
    """The samples of one run, n of them, ordered by start.

    All columns have shape (n,). Times are nanoseconds; `start_ns` counts from the run's start.
    `ttfb_ns` and `lateness_ns` are -1 where unknown. `status` is 0 where no answer came.
    `operation` indexes `operations`, whose names are `METHOD /path/template`.
    `size` are the bytes of the answers' bodies (-1 unknown), `failure` are FailureKinds; None where the
    source says nothing of them. `weight` are the requests' weights; None where all count alike.
    `resolution_ns` is the step that the source rounds latencies to.
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
    size: NDArray[np.int64] | None = None
    failure: NDArray[np.int8] | None = None
    weight: NDArray[np.float64] | None = None
    resolution_ns: int = 0

    def __len__(self) -> int:
        return int(self.start_ns.size)

    @property
    def duration_s(self) -> float:
        """From the first start to the last end, in seconds; 0 for an empty run."""
        if not len(self):
            return 0.0
        return float((self.start_ns + self.total_ns).max() - self.start_ns.min()) / 1e9

    @property
    def latency_ms(self) -> NDArray[np.float64]:
        """The latencies in ms, shape (n,)."""
        return self.total_ns / 1e6

    def of(self, operation: str) -> NDArray[np.bool_]:
        """The mask, shape (n,), of the samples of one operation."""
        if operation not in self.operations:
            return np.zeros(len(self), dtype=np.bool_)
        mask: NDArray[np.bool_] = self.operation == self.operations.index(operation)
        return mask

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Run:
        """The run of the samples that a mask or an index, in order, chooses."""
        if chosen.dtype == np.bool_ and chosen.all():
            return self
        every = {column.name: getattr(self, column.name) for column in fields(self)}
        columns: dict[str, Any] = {
            name: values[chosen] for name, values in every.items() if isinstance(values, np.ndarray)
        }
        return replace(self, **columns)


@dataclass(frozen=True, slots=True)
class OperationSummary:
    """What a load tool's summary says of one operation. Latencies in ms, NaN where it says nothing.

    `quantiles_ms` are by probability in 0..1. `failed` counts the requests that failed, None where unknown.
    """

    name: str
    count: int = 0
    failed: int | None = None
    mean_ms: float = math.nan
    quantiles_ms: Mapping[float, float] = field(default_factory=dict)
    ttfb_quantiles_ms: Mapping[float, float] = field(default_factory=dict)
    answered_per_s: float = math.nan


@dataclass(frozen=True, slots=True)
class SummaryRun:
    """A run of which only percentiles are left: no samples, so nothing can be said of their chance.

    `overall` is what the tool says of all requests together; None where it says nothing. A latency is rounded
    to `resolution_ns` and within a part `precision` of itself, whichever is more.
    """

    name: str
    kind: str
    operations: tuple[OperationSummary, ...]
    overall: OperationSummary | None = None
    duration_s: float = math.nan
    resolution_ns: int = 0
    precision: float = 0.0

    def __len__(self) -> int:
        every = sum(operation.count for operation in self.operations)
        return max(every, self.overall.count if self.overall else 0)
