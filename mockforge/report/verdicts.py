"""Whether a mock is within its tolerance: intervals of each metric's deviation, and what they decide.

A metric is *within* when the whole interval is inside the tolerance, *outside* when the whole interval is
outside, else *inconclusive*: then the sample size that would decide it is told. Intervals of quantiles are
order statistics at the effective sample size, combined on the logarithm (half-widths in quadrature); of error
rates Newcombe's; of throughput, the mean of one-second bins with its dependence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mockforge.report.tolerances import Tolerances
from mockforge.stats.autocorrelation import autocorrelation_time, effective_size
from mockforge.stats.intervals import Interval, newcombe, quantile_interval
from mockforge.stats.two_sample import wasserstein

__all__ = [
    "LEVELS",
    "Metric",
    "Samples",
    "Verdict",
    "gap_metric",
    "judge",
    "metrics_of",
    "noise_floor",
    "overall_verdict",
]

#: The quantiles that are judged, by their metric's name.
LEVELS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
_BIN_NS = 1_000_000_000
_FEWEST_BINS = 8
#: Blocks of time that the real run is split into, even against odd, to see how much it differs from itself.
_BLOCKS = 20
_HUGE = 100.0
_Z = NormalDist().inv_cdf(0.975)


class Verdict(StrEnum):
    """What the interval of a metric says of its tolerance."""

    WITHIN = "within"
    OUTSIDE = "outside"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric's deviation with its 95 % interval, as shares (error rates: differences of shares).

    `needed` is how many times as many samples would decide it; None where it is decided or nothing would.
    """

    name: str
    deviation: float
    low: float
    high: float
    tolerance: float
    verdict: Verdict
    needed: float | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """One operation's requests of one run, in the order of their starts, all of shape (n,)."""

    start_ns: NDArray[np.int64]
    latency_ms: NDArray[np.float64]
    failed: NDArray[np.bool_]


def judge(name: str, deviation: float, low: float, high: float, tolerance: float) -> Metric:
    """The verdict on an interval."""
    if math.isnan(deviation) or math.isnan(low) or math.isnan(high):
        return Metric(name, deviation, -math.inf, math.inf, tolerance, Verdict.INCONCLUSIVE)
    if -tolerance <= low and high <= tolerance:
        return Metric(name, deviation, low, high, tolerance, Verdict.WITHIN)
    if low > tolerance or high < -tolerance:
        return Metric(name, deviation, low, high, tolerance, Verdict.OUTSIDE)
    return Metric(
        name, deviation, low, high, tolerance, Verdict.INCONCLUSIVE, _needed(deviation, low, high, tolerance)
    )


def _needed(deviation: float, low: float, high: float, tolerance: float) -> float | None:
    """Times as many samples: half-widths shrink with the root of their number."""
    room = abs(tolerance - abs(deviation))
    half = (high - low) / 2
    if not math.isfinite(half) or room < 0.02 * half:
        return None
    return (half / room) ** 2


def metrics_of(operation: str, a: Samples, b: Samples, tolerances: Tolerances) -> tuple[Metric, ...]:
    """Every metric of one operation, `a` real and `b` mock.

    Quantiles that either sample is too small to bound are left out, unless somebody gave them a tolerance.
    """
    found = []
    for name, probability in LEVELS.items():
        real = quantile_interval(a.latency_ms, probability)
        mock = quantile_interval(b.latency_ms, probability)
        if name not in tolerances.given and not (_bounded(real) and _bounded(mock)):
            continue
        floor = tolerances.floor_ms / real.estimate if real.estimate > 0 else math.inf
        deviation, low, high = _ratio(real, mock)
        found.append(judge(name, deviation, low, high, max(tolerances.of(operation, name), floor)))
    found.append(judge("error_rate", *_error_rates(a, b), tolerances.of(operation, "error_rate")))
    found.append(judge("throughput", *_throughput(a, b), tolerances.of(operation, "throughput")))
    return tuple(found)


def _bounded(interval: Interval) -> bool:
    return math.isfinite(interval.low) and math.isfinite(interval.high)


