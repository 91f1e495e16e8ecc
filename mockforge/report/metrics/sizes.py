"""The sizes of the answers' bodies."""

from __future__ import annotations

from collections.abc import Mapping

from mockforge.model.sample import Run
from mockforge.report.metrics.kinds import Family, Kind, Unit
from mockforge.stats.intervals import Interval, mean_interval, quantile_intervals

__all__ = ["SIZES"]


def _measure(run: Run) -> Mapping[str, Interval]:
    if run.size is None:
        return {}
    known = run.select(run.size >= 0)
    sizes = known.size
    if sizes is None or not sizes.size:
        return {}
    bytes_ = sizes.astype(float)
    median, tail = quantile_intervals(bytes_, (0.5, 0.95), weights=known.weight)
    return {"size_p50": median, "size_p95": tail, "size_mean": mean_interval(bytes_, known.weight)}


SIZES = Family(
    "sizes",
    (
        Kind("size_p50", "the median size of an answer's body", Unit.BYTES),
        Kind("size_p95", "the size that one body in twenty exceeds", Unit.BYTES),
        Kind("size_mean", "the mean size of an answer's body", Unit.BYTES),
    ),
    _measure,
)
