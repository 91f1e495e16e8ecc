"""Errors, all of them and by kind."""

from __future__ import annotations

from collections.abc import Mapping

from mockforge.model.sample import FailureKind, Run
from mockforge.report.metrics.kinds import Family, Kind, Scale, Unit
from mockforge.stats.intervals import Interval, share_interval

__all__ = ["ERRORS"]

_FAILURES = {
    "timeouts": FailureKind.TIMEOUT,
    "unconnected": FailureKind.CONNECTION,
    "broken": FailureKind.BROKEN,
    "callers_left": FailureKind.CALLER_LEFT,
}


def _measure(run: Run) -> Mapping[str, Interval]:
    hits = {
        "error_rate": run.failed,
        "status_4xx": run.status // 100 == 4,
        "status_5xx": run.status // 100 == 5,
    }
    if run.failure is not None:
        hits |= {name: run.failure == kind for name, kind in _FAILURES.items()}
    return {name: share_interval(hit, run.weight) for name, hit in hits.items()}


def _share(name: str, says: str, tolerance: float | None = None) -> Kind:
    return Kind(name, says, Unit.SHARE, Scale.DIFFERENCE, tolerance, rare=tolerance is None)


ERRORS = Family(
    "errors",
    (
        _share(
            "error_rate", "the share of requests that failed: no complete answer, or a status from 400", 0.01
        ),
        _share("status_4xx", "the share that was answered with a status from 400 to 499"),
        _share("status_5xx", "the share that was answered with a status from 500 to 599"),
        _share("timeouts", "the share that got no answer in time"),
        _share("unconnected", "the share for which no connection came about"),
        _share("broken", "the share whose connection broke before the answer was complete"),
        _share("callers_left", "the share whose caller did not wait"),
    ),
    _measure,
)
