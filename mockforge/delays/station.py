"""Stations: where requests wait for, or share, what a backend has little of.

A station is told of arrivals, each with its demand: the time that it would take alone. It answers with the
times at which the jobs complete. It has no clock: whoever runs it says what time it is, never earlier than
before, and asks when it has to be told again.

    Fifo            c servers, one job each; the others wait in the order in which they came
    Sharing         generalised processor sharing: each of n jobs proceeds at φ(n)/n, where φ(n), the `curve`,
                    is the rate of completions with n jobs over that with one; φ(n) = min(n, c) is c servers
    LimitedSharing  at most so many share, the others wait in the order in which they came

Times and demands are in nanoseconds, one unit for all; completions are rounded to whole ones. A step costs
O(log n) of the jobs in progress: sharing counts in virtual time, the work that each job in progress has had
so far, in which a job that arrives at v with demand x completes at v + x whatever comes later.
"""

from __future__ import annotations

import heapq
import math
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

__all__ = ["QUEUE_FULL", "Fifo", "Job", "LimitedSharing", "Refusal", "Sharing", "Station"]

#: Whatever tells one request from the others that are in the station with it.
Job = Hashable

#: So many jobs that left may stay in a heap that holds no more than as many others.
_MOST_GONE = 64


class Refusal(NamedTuple):
    """Why a job was not let in, and after how long it would be, where that is known."""

    reason: str
    retry_after_ns: int | None = None


QUEUE_FULL = Refusal("queue full")

#: What a station counts the ends of its jobs in: time, or work.
_End = TypeVar("_End", int, float)


class Station(Protocol):
    """What jobs come to, wait at and complete in."""

    @property
    def in_flight(self) -> int:
        """Jobs in the station, those that wait included."""
        ...

    @property
    def waiting(self) -> int:
        """Jobs whose service has not begun."""
        ...

    def arrive(self, now_ns: int, demand_ns: int, job: Job) -> Refusal | None:
        """Let `job` in, or say why not."""
        ...

    def leave(self, now_ns: int, job: Job) -> None:
        """Free the place of a job that nobody waits for any more; nothing where it has none."""
        ...

    def next_ns(self) -> int | None:
        """When the next job completes if nothing else happens; None when there is none."""
        ...

    def advance(self, now_ns: int) -> list[tuple[int, Job]]:
        """The jobs that have completed by `now_ns` and were not given yet: when, and which, in order."""
        ...


class _Queue(Generic[_End]):
    """What stations have in common: `places` for jobs in progress, a queue before them, a heap of their ends.

    `_heap` holds the ends in whatever a station counts in. A job that left stays in it until it comes up:
    what `_inside` does not know under the same number is passed over.
    """

    def __init__(self, places: int | None, queue_limit: int | None) -> None:
        self._places = math.inf if places is None else places
        self._queue_limit = math.inf if queue_limit is None else queue_limit
        self._heap: list[tuple[_End, int, Job]] = []
        self._inside: dict[Job, int] = {}
        self._waiting: OrderedDict[Job, int] = OrderedDict()
        self._done: list[tuple[int, Job]] = []
        self._number = 0

    @property
    def in_flight(self) -> int:
        return len(self._inside) + len(self._waiting)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def arrive(self, now_ns: int, demand_ns: int, job: Job) -> Refusal | None:
        self._pass(now_ns)
        if len(self._inside) < self._places:
            self._begin(now_ns, demand_ns, job)
        elif len(self._waiting) < self._queue_limit:
            self._waiting[job] = demand_ns
        else:
            return QUEUE_FULL
        return None

    def leave(self, now_ns: int, job: Job) -> None:
        self._pass(now_ns)
        if self._waiting.pop(job, None) is not None or self._inside.pop(job, None) is None:
            return
        self._begin_next(now_ns)
        if len(self._heap) > 2 * len(self._inside) + _MOST_GONE:
            self._heap = [entry for entry in self._heap if self._inside.get(entry[2]) == entry[1]]
            heapq.heapify(self._heap)

    def next_ns(self) -> int | None:
        return self._done[0][0] if self._done else self._next_end()

    def advance(self, now_ns: int) -> list[tuple[int, Job]]:
        self._pass(now_ns)
        done = self._done
        self._done = []
        return done

    @abstractmethod
    def _pass(self, now_ns: int) -> None:
        """Let the time pass: move what completes by then to `_done`, and begin what waited for its place."""

    @abstractmethod
    def _next_end(self) -> int | None:
        """When the next job in progress completes."""

    @abstractmethod
    def _begin(self, now_ns: int, demand_ns: int, job: Job) -> None:
        """Begin a job for which there is a place."""

    def _begin_next(self, now_ns: int) -> None:
        """Begin the first of those that wait, where there is one: a place is free."""
        if self._waiting:
            job, demand_ns = self._waiting.popitem(last=False)
            self._begin(now_ns, demand_ns, job)

    def _first_end(self) -> _End | None:
        """Where the first of the jobs in progress ends; None when there is none."""
        heap = self._heap
        while heap and self._inside.get(heap[0][2]) != heap[0][1]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None


