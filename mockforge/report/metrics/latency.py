"""Latency: quantiles and mean."""

from __future__ import annotations

from collections.abc import Mapping

from mockforge.model.sample import Run
from mockforge.report.metrics.kinds import Family, Kind
from mockforge.stats.intervals import Interval, mean_interval, quantile_intervals

__all__ = ["LATENCY", "LEVELS"]

#: The quantiles that are judged, by their metric's name.
LEVELS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


def _measure(run: Run) -> Mapping[str, Interval]:
    latency = run.latency_ms
    levels = quantile_intervals(latency, tuple(LEVELS.values()), weights=run.weight)
    return {**dict(zip(LEVELS, levels, strict=True)), "mean": mean_interval(latency, run.weight)}


LATENCY = Family(
    "latency",
    (
        Kind("p50", "the median latency", tolerance=0.05),
        Kind("p90", "the latency that one request in ten exceeds", tolerance=0.10),
        Kind("p95", "one in twenty", tolerance=0.10),
        Kind("p99", "one in a hundred", tolerance=0.20),
        Kind("p99.9", "one in a thousand", tolerance=0.40),
        Kind("mean", "the mean latency"),
    ),
    _measure,
)
