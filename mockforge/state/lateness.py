"""The mock's own error: how far behind its plan it answers, and when that is more than the model can hide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from mockforge.stats.sketch import QuantileSketch

__all__ = ["LateWindow", "Lateness"]

#: Lateness is judged over so many answers at a time.
WINDOW = 1_000
#: A window is late when 1 % of its answers are later than this, and than `_SHARE` of the mean planned delay.
_TOLERATED_MS = 5.0
_SHARE = 0.1


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
    """Lateness over a run, and a word to `on_late` for each window of answers in which it was too much."""

    def __init__(self) -> None:
        self.total_ms = QuantileSketch()
        self.late_windows = 0
        self.on_late: Callable[[LateWindow], object] | None = None
        self._window_ms: list[float] = []
        self._planned_ns = 0

    def add(self, lateness_ns: Sequence[int], planned_ns: int) -> None:
        """Count answers: how late each was, and the delays planned for them, added up."""
        late_ms = np.asarray(lateness_ns, dtype=np.float64) / 1e6
        self.total_ms.add_many(late_ms)
        self._window_ms += late_ms.tolist()
        self._planned_ns += planned_ns
        if len(self._window_ms) >= WINDOW:
            self._judge()

    def _judge(self) -> None:
        answers = len(self._window_ms)
        p99_ms = sorted(self._window_ms)[-max(1, answers // 100)]
        planned_ms = self._planned_ns / answers / 1e6
        self._window_ms.clear()
        self._planned_ns = 0
        if p99_ms > max(_TOLERATED_MS, _SHARE * planned_ms):
            self.late_windows += 1
            if self.on_late is not None:
                self.on_late(LateWindow(p99_ms, planned_ms))