class Fifo(_Queue[int]):
    """`servers` that serve one job each, the others waiting in order; with None, all are served at once.

    Where `queue_limit` wait already, one more is refused.
    """

    def __init__(self, servers: int | None, queue_limit: int | None = None) -> None:
        super().__init__(servers, queue_limit)

    def _begin(self, now_ns: int, demand_ns: int, job: Job) -> None:
        self._number += 1
        self._inside[job] = self._number
        heapq.heappush(self._heap, (now_ns + demand_ns, self._number, job))

    def _pass(self, now_ns: int) -> None:
        heap, inside = self._heap, self._inside
        while heap and heap[0][0] <= now_ns:
            end_ns, number, job = heapq.heappop(heap)
            if inside.get(job) == number:
                del inside[job]
                self._done.append((end_ns, job))
                self._begin_next(end_ns)

    def _next_end(self) -> int | None:
        return self._first_end()


class LimitedSharing(_Queue[float]):
    """At most `most` jobs share by `curve`, the others waiting in order; with None, all share.

    `curve[n - 1]` is φ(n), above 0; beyond its end it is flat. Where `queue_limit` wait already, one more is
    refused.
    """

    def __init__(self, curve: Sequence[float], most: int | None, queue_limit: int | None = None) -> None:
        super().__init__(most, queue_limit)
        if not curve or min(curve) <= 0:
            raise ValueError(f"a capacity curve has values above 0, not {list(curve)!r}")
        self._flat = float(curve[-1])
        #: The pace of each of n jobs, for as far as the curve goes; there is none of no job.
        self._paces = [math.nan, *(phi / n for n, phi in enumerate(curve, 1))]
        # Since when the station is busy, the time since then, and the work that each job has had since then.
        self._since_ns = 0
        self._passed_ns = 0.0
        self._attained_ns = 0.0

    def _begin(self, now_ns: int, demand_ns: int, job: Job) -> None:
        self._number += 1
        self._inside[job] = self._number
        heapq.heappush(self._heap, (self._attained_ns + demand_ns, self._number, job))

    def _pass(self, now_ns: int) -> None:
        heap, inside, since_ns = self._heap, self._inside, self._since_ns
        while heap:
            upto_ns, number, job = heap[0]
            if inside.get(job) != number:
                heapq.heappop(heap)
                continue
            passed_ns = self._passed_at(upto_ns)
            end_ns = since_ns + round(passed_ns)
            if end_ns > now_ns:
                break
            heapq.heappop(heap)
            del inside[job]
            self._passed_ns, self._attained_ns = passed_ns, upto_ns
            self._done.append((end_ns, job))
            self._begin_next(end_ns)
        if not inside:  # a busy time is over; the next one counts from its own begin
            self._since_ns = now_ns
            self._passed_ns = self._attained_ns = 0.0
            return
        left_ns = now_ns - since_ns - self._passed_ns
        if left_ns > 0:
            self._passed_ns += left_ns
            self._attained_ns += left_ns * self._pace()

    def _next_end(self) -> int | None:
        upto_ns = self._first_end()
        return None if upto_ns is None else self._since_ns + round(self._passed_at(upto_ns))

    def _passed_at(self, upto_ns: float) -> float:
        """The busy time after which each job in progress will have had so much work."""
        left_ns = upto_ns - self._attained_ns
        return self._passed_ns + left_ns / self._pace() if left_ns > 0 else self._passed_ns

    def _pace(self) -> float:
        """The rate at which each job in progress proceeds."""
        n = len(self._inside)
        return self._paces[n] if n < len(self._paces) else self._flat / n


class Sharing(LimitedSharing):
    """All jobs share by `curve`; nothing waits. Where `queue_limit` are in progress, one more is refused."""

    def __init__(self, curve: Sequence[float], queue_limit: int | None = None) -> None:
        super().__init__(curve, queue_limit, 0)