def gap_metric(operation: str, gap: float, floor: float, tolerances: Tolerances) -> Metric:
    """The verdict on a gap, `floor` being what two real runs differ by.

    Chance only ever adds to a distance: the interval reaches further down from it than up.
    """
    low = max(0.0, gap - 2 * floor)
    return judge("gap", gap, low, gap + floor, tolerances.of(operation, "gap"))


def _ratio(real: Interval, mock: Interval) -> tuple[float, float, float]:
    """The deviation of a quantile and its bounds; half-widths add in quadrature on the logarithm."""
    if not (real.estimate > 0 and mock.estimate > 0):
        return math.nan, math.nan, math.nan
    logarithm = math.log(mock.estimate / real.estimate)
    down = math.hypot(_log(mock.estimate, mock.low), _log(real.high, real.estimate))
    up = math.hypot(_log(mock.high, mock.estimate), _log(real.estimate, real.low))
    low, high = logarithm - down, logarithm + up
    return math.expm1(logarithm), math.expm1(low), math.expm1(high) if high < _HUGE else math.inf


def _log(upper: float, lower: float) -> float:
    """ln(upper / lower), infinite where a bound is not there."""
    if not math.isfinite(upper) or lower <= 0:
        return math.inf
    return math.log(upper / lower)


def _error_rates(a: Samples, b: Samples) -> tuple[float, float, float]:
    """The mock's error rate less the real one, with its interval; failures in bursts count for less."""
    worth = [effective_size(samples.failed.astype(np.float64)) for samples in (a, b)]
    shares = [float(samples.failed.mean()) if samples.failed.size else math.nan for samples in (a, b)]
    if any(math.isnan(share) for share in shares):
        return math.nan, math.nan, math.nan
    return newcombe(shares[1] * worth[1], worth[1], shares[0] * worth[0], worth[0])


def _throughput(a: Samples, b: Samples) -> tuple[float, float, float]:
    """The deviation of answers a second, with its interval from one-second bins."""
    means, errors = [], []
    for samples in (a, b):
        bins = _bins(samples)
        if bins.size < _FEWEST_BINS or not bins.any():
            return math.nan, math.nan, math.nan
        mean = float(bins.mean())
        means.append(mean)
        errors.append(float(bins.std(ddof=1)) * math.sqrt(autocorrelation_time(bins) / bins.size) / mean)
    logarithm, half = math.log(means[1] / means[0]), _Z * math.hypot(*errors)
    return math.expm1(logarithm), math.expm1(logarithm - half), math.expm1(logarithm + half)


def _bins(samples: Samples) -> NDArray[np.float64]:
    """Good answers that ended in each whole second of the run."""
    ends = samples.start_ns + (samples.latency_ms * 1e6).astype(np.int64)
    if not ends.size:
        return np.zeros(0)
    begin, end = int(samples.start_ns[0]), int(samples.start_ns[-1])
    seconds = (end - begin) // _BIN_NS
    within = (ends[~samples.failed] - begin) // _BIN_NS
    counts = np.bincount(within[(within >= 0) & (within < seconds)], minlength=max(int(seconds), 0))
    return counts.astype(np.float64)


def noise_floor(real: Samples, mock_count: int) -> float:
    """The gap that two runs of the real service would have by chance at these sizes; NaN where unknown.

    The real run's even blocks of time against its odd ones, scaled from their sizes to those of both runs.
    """
    latencies = real.latency_ms
    if latencies.size < 4 * _BLOCKS or not mock_count:
        return math.nan
    block = np.arange(latencies.size) * _BLOCKS // latencies.size % 2
    even, odd = latencies[block == 0], latencies[block == 1]
    scale = math.sqrt((1 / latencies.size + 1 / mock_count) / (1 / even.size + 1 / odd.size))
    mean = float(latencies.mean())
    return wasserstein(even, odd) / mean * scale if mean else math.nan


def overall_verdict(metrics: list[Metric]) -> Verdict:
    """Outside if any is, else inconclusive if any is, else within."""
    verdicts = {metric.verdict for metric in metrics}
    for verdict in (Verdict.OUTSIDE, Verdict.INCONCLUSIVE):
        if verdict in verdicts:
            return verdict
    return Verdict.WITHIN
