"""How latencies hang together in time: two runs of one distribution may still come in spells or not."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import Run
from mockforge.report.metrics.kinds import Family, Kind, Scale, Unit
from mockforge.report.metrics.throughput import per_second
from mockforge.stats.intervals import Interval, share_interval
from mockforge.stats.ranks import correlation, levels

__all__ = ["STRUCTURE"]

_SECOND_NS = 1_000_000_000
_FEWEST_SECONDS = 8
_SLOW = 1.5
_Z = 1.959964


def _measure(run: Run) -> Mapping[str, Interval]:
    if len(run) < 2 * _FEWEST_SECONDS:
        return {}
    found = {"autocorrelation": _autocorrelation(run)}
    arrivals = per_second(run, run.start_ns)
    if arrivals.size >= _FEWEST_SECONDS and arrivals.mean() >= 1:
        found["slow_seconds"] = share_interval(_slow_seconds(run))
        answered = per_second(run, run.start_ns + run.total_ns)
        found["dispersion"] = _dispersion(answered)
    return found


def _autocorrelation(run: Run) -> Interval:
    """The rank correlation of a latency with the next, and Fisher's interval."""
    ranks = levels(run.total_ns)
    lag = correlation(ranks[:-1], ranks[1:])
    centre, half = math.atanh(min(max(lag, -0.999999), 0.999999)), _Z / math.sqrt(len(run) - 3)
    return Interval(lag, math.tanh(centre - half), math.tanh(centre + half), len(run))


def _slow_seconds(run: Run) -> NDArray[np.bool_]:
    """Whether the mean latency of each second was more than half as much again as the middle one's."""
    second = (run.start_ns - run.start_ns[0]) // _SECOND_NS
    counts = np.bincount(second)
    sums = np.bincount(second, weights=run.latency_ms)
    means = sums[counts > 0] / counts[counts > 0]
    return np.asarray(means > _SLOW * np.median(means), dtype=np.bool_)


def _dispersion(answered: NDArray[np.float64]) -> Interval:
    """The variance of answers a second over their mean; the interval of a variance of independent seconds."""
    ratio = float(answered.var(ddof=1) / answered.mean()) if answered.any() else math.nan
    half = _Z * math.sqrt(2 / (answered.size - 1))
    return Interval(ratio, ratio * math.exp(-half), ratio * math.exp(half), answered.size)


STRUCTURE = Family(
    "structure",
    (
        Kind(
            "slow_seconds",
            "the share of seconds half as slow again as the middle one",
            Unit.SHARE,
            Scale.DIFFERENCE,
        ),
        Kind("dispersion", "the variance of answers a second over their mean: 1 is Poisson's", Unit.NUMBER),
        Kind(
            "autocorrelation", "how far a latency resembles the next, by rank", Unit.NUMBER, Scale.DIFFERENCE
        ),
    ),
    _measure,
)
