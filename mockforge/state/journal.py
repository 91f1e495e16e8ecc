"""The bounded journal of served requests, and what it adds up to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from mockforge.model.event import ServeEvent
from mockforge.state.lateness import Lateness

__all__ = ["Journal"]


#: What an event takes beside its request's body, in bytes, roughly.
_EVENT_SIZE = 1_000
#: So many events, or so many bytes of bodies, make a batch.
BATCH = 500
_BATCH_BYTES = 1024 * 1024


class _Batch(NamedTuple):
    events: list[ServeEvent]
    size: int


class Journal:
    """The latest events, some `limit` of them while they take less than `most_bytes`, and counts over all.

    Events are counted and dropped a batch at a time, as doing either for each would cost as much as
    answering; whoever reads a count gets it up to date. `listeners` are called with every event, at once.
    """

    def __init__(self, limit: int = 10_000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self.listeners: list[Callable[[ServeEvent], object]] = []
        self._limit = limit
        self._most_bytes = most_bytes
        self._fresh: list[ServeEvent] = []
        self._fresh_bytes = 0
        self._batches: deque[_Batch] = deque()
        self._kept = 0
        self._bytes = 0
        self._served = 0
        self._unmatched = 0
        self._callers_left = 0
        self._evicted = 0
        self._lateness = Lateness()

    def add(self, event: ServeEvent) -> None:
        """Enter one event, in constant time."""
        fresh = self._fresh
        fresh.append(event)
        if event.request.body:
            self._fresh_bytes += len(event.request.body)
        if len(fresh) >= BATCH or self._fresh_bytes > _BATCH_BYTES:
            self._count()
        if self.listeners:
            for listener in self.listeners:
                listener(event)

    @property
    def served(self) -> int:
        return self._counted()._served

    @property
    def unmatched(self) -> int:
        """Requests that matched no stub."""
        return self._counted()._unmatched

    @property
    def callers_left(self) -> int:
        """Callers that left before their answer was complete."""
        return self._counted()._callers_left

    @property
    def evicted(self) -> int:
        """Older events that were dropped for newer ones."""
        return self._counted()._evicted

    @property
    def lateness(self) -> Lateness:
        """The mock's own error."""
        return self._counted()._lateness

    def latest(self) -> list[ServeEvent]:
        """The events kept, oldest first."""
        return [event for batch in self._counted()._batches for event in batch.events]

    def _counted(self) -> Journal:
        if self._fresh:
            self._count()
        return self

    def _count(self) -> None:
        """Take the fresh events into the counts, keep them, and drop batches that are beyond the bounds."""
        batch = _Batch(self._fresh, self._fresh_bytes + _EVENT_SIZE * len(self._fresh))
        self._fresh, self._fresh_bytes = [], 0
        events = batch.events
        self._served += len(events)
        self._unmatched += sum([event.stub is None for event in events])
        self._callers_left += sum([event.caller_left for event in events])
        sent = [(event.first_byte_ns, event.plan) for event in events if event.first_byte_ns is not None]
        if sent:
            late_ns = [first_byte_ns - plan.first_byte_ns for first_byte_ns, plan in sent]
            self._lateness.add(late_ns, sum([plan.first_byte_ns - plan.arrived_ns for _, plan in sent]))
        self._batches.append(batch)
        self._kept += len(events)
        self._bytes += batch.size
        while self._kept - len(self._batches[0].events) >= self._limit or self._bytes > self._most_bytes:
            oldest = self._batches.popleft()
            self._kept -= len(oldest.events)
            self._bytes -= oldest.size
            self._evicted += len(oldest.events)
            if not self._batches:
                break
