"""The program's own lateness, and latency without it: a bad model is not an overloaded mock."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mockforge.model.sample import Run
from mockforge.report.metrics.kinds import Family, Kind, Scale
from mockforge.stats.intervals import Interval, quantile_intervals

__all__ = ["OWN_LATENESS", "PLANNED"]

#: The judged quantiles' counterparts without the program's own lateness.
PLANNED = {"p50": "planned_p50", "p95": "planned_p95", "p99": "planned_p99"}
_LEVELS = (0.5, 0.95, 0.99)


def _tells(run: Run) -> bool:
    return bool((run.lateness_ns >= 0).any())


def _measure(run: Run) -> Mapping[str, Interval]:
    """Lateness of a run whose program had a plan; without one the latency is all the operation's own."""
    late_ns = np.maximum(run.lateness_ns, 0)
    planned = quantile_intervals((run.total_ns - late_ns) / 1e6, _LEVELS, weights=run.weight)
    found = dict(zip(PLANNED.values(), planned, strict=True))
    if _tells(run):
        known = run.select(run.lateness_ns >= 0)
        late = quantile_intervals(known.lateness_ns / 1e6, (0.5, 0.99), weights=known.weight)
        found |= dict(zip(("lateness_p50", "lateness_p99"), late, strict=True))
    return found


OWN_LATENESS = Family(
    "lateness",
    (
        Kind("lateness_p50", "how late the program itself was, in the middle", scale=Scale.DIFFERENCE),
        Kind(
            "lateness_p99",
            "how late the program itself was at worst but for one in a hundred",
            scale=Scale.DIFFERENCE,
        ),
        Kind("planned_p50", "the median latency less the program's own lateness"),
        Kind("planned_p95", "p95 of the latency less the program's own lateness"),
        Kind("planned_p99", "p99 of the latency less the program's own lateness"),
    ),
    _measure,
    _tells,
)
