"""Requests and good answers a second, from whole seconds of the run.

Two runs of one schedule have the same busy and idle seconds. What they have in common says nothing of how
they differ: where both last about as long, their rates are compared second by second (the ratio estimator),
which is as right for runs that have nothing in common.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import Run
from mockforge.report.metrics.estimates import Estimate
from mockforge.report.metrics.kinds import Family, Kind, Scale, Unit
from mockforge.stats.autocorrelation import cautious_time
from mockforge.stats.intervals import Interval, mean_interval

__all__ = ["THROUGHPUT", "per_second", "second_by_second"]

_SECOND_NS = 1_000_000_000
_FEWEST_SECONDS = 8
_SAME_LENGTH = 0.95
_Z = NormalDist().inv_cdf(0.975)


def _measure(run: Run) -> Mapping[str, Interval]:
    return {name: _rate(run, _events(name, run)) for name in ("throughput", "offered")}


def _rate(run: Run, at_ns: NDArray[np.int64]) -> Interval:
    """Events a second while requests came; a mean without bounds where that is short."""
    seconds = per_second(run, at_ns)
    if seconds.size >= _FEWEST_SECONDS:
        return mean_interval(seconds)
    span_s = run.duration_s
    rate = at_ns.size / span_s if span_s else math.nan
    return Interval(rate, -math.inf, math.inf, float(seconds.size))


def second_by_second(one: Estimate, a: Run, b: Run) -> Estimate:
    """The estimate of a rate with the interval that two runs of about one length allow; else as it is."""
    of_a, of_b = (per_second(run, _events(one.kind.name, run)) for run in (a, b))
    seconds = min(of_a.size, of_b.size)
    if seconds < _FEWEST_SECONDS or seconds < _SAME_LENGTH * max(of_a.size, of_b.size):
        return one
    of_a, of_b = of_a[:seconds], of_b[:seconds]
    if not (of_a.any() and of_b.any()):
        return one
    ratio = float(of_b.mean() / of_a.mean())
    differing = of_b - ratio * of_a
    error = float(differing.std(ddof=1)) * math.sqrt(cautious_time(differing) / seconds)
    half = _Z * error / float(of_b.mean())
    return replace(one, centre=math.log(ratio), down=half, up=half)


def _events(name: str, run: Run) -> NDArray[np.int64]:
    """When each request came, or each good answer."""
    return run.start_ns if name == "offered" else (run.start_ns + run.total_ns)[~run.failed]


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
