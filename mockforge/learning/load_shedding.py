"""Refusals found in a recording: answers that say no at once, and by what the backend decides.

A full queue refuses by how many are in flight, a rate limit by how many came lately. Each rule is tried on
all requests: it holds where it tells the refused from the admitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_inversion import Times
from mockforge.learning.capacity_trace import Trace

__all__ = ["QueueLimit", "RateLimitFit", "Shedding", "find_shedding", "refused"]

_TOO_MANY = 429
_UNAVAILABLE = 503
_FEW = 10
#: A rule holds where it is right of so many of the refused and of the admitted, on average.
_RIGHT = 0.95
#: How much better a rate limit has to be right than a queue limit, which it can look like.
_CLEARER = 0.02
_ROUNDS = 6
_RATES = np.linspace(0.97, 1.05, 17)


@dataclass(frozen=True, slots=True)
class QueueLimit:
    """Refused where `in_flight` were in the backend; `right` is how well that tells the refused, 0..1."""

    in_flight: int
    right: float


@dataclass(frozen=True, slots=True)
class RateLimitFit:
    """Refused beyond `per_second` on average and `burst` at once; `right` as for a queue limit."""

    per_second: float
    burst: int
    right: float


@dataclass(frozen=True, slots=True)
class Shedding:
    """What was refused and by what rule. `status` is None where nothing was refused, 0 for no answer.

    `refusal_ms` is the median time that a refusal took, `retry_after_s` the median `Retry-After` of those
    that had one. `reason` says what was found, for people.
    """

    count: int
    status: int | None
    reason: str
    refusal_ms: float | None = None
    queue_limit: QueueLimit | None = None
    rate_limit: RateLimitFit | None = None
    retry_after_s: float | None = None


def refused(trace: Trace) -> NDArray[np.bool_]:
    """Which exchanges were turned away before any work, shape (n,).

    These are answers 429, and answers 503 or no answer at all that took no longer than half of all good ones.
    """
    took = trace.answered_ns()
    good = took[~trace.failed & ~trace.aborted]
    quick = took <= np.median(good) if good.size else np.zeros(took.size, dtype=np.bool_)
    turned_away = (trace.status == _TOO_MANY) | (
        ((trace.status == _UNAVAILABLE) | (trace.status == 0)) & quick
    )
    return np.asarray(turned_away & trace.failed & ~trace.aborted, dtype=np.bool_)


def find_shedding(trace: Trace, turned_away: NDArray[np.bool_]) -> Shedding:
    """By what rule requests were refused; `trace` is ordered by arrival, the mask of shape (n,)."""
    count = int(turned_away.sum())
    if count == 0:
        return Shedding(0, None, "not seen: nothing was refused")
    statuses, counts = np.unique(trace.status[turned_away], return_counts=True)
    status = int(statuses[np.argmax(counts)])
    took_ms = float(np.median(trace.answered_ns()[turned_away])) / 1e6
    asked = trace.retry_after_s[turned_away] if trace.retry_after_s.size else np.zeros(0)
    asked = asked[np.isfinite(asked)]
    retry_after_s = float(np.median(asked)) if asked.size else None
    if count < _FEW or count == turned_away.size:
        reason = f"{count} of {turned_away.size} refused with {status}: too few to tell by what rule"
        if count >= _FEW:
            reason = f"everything was refused with {status}"
        return Shedding(count, status, reason, took_ms, retry_after_s=retry_after_s)
    arrived = (trace.arrived_ns - trace.arrived_ns[0]).astype(np.float64)
    queue = _queue_limit(arrived, trace.answered_ns(), turned_away)
    rate = _rate_limit(arrived, turned_away)
    by_rate = rate.right > queue.right + _CLEARER
    if max(queue.right, rate.right) < _RIGHT:
        reason = f"{count} refused with {status}, neither by the number in flight nor by the rate"
        return Shedding(count, status, reason, took_ms, retry_after_s=retry_after_s)
    reason = (
        f"{count} refused with {status}: more than {rate.per_second:.4g} a second, {rate.burst} at once"
        if by_rate
        else f"{count} refused with {status}: {queue.in_flight} were in flight"
    )
    return Shedding(
        count,
        status,
        reason,
        took_ms,
        queue_limit=None if by_rate else queue,
        rate_limit=rate if by_rate else None,
        retry_after_s=retry_after_s,
    )


def _queue_limit(arrived: Times, took: Times, turned_away: NDArray[np.bool_]) -> QueueLimit:
    """The number in flight that tells the refused best: of all thresholds, the one most often right."""
    admitted = ~turned_away
    gone = np.searchsorted(np.sort((arrived + took)[admitted]), arrived, side="right")
    found = np.maximum(np.cumsum(admitted) - admitted - gone, 0)
    most = int(found.max())
    full = np.bincount(found[turned_away], minlength=most + 1)[::-1].cumsum()[::-1] / turned_away.sum()
    let_in = np.bincount(found[admitted], minlength=most + 1)[::-1].cumsum()[::-1] / admitted.sum()
    right = (full + 1 - let_in) / 2
    right[0] = 0.5
    best = int(np.argmax(right))
    return QueueLimit(best, float(right[best]))


def _rate_limit(arrived: Times, turned_away: NDArray[np.bool_]) -> RateLimitFit:
    """The token bucket that tells the refused best."""
    refusals = np.flatnonzero(turned_away)
    between_s = np.diff(arrived[refusals]) / 1e9
    let_in = np.diff(refusals) - 1
    rate = _steady_rate(between_s, let_in)
    if rate <= 0:
        return RateLimitFit(0.0, 0, 0.5)
    found = [_bucket(arrived, turned_away, rate * factor) for factor in _RATES.tolist()]
    return max(found, key=lambda fit: fit.right)


def _steady_rate(between_s: Times, let_in: NDArray[np.int64]) -> float:
    """Tokens a second: what was let in between refusals, without the gaps in which the bucket ran over.

    At a refusal there is less than one token: in between as many came as were taken, give or take one.
    """
    kept = between_s > 0
    rate = 0.0
    for _ in range(_ROUNDS):
        spent = float(between_s[kept].sum())
        if spent <= 0:
            return 0.0
        rate = float(let_in[kept].sum()) / spent
        kept = (between_s > 0) & (let_in + 1 >= 0.9 * rate * between_s)
    return rate


def _bucket(arrived: Times, turned_away: NDArray[np.bool_], per_second: float) -> RateLimitFit:
    """How well a bucket with so many tokens a second, of the size that suits it best, tells the refused."""
    missing, taken, last = np.empty(arrived.size), 0.0, 0.0
    for index, (now, no) in enumerate(zip((arrived / 1e9).tolist(), turned_away.tolist(), strict=True)):
        taken = max(0.0, taken - (now - last) * per_second)
        last = now
        missing[index] = taken
        if not no:
            taken += 1.0
    burst = max(1, round(float(np.median(missing[turned_away])) + 0.5))
    empty = missing > burst - 1 - 1e-6
    right = (float(empty[turned_away].mean()) + float((~empty[~turned_away]).mean())) / 2
    return RateLimitFit(per_second, burst, right)
