"""Requests and good answers a second, from whole seconds of the run."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import Run
from mockforge.report.metrics.kinds import Family, Kind, Scale, Unit
from mockforge.stats.intervals import Interval, mean_interval

__all__ = ["THROUGHPUT", "per_second"]

_SECOND_NS = 1_000_000_000
_FEWEST_SECONDS = 8


def _measure(run: Run) -> Mapping[str, Interval]:
    good = (run.start_ns + run.total_ns)[~run.failed]
    return {"throughput": _rate(run, good), "offered": _rate(run, run.start_ns)}


def _rate(run: Run, at_ns: NDArray[np.int64]) -> Interval:
    """Events a second while requests came; a mean without bounds where that is short."""
    seconds = per_second(run, at_ns)
    if seconds.size >= _FEWEST_SECONDS:
        return mean_interval(seconds)
    span_s = run.duration_s
    rate = at_ns.size / span_s if span_s else math.nan
    return Interval(rate, -math.inf, math.inf, float(seconds.size))


def per_second(run: Run, at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many of the events fell into each whole second between the run's first request and its last."""
    if not len(run):
        return np.zeros(0)
    begin = int(run.start_ns[0])
    seconds = (int(run.start_ns[-1]) - begin) // _SECOND_NS
    place = (at_ns - begin) // _SECOND_NS
    counts = np.bincount(place[(place >= 0) & (place < seconds)], minlength=seconds)
    return counts.astype(np.float64)


THROUGHPUT = Family(
    "throughput",
    (
        Kind("throughput", "good answers a second", Unit.PER_S, Scale.RATIO, 0.02),
        Kind("offered", "requests a second", Unit.PER_S),
    ),
    _measure,
)
