"""How far apart two sides' latencies are as a whole: the gap, its interval, and chance's part in it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean, variance

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import Run
from mockforge.report.metrics.estimates import Estimate
from mockforge.report.metrics.registry import KINDS
from mockforge.stats.autocorrelation import autocorrelation_time
from mockforge.stats.beta import student_quantile
from mockforge.stats.products import inner
from mockforge.stats.two_sample import distance, wasserstein

__all__ = ["Gap", "gap_of", "mean_gap"]

#: With fewer requests than this nothing is known of chance.
_FEWEST = 10
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Gap:
    """W1 over the real mean, the same of two real runs of these sizes by chance, and its standard error."""

    value: float
    noise: float
    error: float
    inhomogeneity: float = math.nan

    def estimates(self) -> tuple[Estimate, Estimate]:
        """The gap, and the inhomogeneity, of which no interval is known.

        Chance only ever adds to a distance: the interval reaches further down from it, by the noise, than up.
        """
        half = _Z * self.error
        down = min(self.value, self.noise + half)
        bounds = (down, half) if math.isfinite(half) else (math.inf, math.inf)
        return (
            Estimate(KINDS["gap"], 0.0, self.value, self.value, *bounds),
            Estimate(KINDS["inhomogeneity"], 0.0, self.inhomogeneity, self.inhomogeneity, math.inf, math.inf),
        )


def gap_of(a: Sequence[Run], b: Sequence[Run]) -> Gap:
    """The gap of side A's runs from side B's; with repetitions their own differences are the noise."""
    a, b = (_counted(side) for side in (a, b))
    of_a, of_b = (_latencies(side) for side in (a, b))
    found = distance(of_a, of_b, _weights(a), _weights(b))
    mean = float(np.average(of_a, weights=_weights(a))) if of_a.size else math.nan
    if not mean > 0:
        return Gap(math.nan, math.nan, math.nan)
    sizes = math.sqrt(sum(1 / max(_worth(side), 1e-9) for side in (a, b)))
    noise, error = found.by_chance * sizes, found.error * sizes
    if max(len(a), len(b)) > 1:
        noise, error = max(noise, _between_repetitions(a, b)), max(error, _between_pairs(a, b))
    if min(of_a.size, of_b.size) < _FEWEST:
        noise = error = math.nan
    return Gap(found.wasserstein / mean, noise / mean, error / mean, found.inhomogeneity)


def mean_gap(gaps: Sequence[Gap], shares: Sequence[float]) -> Gap:
    """The gaps of several operations, by their shares of the requests.

    Where of some nothing is known of chance, their whole gap may be its.
    """
    if any(not math.isnan(gap.error) for gap in gaps):
        gaps = [
            replace(gap, noise=gap.value, error=gap.value) if math.isnan(gap.error) else gap for gap in gaps
        ]
    weighted = list(zip(gaps, shares, strict=True))
    return Gap(
        value=sum(gap.value * share for gap, share in weighted),
        noise=sum(gap.noise * share for gap, share in weighted),
        error=math.sqrt(sum((gap.error * share) ** 2 for gap, share in weighted)),
        inhomogeneity=sum(gap.inhomogeneity * share for gap, share in weighted),
    )


def _counted(runs: Sequence[Run]) -> list[Run]:
    """The runs that have requests which count."""
    return [run for run in runs if len(run) and (run.weight is None or run.weight.any())]


def _latencies(runs: Sequence[Run]) -> NDArray[np.float64]:
    """Of all runs; sorted where they carry no weights, since sorted samples are merged fast."""
    found = np.concatenate([run.latency_ms for run in runs])
    return found if _weights(runs) is not None else np.sort(found)


def _weights(runs: Sequence[Run]) -> NDArray[np.float64] | None:
    if all(run.weight is None for run in runs):
        return None
    return np.concatenate([np.ones(len(run)) if run.weight is None else run.weight for run in runs])


def _worth(runs: Sequence[Run]) -> float:
    """How many independent requests the side's are worth, by the dependence in their middle."""
    worth = 0.0
    for run in runs:
        size = float(len(run))
        if run.weight is not None:
            size = float(run.weight.sum()) ** 2 / inner(run.weight, run.weight)
        worth += size / autocorrelation_time(run.total_ns <= np.median(run.total_ns))
    return worth


def _between_repetitions(a: Sequence[Run], b: Sequence[Run]) -> float:
    """What repetitions of one side are apart, in ms; the real side's where it has any."""
    side = a if len(a) > 1 else b
    apart = [_apart(one, other) for one, other in itertools.combinations(side, 2)]
    return fmean(apart) * math.sqrt((1 / len(a) + 1 / len(b)) / 2)


def _between_pairs(a: Sequence[Run], b: Sequence[Run]) -> float:
    """The standard error of the mean distance over all pairs, in ms, from how it differs from run to run.

    It is widened as Student's law is against the normal one, for as few runs as there are.
    """
    apart = np.array([[_apart(one, other) for other in b] for one in a])
    several = [means for means in (apart.mean(axis=1), apart.mean(axis=0)) if means.size > 1]
    freedom = sum(means.size - 1 for means in several)
    error = math.sqrt(sum(variance(means.tolist()) / means.size for means in several))
    return error * student_quantile(0.975, freedom) / _Z


def _apart(one: Run, other: Run) -> float:
    if one.weight is None and other.weight is None:
        return wasserstein(one.latency_ms, other.latency_ms)
    return distance(one.latency_ms, other.latency_ms, one.weight, other.weight).wasserstein
