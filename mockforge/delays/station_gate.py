"""A gate before a station: it lets one job through each so long, and the others wait in order.

Throttles that delay instead of refusing are of this kind (nginx's `limit_req` without `nodelay`, the leaky
bucket as a shaper). Unlike a server, a gate that a job has passed is closed for those behind it alone: the
job itself does not wait for that time.
"""

from __future__ import annotations

from collections import OrderedDict

from mockforge.delays.station import QUEUE_FULL, Job, Refusal, Station

__all__ = ["Gate"]


class Gate:
    """Lets a job into `station` each `gap_ns`, in the order in which they came; the first one at once.

    Where `queue_limit` wait at the gate already, one more is refused. Who leaves the queue gives nobody
    behind it an earlier turn. The station itself must refuse nobody.
    """

    def __init__(self, station: Station, gap_ns: float, queue_limit: int | None = None) -> None:
        self._station = station
        self._gap_ns = gap_ns
        self._queue_limit = queue_limit
        #: When the gate opens for the next job.
        self._opens_ns = float("-inf")
        #: By job, in order: when it passes, and its demand.
        self._queue: OrderedDict[Job, tuple[int, int]] = OrderedDict()

    @property
    def in_flight(self) -> int:
        return self._station.in_flight + len(self._queue)

    @property
    def waiting(self) -> int:
        return self._station.waiting + len(self._queue)

    def arrive(self, now_ns: int, demand_ns: int, job: Job) -> Refusal | None:
        self._pass(now_ns)
        if self._opens_ns <= now_ns:
            self._opens_ns = now_ns + self._gap_ns
            return self._station.arrive(now_ns, demand_ns, job)
        if self._queue_limit is not None and len(self._queue) >= self._queue_limit:
            return QUEUE_FULL
        self._queue[job] = (round(self._opens_ns), demand_ns)
        self._opens_ns += self._gap_ns
        return None

    def leave(self, now_ns: int, job: Job) -> None:
        self._pass(now_ns)
        if self._queue.pop(job, None) is None:
            self._station.leave(now_ns, job)

    def next_ns(self) -> int | None:
        own_ns = self._station.next_ns()
        if not self._queue:
            return own_ns
        passes_ns = next(iter(self._queue.values()))[0]
        return passes_ns if own_ns is None else min(own_ns, passes_ns)

    def advance(self, now_ns: int) -> list[tuple[int, Job]]:
        self._pass(now_ns)
        return self._station.advance(now_ns)

    def _pass(self, now_ns: int) -> None:
        """Let through those whose turn has come."""
        queue = self._queue
        while queue:
            job, (passes_ns, demand_ns) = next(iter(queue.items()))
            if passes_ns > now_ns:
                return
            del queue[job]
            self._station.arrive(passes_ns, demand_ns, job)
