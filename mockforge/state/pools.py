"""Pools as they run: a station, the rate limit before it, and what is counted of both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mockforge.delays.station import Job, Refusal, Station
from mockforge.delays.station_limits import RateLimit
from mockforge.model.response import RenderedResponse
from mockforge.model.service import Capacity

__all__ = ["Beyond", "Demand", "Pool", "PoolCounts", "PoolRule", "RefusalAnswer"]

#: A pool that is beyond what was recorded says so this often.
_TELL_EVERY_NS = 60 * 10**9


class RefusalAnswer(NamedTuple):
    """What a request gets that is not let in, and after what time."""

    response: RenderedResponse
    delay_ns: int


@dataclass(frozen=True, slots=True)
class PoolRule:
    """A pool ready to be run: what is written of it, and the answers to those that it does not let in."""

    name: str
    capacity: Capacity
    when_full: RefusalAnswer
    when_limited: RefusalAnswer


class Demand(NamedTuple):
    """What a request asks of its pool, and the time that its answer takes after it, without the pool."""

    pool: PoolRule
    service_ns: int
    offset_ns: int


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
    #: Requests that were let in while more were in flight than recorded.
    beyond_recorded: int = 0
    told_ns: int | None = None


class Pool:
    """A running station behind its rate limit. `on_beyond` is called at most once a minute."""

    def __init__(
        self, rule: PoolRule, station: Station, counts: PoolCounts, on_beyond: Callable[[Beyond], object]
    ) -> None:
        self.rule = rule
        self._station = station
        self._counts = counts
        self._on_beyond = on_beyond
        self._recorded = rule.capacity.recorded_up_to
        self._frees = rule.capacity.abandoned == "frees"
        rate = rule.capacity.rate_limit
        self._rate = None if rate is None else RateLimit(rate.per_second, rate.burst)
        self._done: deque[tuple[int, Job]] = deque()

    @property
    def in_flight(self) -> int:
        """Requests that are in the pool, waiting or not."""
        return self._station.in_flight + len(self._done)

    @property
    def waiting(self) -> int:
        """Requests whose service has not begun."""
        return self._station.waiting

    def arrive(self, now_ns: int, service_ns: int, job: Job) -> Refusal | None:
        """Let `job` in, or say why not."""
        counts = self._counts
        refusal = None if self._rate is None else self._rate.take(now_ns)
        if refusal is not None:
            counts.rate_limited += 1
            return refusal
        refusal = self._station.arrive(now_ns, service_ns, job)
        if refusal is not None:
            counts.queue_full += 1
        elif self._recorded is not None and self.in_flight > self._recorded:
            counts.beyond_recorded += 1
            if counts.told_ns is None or now_ns - counts.told_ns >= _TELL_EVERY_NS:
                counts.told_ns = now_ns
                self._on_beyond(Beyond(self.rule.name, self.in_flight, self._recorded))
        return refusal

    def leave(self, now_ns: int, job: Job) -> None:
        """The caller of `job` left: its place is free, or keeps being worked for."""
        if self._frees:
            self._station.leave(now_ns, job)

    def next_ns(self) -> int | None:
        """When the next job completes if nothing else happens; None when there is none."""
        return self._done[0][0] if self._done else self._station.next_ns()

    def take(self, now_ns: int) -> tuple[int, Job] | None:
        """The first job that has completed by `now_ns` and was not taken yet, and when it did."""
        if not self._done:
            self._done.extend(self._station.advance(now_ns))
        return self._done.popleft() if self._done else None
