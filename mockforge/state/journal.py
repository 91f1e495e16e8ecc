"""The bounded journal of served requests, and what it adds up to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mockforge.model.event import ServeEvent
from mockforge.state.lateness import Lateness

__all__ = ["Journal"]


#: What an event takes beside its request's body, in bytes, roughly.
_EVENT_SIZE = 1_000
#: So many events beyond the bound are dropped together.
DROPPED_AT_ONCE = 32


class Journal:
    """The latest events, some `limit` of them while they take less than `most_bytes`, and counts over all.

    `listeners` are called with every event, at once.
    """

    def __init__(self, limit: int = 10_000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self.listeners: list[Callable[[ServeEvent], object]] = []
        self.lateness = Lateness()
        #: Requests that matched no stub.
        self.unmatched = 0
        #: Callers that left before their answer was complete.
        self.callers_left = 0
        #: Older events that were dropped for newer ones.
        self.evicted = 0
        self._limit = min(limit, most_bytes // _EVENT_SIZE) + DROPPED_AT_ONCE
        self._most_bytes = most_bytes
        self._events: deque[ServeEvent] = deque()
        self._body_bytes = 0

    def add(self, event: ServeEvent) -> None:
        """Enter one event, in constant time."""
        events = self._events
        events.append(event)
        if event.stub is None:
            self.unmatched += 1
        if event.caller_left:
            self.callers_left += 1
        plan = event.plan
        first_byte_ns = event.first_byte_ns
        if first_byte_ns is not None:
            due_ns = plan.first_byte_ns
            self.lateness.add(first_byte_ns - due_ns, due_ns - plan.arrived_ns)
        body = event.request.body
        if body:
            self._body_bytes += len(body)
        if len(events) >= self._limit or self._body_bytes > self._most_bytes:
            self._drop()
        if self.listeners:
            for listener in self.listeners:
                listener(event)

    @property
    def served(self) -> int:
        """Requests that were answered, or whose caller left."""
        return self.evicted + len(self._events)

    def latest(self) -> list[ServeEvent]:
        """The events kept, oldest first."""
        return list(self._events)

    def _drop(self) -> None:
        """Drop the oldest events until the others are within both bounds."""
        events = self._events
        before = len(events)
        most = self._limit - DROPPED_AT_ONCE
        while events and (len(events) > most or self._body_bytes > self._most_bytes):
            self._body_bytes -= len(events.popleft().request.body)
        self.evicted += before - len(events)
