"""Pools as they run: a station, the rate limit before it, and what is counted of both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mockforge.delays.cold_starts import ColdStarts
from mockforge.delays.station import Job, Refusal, Station
from mockforge.delays.station_limits import RateLimit
from mockforge.delays.time_limit import TimeLimited
from mockforge.model.response import RenderedResponse
from mockforge.model.service import Capacity

__all__ = ["Beyond", "Demand", "Done", "Pool", "PoolAnswer", "PoolCounts", "PoolRule"]

#: A pool that is beyond what was recorded says so this often.
_TELL_EVERY_NS = 60 * 10**9


class PoolAnswer(NamedTuple):
    """What a request gets that the pool does not serve, and how long after its arrival."""

    response: RenderedResponse
    delay_ns: int


@dataclass(frozen=True, slots=True)
class PoolRule:
    """A pool ready to be run: what is written of it, and the answers to those that it does not serve.

    `when_late` is None where there is no time limit.
    """

    name: str
    capacity: Capacity
    when_full: PoolAnswer
    when_limited: PoolAnswer
    when_late: PoolAnswer | None = None


class Demand(NamedTuple):
    """What a request asks of its pool, and the time that its answer takes after it, without the pool."""

    pool: PoolRule
    service_ns: int
    offset_ns: int


class Done(NamedTuple):
    """A request that the pool is done with, as its service is complete or, where `late`, its time is up."""

    at_ns: int
    job: Job
    late: bool = False


class Beyond(NamedTuple):
    """More are in flight than the recording ever had, from which the model was learned."""

    pool: str
    in_flight: int
    recorded: int

    def __str__(self) -> str:
        return (
            f"beyond what was recorded: {self.in_flight:,} in flight in pool {self.pool}, recorded were "
            f"{self.recorded:,} at most; how such a load is answered is the model's guess"
        )


@dataclass(slots=True)
class PoolCounts:
    """What is counted over a run; an edit of the pool does not start it over."""

    queue_full: int = 0
    rate_limited: int = 0
    timed_out: int = 0
    #: Requests that were let in while more were in flight than recorded.
    beyond_recorded: int = 0
    told_ns: int | None = None


class Pool:
    """A running station behind its rate limit. `on_beyond` is called at most once a minute.

    `limit_ns` is the time limit of its requests, as long as it takes in this run.
    """

    def __init__(
        self,
        rule: PoolRule,
        station: Station,
        counts: PoolCounts,
        on_beyond: Callable[[Beyond], object],
        limit_ns: int | None = None,
    ) -> None:
        capacity = rule.capacity
        self.rule = rule
        self._counts = counts
        self._on_beyond = on_beyond
        self._recorded = capacity.recorded_up_to
        self._frees = capacity.abandoned == "frees"
        self._limited = None if limit_ns is None else TimeLimited(station, limit_ns, frees=self._frees)
        self._station: Station = self._limited or station
        rate = capacity.rate_limit
        self._rate = None if rate is None else RateLimit(rate.per_second, rate.burst)
        cold = capacity.cold_start is not None or capacity.after_idle is not None
        self._cold = ColdStarts(capacity.cold_start, capacity.after_idle) if cold else None
        self._done: deque[Done] = deque()

    @property
    def in_flight(self) -> int:
        """Requests that are in the pool, waiting or not; with them those that are served for nobody."""
        return self._station.in_flight + len(self._done)

    @property
    def waiting(self) -> int:
        """Requests whose service has not begun."""
        return self._station.waiting

    def arrive(self, now_ns: int, demand: Demand, job: Job) -> Refusal | None:
        """Let `job` in, or say why not."""
        counts = self._counts
        refusal = None if self._rate is None else self._rate.take(now_ns)
        if refusal is not None:
            counts.rate_limited += 1
            return refusal
        service_ns = demand.service_ns
        if self._cold is not None:
            service_ns = self._cold.demand(now_ns, service_ns)
        if self._limited is None:
            refusal = self._station.arrive(now_ns, service_ns, job)
        else:
            refusal = self._limited.arrive(now_ns, service_ns, job, demand.offset_ns)
        if refusal is not None:
            counts.queue_full += 1
        elif self._recorded is not None and self.in_flight > self._recorded:
            self._tell(now_ns, self._recorded)
        return refusal

    def leave(self, now_ns: int, job: Job) -> None:
        """The caller of `job` left: its place is free, or keeps being worked for."""
        if self._frees:
            self._station.leave(now_ns, job)

    def next_ns(self) -> int | None:
        """When the pool is done with the next job if nothing else happens; None when there is none."""
        return self._done[0].at_ns if self._done else self._station.next_ns()

    def take(self, now_ns: int) -> Done | None:
        """A job that the pool was done with by `now_ns` and that was not taken yet."""
        if not self._done:
            self._done.extend(Done(at_ns, job) for at_ns, job in self._station.advance(now_ns))
            if self._limited is not None:
                expired = self._limited.expired(now_ns)
                self._counts.timed_out += len(expired)
                self._done.extend(Done(at_ns, job, late=True) for at_ns, job in expired)
        return self._done.popleft() if self._done else None

    def _tell(self, now_ns: int, recorded: int) -> None:
        counts = self._counts
        counts.beyond_recorded += 1
        if counts.told_ns is None or now_ns - counts.told_ns >= _TELL_EVERY_NS:
            counts.told_ns = now_ns
            self._on_beyond(Beyond(self.rule.name, self.in_flight, recorded))
