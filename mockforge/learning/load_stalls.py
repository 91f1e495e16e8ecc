"""Stalls found in a recording: moments in which everything stands still, and goes on.

Nothing completes for much longer than the usual pace allows, with work inside. As a service of one server
also does that while it works on one long job, more has to speak for a stall: either those that were inside
complete together after it, or such gaps are several and stand apart from all shorter ones, or are beyond
what those before them let expect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_inversion import Inside, Times
from mockforge.learning.capacity_trace import Jobs

__all__ = ["Stall", "StallFit", "find_stalls", "without_stalls"]

#: One gap in so many recordings like this one is as long as the shortest that counts.
_FALSE_ALARM = 0.01
_LEAST_GAPS = 50
#: After a stall, what completes within this share of it is looked at.
_AFTER = 0.25
_LEAST_BURST = 5
_BURST_SURPRISE = 10.0
_LEAST_APART = 3
#: Gaps stand apart where the shortest of them is so many times the longest other.
_APART = 2.0
_LEAST_STATE_COUNT = 30
#: Between these quantiles lies the tail that stalls are beyond, with so many gaps or more.
_TAIL = (0.95, 0.98)
_LEAST_IN_TAIL = 25


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing completed from `start_ns`, counted from the first arrival, for `duration_ns`.

    `surprise` is the number of completions that the usual pace gives in that time: chance has e^-surprise.
    """

    start_ns: int
    duration_ns: int
    surprise: float


@dataclass(frozen=True, slots=True)
class StallFit:
    """The stalls, in order; `reason` says what speaks for them or against any, for people."""

    stalls: tuple[Stall, ...]
    reason: str


def find_stalls(jobs: Jobs) -> StallFit:
    """The stalls among jobs ordered by arrival."""
    if jobs.arrived.size < _LEAST_GAPS:
        return StallFit((), f"too few requests to tell: {jobs.arrived.size}")
    begin, end, paces = _gaps(jobs)
    if begin.size < _LEAST_GAPS:
        return StallFit((), f"too few gaps between completions to tell: {begin.size}")
    length = end - begin
    surprise = length * paces
    long = surprise > math.log(begin.size / _FALSE_ALARM)
    if not long.any():
        return StallFit((), "not seen: no gap between completions is longer than chance has it")
    completed = np.sort(jobs.departed)
    burst = long & _bursts(completed, end, length, paces)
    apart = _stand_apart(length, long) | _beyond_tail(surprise, long)
    stalled = burst | apart
    if not stalled.any():
        reason = f"not seen: {int(long.sum())} long gaps, as long jobs make them; nothing piles up behind"
        return StallFit((), reason)
    usual = 1.0 / paces
    found = tuple(
        Stall(int(begin[i]), int(max(1.0, length[i] - usual[i])), float(surprise[i]))
        for i in np.flatnonzero(stalled)
    )
    how = (
        "and then many completions at once" if burst.sum() * 2 >= stalled.sum() else "far from all other gaps"
    )
    middle = float(np.median([stall.duration_ns for stall in found])) / 1e6
    return StallFit(found, f"{len(found)} stalls, {middle:.3g} ms in the median, {how}")


def _gaps(jobs: Jobs) -> tuple[Times, Times, Times]:
    """Begin and end of each time without completions with jobs inside, and the pace usual then (1/ns)."""
    completed = np.sort(jobs.departed)
    left = np.searchsorted(jobs.arrived, completed, side="right") - np.arange(1, completed.size + 1)
    following = np.minimum(np.searchsorted(jobs.arrived, completed, side="right"), jobs.arrived.size - 1)
    begin = np.where(left > 0, completed, jobs.arrived[following])[:-1]
    end = completed[1:]
    state = np.maximum(left[:-1], 1)
    kept = end > begin
    return begin[kept], end[kept], _paces(jobs)[state[kept]]


def _paces(jobs: Jobs) -> Times:
    """Completions a ns with 0, 1, 2 .. inside, each from the states around it that have 30 or more.

    The longest gaps are in it: it is the pace with stalls, and less than the one without.
    """
    bounds = np.array([0.0, np.inf])
    departures, times = (each[0] for each in Inside(jobs.arrived, jobs.departed).states(bounds))
    paces, first = np.zeros(departures.size + 1), 0
    for last in range(departures.size):
        pooled = slice(first, last + 1)
        if departures[pooled].sum() >= _LEAST_STATE_COUNT and times[pooled].sum() > 0:
            paces[first + 1 : last + 2] = departures[pooled].sum() / times[pooled].sum()
            first = last + 1
    overall = departures.sum() / max(1.0, float(times.sum()))
    paces[first + 1 :] = paces[first] if first else overall
    paces[0] = paces[1] if paces.size > 1 else overall
    return np.maximum(paces, 1e-18)


def _bursts(completed: Times, end: Times, length: Times, paces: Times) -> NDArray[np.bool_]:
    """Whether much more completes right after each gap than the usual pace gives (Chernoff's bound)."""
    after = np.searchsorted(completed, end + _AFTER * length, side="right") - np.searchsorted(completed, end)
    expected = np.maximum(_AFTER * length * paces, 1e-9)
    count = np.maximum(after, 1)
    surprise = count * np.log(count / expected) - count + expected
    return np.asarray((after >= _LEAST_BURST) & (after > expected) & (surprise > _BURST_SURPRISE))


def _stand_apart(length: Times, long: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The longest gaps, where they are several, all too long for chance, and far longer than the next."""
    order = np.argsort(length)[::-1]
    ordered = length[order]
    for count in range(_LEAST_APART, min(int(long.sum()), ordered.size - 1) + 1):
        if long[order[:count]].all() and ordered[count - 1] > _APART * ordered[count]:
            found = np.zeros(length.size, dtype=np.bool_)
            found[order[:count]] = True
            return found
    return np.zeros(length.size, dtype=np.bool_)


def _beyond_tail(surprise: Times, long: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Gaps, where they are several, that a Pareto tail through those before them does not reach.

    Its index is Hill's, of the gaps above the 95th percentile, those above the 98th counted as censored.
    Most tails are lighter, and so are none of theirs taken for stalls.
    """
    low, high = np.quantile(surprise, _TAIL)
    above = surprise[surprise > low]
    within = int((above <= high).sum())
    if within < _LEAST_IN_TAIL or low <= 0:
        return np.zeros(surprise.size, dtype=np.bool_)
    index = float(np.log(np.minimum(above, high) / low).sum()) / within
    reach = low * (above.size / _FALSE_ALARM) ** index
    found = long & (surprise > reach)
    return found if found.sum() >= _LEAST_APART else np.zeros(surprise.size, dtype=np.bool_)


def without_stalls(jobs: Jobs, stalls: tuple[Stall, ...]) -> Jobs:
    """The jobs on a clock that stands while the backend does."""
    if not stalls:
        return jobs
    edges, lost, before = [0.0], [0.0], 0.0
    for stall in stalls:
        edges += [float(stall.start_ns), float(stall.start_ns + stall.duration_ns)]
        lost += [before, before + stall.duration_ns]
        before += stall.duration_ns
    arrived = jobs.arrived - np.interp(jobs.arrived, edges, lost)
    departed = jobs.departed - np.interp(jobs.departed, edges, lost)
    return Jobs(arrived, np.maximum(departed - arrived, 0.0), jobs.operation, jobs.counted)
