"""The first byte and what comes after it apart: a slow answer is another fault than a slow body."""

from __future__ import annotations

from collections.abc import Mapping

from mockforge.model.sample import Run
from mockforge.report.metrics.kinds import Family, Kind
from mockforge.stats.intervals import Interval, quantile_intervals

__all__ = ["PHASES"]

_LEVELS = (0.5, 0.95)


def _measure(run: Run) -> Mapping[str, Interval]:
    known = run.select((run.ttfb_ns >= 0) & (run.ttfb_ns <= run.total_ns))
    if not len(known):
        return {}
    first = quantile_intervals(known.ttfb_ns / 1e6, _LEVELS, weights=known.weight)
    rest = quantile_intervals((known.total_ns - known.ttfb_ns) / 1e6, _LEVELS, weights=known.weight)
    return dict(zip(("ttfb_p50", "ttfb_p95", "transfer_p50", "transfer_p95"), (*first, *rest), strict=True))


PHASES = Family(
    "phases",
    (
        Kind("ttfb_p50", "the median time to the first byte"),
        Kind("ttfb_p95", "the time to the first byte that one request in twenty exceeds"),
        Kind("transfer_p50", "the median time from the first byte to the last"),
        Kind("transfer_p95", "the time from the first byte to the last that one in twenty exceeds"),
    ),
    _measure,
)
