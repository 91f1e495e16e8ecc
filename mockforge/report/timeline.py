"""How a run went over time: latencies and failures in windows of equal length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import Run

__all__ = ["Timeline", "timeline"]

_MOST_WINDOWS = 120
#: Lengths of windows, in seconds; beyond the last, whole multiples of it.
_LENGTHS = (1, 2, 5, 10, 15, 30, 60)
#: Quantiles of fewer requests than this are left out.
_FEWEST = 5

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Windows of a run, all of shape (w,): their middles in seconds since the run began, p50 and p95 in ms,
    the share that failed, 0..1. NaN where a window has too few requests.
    """

    at_s: Values
    p50_ms: Values
    p95_ms: Values
    failed: Values


def timeline(run: Run, since_ns: int, until_ns: int) -> Timeline:
    """The requests of `run`, ordered by start, in at most 120 windows between two starts of a run's."""
    length_ns = _length_s((until_ns - since_ns) / 1e9) * 1_000_000_000
    count = max(1, -(-(until_ns - since_ns + 1) // length_ns))
    edges = since_ns + np.arange(count + 1, dtype=np.int64) * length_ns
    bounds = np.searchsorted(run.start_ns, edges)
    p50, p95, failed = np.full(count, np.nan), np.full(count, np.nan), np.full(count, np.nan)
    for window, (begin, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        if end > begin:
            failed[window] = run.failed[begin:end].mean()
        if end - begin >= _FEWEST:
            p50[window], p95[window] = np.quantile(run.total_ns[begin:end] / 1e6, (0.5, 0.95))
    at_s = np.asarray((edges[:-1] + length_ns // 2) / 1e9, dtype=np.float64)
    return Timeline(at_s, p50, p95, failed)


def _length_s(duration_s: float) -> int:
    wanted = duration_s / _MOST_WINDOWS
    found = next((length for length in _LENGTHS if length >= wanted), None)
    return found or int(-(-wanted // _LENGTHS[-1])) * _LENGTHS[-1]
