"""What readers give: the samples of a load tool's run in columns, or the figures of its summary."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import FailureKind, OperationSummary

__all__ = ["ANY", "NS_PER_MS", "NS_PER_S", "Sample", "ToolRun", "ToolSummary"]

NS_PER_MS = 1_000_000

NS_PER_S = 1_000_000_000
#: The name of all requests, where a tool asks for one address and its file does not say which.
ANY = "all requests"
_OK = 200
_LONGEST_NS = 1 << 62


class Sample(NamedTuple):
    """One timed request. `label` is the tool's name for it, or `METHOD URL` where it has none.

    `start_ns` is on any one clock; `status` is 0 where no answer came; -1 is what the file does not say.
    """

    label: str
    start_ns: float
    total_ns: float
    status: int = 0
    failed: bool = False
    ttfb_ns: float = -1
    size: int = -1
    failure: FailureKind = FailureKind.NONE
    lateness_ns: float = -1


def _longs() -> array[int]:
    return array("q")


@dataclass(slots=True)
class ToolRun:
    """Samples of `tool`, n of them, grown one by one: a column each, and the labels once.

    `resolution_ns` is the step that the tool rounds latencies to; `wall` tells whether starts count from
    1970, `ordered` whether rows of one start follow each other in time, `start_step_ns` what starts are
    rounded to; `remarks` are what one must know of
    the tool's figures; `torn` says where the file ends in the middle. `label` indexes `labels`.
    """

    tool: str
    resolution_ns: int
    wall: bool = True
    ordered: bool = True
    start_step_ns: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    label: array[int] = field(default_factory=_longs)
    start_ns: array[int] = field(default_factory=_longs)
    total_ns: array[int] = field(default_factory=_longs)
    ttfb_ns: array[int] = field(default_factory=_longs)
    lateness_ns: array[int] = field(default_factory=_longs)
    size: array[int] = field(default_factory=_longs)
    status: array[int] = field(default_factory=_longs)
    failed: bytearray = field(default_factory=bytearray)
    failure: bytearray = field(default_factory=bytearray)
    remarks: list[str] = field(default_factory=list)
    torn: str | None = None

    def add(self, sample: Sample) -> None:
        """Take in one sample, or nothing of it: raises ValueError where a time cannot be."""
        label, start_ns, total_ns, status, failed, ttfb_ns, size, failure, lateness_ns = sample
        times = (start_ns, total_ns, ttfb_ns, lateness_ns)
        if not all(abs(time) < _LONGEST_NS for time in times):
            raise ValueError(f"{max(times, key=abs):g} ns is no time")
        self.label.append(self.labels.setdefault(label, len(self.labels)))
        self.start_ns.append(round(start_ns))
        self.total_ns.append(max(0, round(total_ns)))
        self.ttfb_ns.append(round(ttfb_ns))
        self.lateness_ns.append(round(lateness_ns))
        self.size.append(min(size, _LONGEST_NS))
        self.status.append(status)
        self.failed.append(failed)
        self.failure.append(failure)

    def extend(self, label: str, start_ns: NDArray[np.float64], total_ns: NDArray[np.float64]) -> None:
        """Take in answers of one label, of which only the times are known; both of shape (n,)."""
        count = start_ns.size
        self.label.frombytes(np.full(count, self.labels.setdefault(label, len(self.labels))).tobytes())
        for column, values in ((self.start_ns, start_ns), (self.total_ns, total_ns)):
            column.frombytes(np.rint(values).astype(np.int64).tobytes())
        for column in (self.ttfb_ns, self.lateness_ns, self.size):
            column.frombytes(np.full(count, -1).tobytes())
        self.status.frombytes(np.full(count, _OK).tobytes())
        self.failed.extend(bytes(count))
        self.failure.extend(bytes(count))

    def __len__(self) -> int:
        return len(self.label)

    @property
    def names(self) -> Sequence[str]:
        """The label of each sample."""
        labels = list(self.labels)
        return [labels[index] for index in self.label]


@dataclass(slots=True)
class ToolSummary:
    """The figures of a summary: percentiles of each operation, named as the tool does, and of all.

    Latencies are rounded to `resolution_ns` and within a part `precision` of themselves. `started_wall_ns`
    is 0 where unknown, `duration_s` NaN; `errors` counts failures in the tool's own words.
    """

    tool: str
    operations: list[OperationSummary] = field(default_factory=list)
    overall: OperationSummary | None = None
    duration_s: float = math.nan
    started_wall_ns: int = 0
    resolution_ns: int = 0
    precision: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        every = sum(operation.count for operation in self.operations)
        return max(every, self.overall.count if self.overall else 0)
