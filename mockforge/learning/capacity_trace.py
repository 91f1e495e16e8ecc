"""What a capacity is learned from: the requests to one pool of an upstream, as columns."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_inversion import Times, in_flight

__all__ = ["Jobs", "Trace", "jobs_of", "sampled"]

#: A fit looks at so many exchanges at most, in contiguous segments.
_MOST_JOBS = 20_000
_SEGMENTS = 4
#: At the begin of a segment what came before is not known: so much of it says nothing of demands.
_WARM_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Trace:
    """Exchanges with one pool, all arrays of shape (n,), times in ns; order does not matter.

    `ttfb_ns` is -1 where no answer began, `status` 0 where none came. `operation` numbers the operations,
    -1 for none. `failed` is an error of any kind; `aborted` marks callers that left, whose `total_ns` is
    then their age. `retry_after_s` is NaN where the answer had none; empty where nothing is known of it.
    """

    arrived_ns: NDArray[np.int64]
    total_ns: NDArray[np.int64]
    ttfb_ns: NDArray[np.int64]
    operation: NDArray[np.int64]
    status: NDArray[np.int64]
    failed: NDArray[np.bool_]
    aborted: NDArray[np.bool_]
    retry_after_s: NDArray[np.float64]

    def usable(self) -> NDArray[np.int64]:
        """The indices of exchanges whose times can be, ordered by arrival; shape (m,), m <= n."""
        found = np.flatnonzero(self.total_ns > 0)
        return found[np.argsort(self.arrived_ns[found], kind="stable")]

    def taken(self, which: NDArray[np.int64]) -> Trace:
        """The exchanges with these indices."""
        columns = {each.name: getattr(self, each.name) for each in fields(self)}
        known = {name: column[which] for name, column in columns.items() if column.size}
        return Trace(**{**columns, **known})

    def answered_ns(self) -> Times:
        """To the first byte of the answer, or to the end where none began: what a mock's delay is."""
        began = (self.ttfb_ns > 0) & (self.ttfb_ns <= self.total_ns)
        return np.where(began, self.ttfb_ns, self.total_ns).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Jobs:
    """What came to the station, ordered by arrival, shape (n,); times are ns since the first arrival.

    `counted` are those whose demand can be told: answered, and not at the begin of what was recorded.
    """

    arrived: Times
    response: Times
    operation: NDArray[np.int64]
    counted: NDArray[np.bool_]

    @property
    def departed(self) -> Times:
        return self.arrived + self.response

    def in_flight(self) -> NDArray[np.int64]:
        """How many others each finds in progress."""
        return in_flight(self.arrived, self.departed)


def jobs_of(trace: Trace, admitted: NDArray[np.bool_], counted: NDArray[np.bool_]) -> Jobs:
    """The admitted exchanges of a trace in order of arrival; masks of shape (n,)."""
    arrived = (trace.arrived_ns - trace.arrived_ns[0]).astype(np.float64) if admitted.size else np.zeros(0)
    operation = trace.operation[admitted].astype(np.int64)
    return Jobs(arrived[admitted], trace.answered_ns()[admitted], operation, counted[admitted])


def sampled(jobs: Jobs) -> Jobs:
    """At most 20,000 jobs, in contiguous segments spread over all; each begins after the one before ended.

    Jobs that were in progress when a segment begins come first in it, and are not counted, nor are the first
    of its own.
    """
    size = jobs.arrived.size
    if size <= _MOST_JOBS:
        return _segment(jobs, 0, size, 0.0)
    length = _MOST_JOBS // _SEGMENTS
    parts: list[Jobs] = []
    for begin in np.linspace(0, size - length, _SEGMENTS).astype(np.int64).tolist():
        clock = float(parts[-1].departed.max()) + 1.0 if parts else 0.0
        parts.append(_segment(jobs, begin, length, clock))
    return Jobs(
        np.concatenate([part.arrived for part in parts]),
        np.concatenate([part.response for part in parts]),
        np.concatenate([part.operation for part in parts]),
        np.concatenate([part.counted for part in parts]),
    )


def _segment(jobs: Jobs, begin: int, length: int, clock: float) -> Jobs:
    """`length` jobs from `begin` on and what was in progress then, the first of them arriving at `clock`."""
    since = jobs.arrived[begin]
    before = np.flatnonzero(jobs.departed[:begin] > since)[-length:]
    which = np.concatenate([before, np.arange(begin, begin + length)])
    counted = jobs.counted[which]
    counted[: before.size + int(length * _WARM_SHARE)] = False
    arrived = np.maximum(jobs.arrived[which], since)
    return Jobs(arrived - since + clock, jobs.departed[which] - arrived, jobs.operation[which], counted)
