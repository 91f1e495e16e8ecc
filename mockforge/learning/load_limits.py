"""Time limits and cold starts found in a recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_inversion import Times
from mockforge.learning.capacity_trace import Trace
from mockforge.stats.ranks import levels

__all__ = ["ColdStart", "TimeLimit", "find_cold_start", "find_time_limit", "not_in_time"]

_FEW = 10
#: Ages are the same within this share of them, or this time.
_SAME_SHARE = 0.02
_SAME_NS = 5e6
_AGREEING = 0.6
_GATEWAY_TIMEOUT = 504
_REQUEST_TIMEOUT = 408
_UNAVAILABLE = 503

_WINDOW = 10
_SLOWER = 1.5
#: Standard deviations by which the first ones' mean rank must be above the others'.
_EVIDENCE = 4.0
_LONGEST_SHARE = 0.2
_LEAST_IDLE_NS = 1e9
_IDLE_GAPS = 20.0
_LEAST_IDLE = 5


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """Requests end at one age without an answer: `limit_ms`, None where not seen; `by` caller or backend."""

    limit_ms: float | None
    by: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class ColdStart:
    """The first requests are slower by `factor`, for `lasts_ms` and `count` requests.

    `factor` is None where they are not. `after_idle` is the factor of the first request after a pause of
    `idle_ms` and more, None where there were too few pauses or no difference.
    """

    factor: float | None
    lasts_ms: float
    count: int
    reason: str
    after_idle: float | None = None
    idle_ms: float | None = None


def find_time_limit(trace: Trace) -> TimeLimit:
    """Whether failures come at a constant age, and on whose side."""
    sides = {"caller": trace.aborted, "backend": _gave_up(trace)}
    found = [limit for by, those in sides.items() if (limit := _common_age(trace, those, by)) is not None]
    if not found:
        count = int(trace.aborted.sum() + sides["backend"].sum())
        reason = f"not seen: {count} requests ended without an answer, at no common age"
        return TimeLimit(None, "", 0, reason if count else "not seen: every request was answered")
    return max(found, key=lambda limit: limit.count)


def not_in_time(trace: Trace, limit: TimeLimit) -> NDArray[np.bool_]:
    """Which exchanges the backend ended as their time was up, shape (n,)."""
    if limit.limit_ms is None or limit.by != "backend":
        return np.zeros(trace.status.size, dtype=np.bool_)
    limit_ns = limit.limit_ms * 1e6
    near = np.abs(trace.total_ns - limit_ns) <= max(limit_ns * _SAME_SHARE, _SAME_NS)
    return np.asarray(_gave_up(trace) & near, dtype=np.bool_)


def _gave_up(trace: Trace) -> NDArray[np.bool_]:
    statuses = (0, _GATEWAY_TIMEOUT, _REQUEST_TIMEOUT, _UNAVAILABLE)
    return np.asarray(trace.failed & ~trace.aborted & np.isin(trace.status, statuses), dtype=np.bool_)


def _common_age(trace: Trace, those: NDArray[np.bool_], by: str) -> TimeLimit | None:
    """The age at which most of those ended, if it is longer than most answers take."""
    ages = np.sort(trace.total_ns[those].astype(np.float64))
    if ages.size < _FEW:
        return None
    reach = np.maximum(ages * _SAME_SHARE, _SAME_NS)
    agreeing = np.searchsorted(ages, ages + reach, side="right") - np.arange(ages.size)
    best = int(np.argmax(agreeing))
    count = int(agreeing[best])
    limit_ns = float(np.median(ages[best : best + count]))
    answers = trace.total_ns[~trace.failed & ~trace.aborted]
    if count < _AGREEING * ages.size or (answers.size and limit_ns < np.quantile(answers, 0.9)):
        return None
    reason = f"{count} of {ages.size} requests without an answer ended at {limit_ns / 1e6:.4g} ms"
    return TimeLimit(limit_ns / 1e6, by, count, reason)


def find_cold_start(
    arrived: Times, response: Times, demands: Times, operation: NDArray[np.int64]
) -> ColdStart:
    """Whether the first answers, or those after a pause, are slow; times in ns, shape (n,), by arrival.

    Both response times and demands must say so: the first may rest on a queue, the second on what was in
    flight when the recording began.
    """
    if arrived.size < 5 * _WINDOW:
        return ColdStart(None, 0.0, 0, f"too few answers to tell: {arrived.size}")
    rank = np.minimum(levels(response, operation), levels(demands, operation))
    relative = np.minimum(_relative(response, operation), _relative(demands, operation))
    after_idle, idle_ms = _after_idle(arrived, rank, relative)
    count = _slow_begin(relative)
    if count == 0 or rank[:count].mean() < _EVIDENCE * np.sqrt(1 / (12 * count)):
        reason = "not seen: the first requests are no slower than the others"
        return ColdStart(None, 0.0, 0, reason, after_idle, idle_ms)
    factor = float(np.median(relative[:count]))
    lasts_ms = float(arrived[count - 1] - arrived[0]) / 1e6
    reason = f"the first {count} requests, {lasts_ms:.3g} ms, take {factor:.2g} times as long"
    return ColdStart(factor, lasts_ms, count, reason, after_idle, idle_ms)


def _relative(values: Times, operation: NDArray[np.int64]) -> Times:
    """Values over their operation's median."""
    found = np.ones(values.size)
    for name in np.unique(operation).tolist():
        own = operation == name
        found[own] = values[own] / max(1.0, float(np.median(values[own])))
    return found


def _slow_begin(relative: Times) -> int:
    """How many of the first are slow: whole windows of 10, until one is not in its median."""
    most = int(relative.size * _LONGEST_SHARE) // _WINDOW
    windows = np.median(relative[: most * _WINDOW].reshape(-1, _WINDOW), axis=1)
    calm = np.flatnonzero(windows < _SLOWER)
    return int(calm[0]) * _WINDOW if calm.size else 0


def _after_idle(arrived: Times, rank: Times, relative: Times) -> tuple[float | None, float | None]:
    """The factor of requests that come after a pause, and the shortest such pause in ms.

    Of all lengths that a pause can be called long from, the one after which requests stand out most.
    """
    gaps = np.diff(arrived)
    pause = max(_LEAST_IDLE_NS, _IDLE_GAPS * float(np.median(gaps)))
    first = np.flatnonzero(gaps >= pause) + 1
    first = first[np.argsort(-gaps[first - 1], kind="stable")]
    if first.size < _LEAST_IDLE:
        return None, None
    count = np.arange(1, first.size + 1)
    evidence = np.cumsum(rank[first]) / np.sqrt(count / 12)
    evidence[: _LEAST_IDLE - 1] = 0.0
    best = int(np.argmax(evidence))
    factor = float(np.median(relative[first[: best + 1]]))
    if evidence[best] <= _EVIDENCE or factor <= _SLOWER:
        return None, None
    return factor, float(gaps[first[best] - 1]) / 1e6
