"""The latency of an operation as a quantile table that a person can read and edit.

The table keeps as many percentiles as it takes for straight lines in the logarithm between them to follow
the empirical quantiles; the tail keeps the sample's maximum and claims nothing beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.model.stub import DelayDistribution
from mockforge.stats.quantiles import interpolate_log, quantiles

__all__ = ["LatencyFit", "fit_latency"]

#: A table is fine enough when no percentile is further off than this share of its value.
_TOLERANCE = 0.01
_MOST_POINTS = 40
_LEAST_MS = 1e-3


@dataclass(frozen=True, slots=True)
class LatencyFit:
    """A fitted law of delay and how well it holds in sample. Latencies in ms.

    `error` is the first Wasserstein distance between the table's law and the sample, over the mean.
    """

    distribution: DelayDistribution
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    points: int
    error: float


def fit_latency(latencies_ns: NDArray[np.int64]) -> LatencyFit:
    """Fit the table to at least one latency, shape (n,), in nanoseconds."""
    sample = np.sort(np.maximum(np.asarray(latencies_ns, dtype=np.float64) / 1e6, _LEAST_MS))
    levels = _grid(sample.size)
    # Hazen's quantiles give every sample the same weight, the extremes too: the law keeps the sample's mean.
    values = np.quantile(sample, levels / 100, method="hazen")
    chosen = _choose(levels, values)
    points = {
        round(float(level), 4): _significant(float(value))
        for level, value in zip(levels[chosen], values[chosen], strict=True)
    }
    p50, p95, p99 = (float(value) for value in quantiles(sample, (0.5, 0.95, 0.99)))
    return LatencyFit(
        distribution=DelayDistribution("quantiles", {"unit": "ms", "points": points}),
        count=int(sample.size),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        points=len(points),
        error=_error(sample, points),
    )


def _grid(count: int) -> NDArray[np.float64]:
    """Percentiles that a sample of this size can tell apart."""
    grid = np.concatenate([np.arange(0, 100.25, 0.5), np.arange(99.1, 99.95, 0.1), [99.95, 99.99]])
    step = 100 / max(count - 1, 1)
    grid = np.unique(np.round(grid, 2))
    kept = (grid <= 100 - step) | (grid == 100)
    return np.asarray(grid[kept] if count > 1 else grid[[0]], dtype=np.float64)


def _choose(levels: NDArray[np.float64], values: NDArray[np.float64]) -> list[int]:
    """Indices of the percentiles to keep: always the one that the lines through the others miss most."""
    chosen = sorted({0, int(np.searchsorted(levels, 50.0, side="right")) - 1, levels.size - 1})
    while len(chosen) < min(_MOST_POINTS, levels.size):
        lines = interpolate_log(levels, levels[chosen], values[chosen])
        missed = np.abs(lines - values) / values
        worst = int(missed.argmax())
        if missed[worst] <= _TOLERANCE:
            break
        chosen = sorted({*chosen, worst})
    return chosen


def _error(sample: NDArray[np.float64], points: dict[float, float]) -> float:
    middles = (np.arange(sample.size) + 0.5) / sample.size
    law = interpolate_log(middles, [level / 100 for level in points], list(points.values()))
    return float(np.mean(np.abs(law - sample)) / sample.mean())


def _significant(value: float) -> float:
    return float(f"{value:.4g}")
