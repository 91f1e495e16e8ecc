"""A time limit at a station: who is not done in time gets another answer, and may leave work behind.

A gateway waits so long for its backend and then answers 504. The backend finds that out when it writes, and
works until then (its place is kept), or it is told at once (its place is freed). Under a load that it cannot
bear, that makes the difference between answering some in time and answering none.
"""

from __future__ import annotations

import heapq
from itertools import count

from mockforge.delays.station import Job, Refusal, Station

__all__ = ["TimeLimited"]


class TimeLimited:
    """A station at which nobody waits longer than `limit_ns`, counted from the arrival.

    With `frees`, the place of one that was not done in time is free at once. `advance` gives those that were
    done in time, `expired` the others, at the time at which their limit was reached. A step costs O(log n).
    """

    def __init__(self, station: Station, limit_ns: int, *, frees: bool) -> None:
        self._station = station
        self._limit_ns = limit_ns
        self._frees = frees
        #: Jobs have a number in the station, so that one that is kept there is nobody's any more.
        self._numbers = count()
        self._awaited: dict[int, Job] = {}
        self._number_of: dict[Job, int] = {}
        self._limits: list[tuple[int, int]] = []
        self._done: list[tuple[int, Job]] = []
        self._expired: list[tuple[int, Job]] = []

    @property
    def in_flight(self) -> int:
        """Those that are worked for or wait, be it for nobody any more."""
        return self._station.in_flight

    @property
    def waiting(self) -> int:
        return self._station.waiting

    def arrive(self, now_ns: int, demand_ns: int, job: Job, after_ns: int = 0) -> Refusal | None:
        """Let `job` in, or say why not; of its time, `after_ns` are spent after the station."""
        self._pass(now_ns)
        number = next(self._numbers)
        refusal = self._station.arrive(now_ns, demand_ns, number)
        if refusal is None:
            self._awaited[number] = job
            self._number_of[job] = number
            heapq.heappush(self._limits, (now_ns + max(0, self._limit_ns - after_ns), number))
        return refusal

    def leave(self, now_ns: int, job: Job) -> None:
        self._pass(now_ns)
        number = self._number_of.get(job)
        if number is not None:
            self._forget(number)
            self._station.leave(now_ns, number)

    def next_ns(self) -> int | None:
        ends = (self._done, self._expired)
        if any(ends):
            return min(end[0][0] for end in ends if end)
        limit_ns, own_ns = self._first_limit(), self._station.next_ns()
        if limit_ns is None or own_ns is None:
            return own_ns if limit_ns is None else limit_ns
        return min(limit_ns, own_ns)

    def advance(self, now_ns: int) -> list[tuple[int, Job]]:
        self._pass(now_ns)
        done, self._done = self._done, []
        return done

    def expired(self, now_ns: int) -> list[tuple[int, Job]]:
        """The jobs that were not done in time by `now_ns` and were not given yet: since when, and which."""
        self._pass(now_ns)
        expired, self._expired = self._expired, []
        return expired

    def _pass(self, now_ns: int) -> None:
        while (limit_ns := self._first_limit()) is not None and limit_ns <= now_ns:
            self._collect(limit_ns)  # one that is done just in time is in time
            number = self._limits[0][1]
            if number in self._awaited:
                self._expired.append((limit_ns, self._forget(number)))
                if self._frees:
                    self._station.leave(limit_ns, number)
        self._collect(now_ns)

    def _collect(self, now_ns: int) -> None:
        for at_ns, number in self._station.advance(now_ns):
            if number in self._awaited:
                self._done.append((at_ns, self._forget(number)))

    def _first_limit(self) -> int | None:
        limits = self._limits
        while limits and limits[0][1] not in self._awaited:
            heapq.heappop(limits)
        return limits[0][0] if limits else None

    def _forget(self, number: int) -> Job:
        job = self._awaited.pop(number)
        del self._number_of[job]
        return job
