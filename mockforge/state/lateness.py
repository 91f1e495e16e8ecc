"""The mock's own error: how far behind its plan it answers, and when that is more than the model can hide."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mockforge.stats.sketch import QuantileSketch

__all__ = ["LateWindow", "Lateness"]

#: Lateness is judged over so many answers at a time.
WINDOW = 1_000
#: A window is late when 1 % of its answers are later than this, and than `_SHARE` of the mean planned delay.
_TOLERATED_MS = 5.0
_SHARE = 0.1
_BITS = 8


class LateWindow(NamedTuple):
    """A window of answers that was late: its 99th percentile and the mean planned delay, in ms."""

    p99_ms: float
    planned_ms: float

    def __str__(self) -> str:
        return (
            f"the mock itself is late: 1 % of the last {WINDOW:,} answers left {self.p99_ms:.1f} ms or more "
            f"after they were due (mean planned delay {self.planned_ms:.1f} ms); what is measured now is the "
            "mock's limit, not the model's"
        )


class Lateness:
    """Lateness over a run, and a word to `on_late` for each window of answers in which it was too much.

    What is added is counted by its first `_BITS` binary digits (an error below 1 %), as that is all that the
    path of every answer can afford, and goes into the sketch a window at a time.
    """

    def __init__(self) -> None:
        self.late_windows = 0
        self.on_late: Callable[[LateWindow], object] | None = None
        self._total_ms = QuantileSketch()
        self._counts: dict[int, int] = {}
        self._answers = 0
        self._planned_ns = 0

    @property
    def total_ms(self) -> QuantileSketch:
        """Over the whole run, in milliseconds; a copy."""
        total_ms = QuantileSketch()
        total_ms.merge(self._total_ms)
        _count_into(total_ms, self._counts)
        return total_ms

    def add(self, late_ns: int, planned_ns: int) -> None:
        """Count one answer: how late it was, and the delay planned for it."""
        coarse = late_ns.bit_length() - _BITS
        if coarse > 0:
            late_ns = late_ns >> coarse << coarse
        counts = self._counts
        counts[late_ns] = counts.get(late_ns, 0) + 1
        self._planned_ns += planned_ns
        self._answers += 1
        if self._answers == WINDOW:
            self._judge()

    def _judge(self) -> None:
        p99_ms = _slowest_hundredth_ns(self._counts) / 1e6
        planned_ms = self._planned_ns / WINDOW / 1e6
        _count_into(self._total_ms, self._counts)
        self._counts.clear()
        self._planned_ns = self._answers = 0
        if p99_ms > max(_TOLERATED_MS, _SHARE * planned_ms):
            self.late_windows += 1
            if self.on_late is not None:
                self.on_late(LateWindow(p99_ms, planned_ms))


def _slowest_hundredth_ns(counts: dict[int, int]) -> int:
    """What a hundredth of the counted values reaches or exceeds."""
    left = sum(counts.values()) // 100
    for late_ns in sorted(counts, reverse=True):
        left -= counts[late_ns]
        if left <= 0:
            return late_ns
    return 0


def _count_into(sketch_ms: QuantileSketch, counts: dict[int, int]) -> None:
    for late_ns, times in counts.items():
        sketch_ms.add(late_ns / 1e6, times)
