"""The bounded journal of served requests, and what it adds up to."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from mockforge.model.event import ServeEvent, SubEvent
from mockforge.state.lateness import Lateness

__all__ = ["Entry", "Journal"]


#: What an event takes beside its bodies, in bytes, roughly.
_EVENT_SIZE = 1_000
#: So many events beyond the bound are dropped together.
DROPPED_AT_ONCE = 32


class Entry(NamedTuple):
    """An event and its number in the journal, counted from 0 over all that were ever added."""

    number: int
    event: ServeEvent

    @property
    def id(self) -> str:
        """A UUID (version 8, RFC 9562) made of the event's time and number, so that adding makes none."""
        wall = self.event.wall_ns & (1 << 60) - 1
        return str(UUID(int=(wall >> 12) << 80 | 8 << 76 | (wall & 0xFFF) << 64 | 2 << 62 | self.number))


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
        #: Faults that were sent, by their name.
        self.faults: Counter[str] = Counter()
        #: Older events that were dropped for newer ones.
        self.evicted = 0
        #: How many had been evicted when the journal was last cleared; how many events were cleared away.
        self._evicted_before = 0
        self._cleared = 0
        #: Numbers of events that were removed one by one, and lie there until they are the oldest.
        self._removed: set[int] = set()
        self._limit = min(limit, most_bytes // _EVENT_SIZE) + DROPPED_AT_ONCE
        self._most_bytes = most_bytes
        self._events: deque[ServeEvent] = deque()
        #: What happened after events, by their number.
        self._notes: dict[int, list[SubEvent]] = {}
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

    def add_apart(self, event: ServeEvent) -> None:
        """Enter an event whose answer went its own way: passed on (its body is no stub's, that others share),
        or at its own pace."""
        if event.forwarded is not None:
            self._body_bytes += len(event.response.body)
        if event.paced is not None and event.paced.fault is not None:
            self.faults[event.paced.fault] += 1
        self.add(event)

    def note(self, number: int, sub_event: SubEvent) -> None:
        """Enter what happened on account of the event of that number, where it is still kept."""
        if self._first <= number < self.served:
            self._notes.setdefault(number, []).append(sub_event)
            self._body_bytes += sub_event.size

    def notes(self, number: int) -> Sequence[SubEvent]:
        """What happened on account of the event of that number, oldest first."""
        return tuple(self._notes.get(number, ()))

    @property
    def served(self) -> int:
        """Requests that were answered, or whose caller left."""
        return self._first + len(self._events)

    @property
    def missing(self) -> int:
        """Events since the journal was last cleared that are gone, so that a count over it may be short."""
        return self.evicted - self._evicted_before

    def missing_since(self, number: int) -> int:
        """How many of them are of that number or a later one."""
        return min(self.missing, max(0, self._first - number))

    def latest(self) -> list[ServeEvent]:
        """The events kept, oldest first."""
        return [entry.event for entry in self.entries()] if self._removed else list(self._events)

    def entries(self) -> list[Entry]:
        """The events kept with their numbers, oldest first."""
        self._removed = {number for number in self._removed if number >= self._first}
        entries = [Entry(number, event) for number, event in enumerate(self._events, self._first)]
        if not self._removed:
            return entries
        return [entry for entry in entries if entry.number not in self._removed]

    def find(self, entry_id: str) -> Entry | None:
        """The entry of that id; None where it is not kept."""
        number = UUID(entry_id).int & (1 << 62) - 1
        if not self._first <= number < self.served or number in self._removed:
            return None
        entry = Entry(number, self._events[number - self._first])
        return entry if entry.id == entry_id.lower() else None

    def remove(self, numbers: Collection[int]) -> None:
        """Leave out the entries of these numbers from now on; what was counted stays counted."""
        self._removed.update(number for number in numbers if self._first <= number < self.served)

    def clear(self) -> None:
        """Forget every event; what was counted stays counted."""
        self._cleared += len(self._events)
        self._evicted_before = self.evicted
        self._events.clear()
        self._removed.clear()
        self._notes.clear()
        self._body_bytes = 0

    @property
    def _first(self) -> int:
        """The number of the oldest event kept."""
        return self.evicted + self._cleared

    def _drop(self) -> None:
        """Drop the oldest events until the others are within both bounds."""
        events = self._events
        before, number = len(events), self._first
        most = self._limit - DROPPED_AT_ONCE
        while events and (len(events) > most or self._body_bytes > self._most_bytes):
            event = events.popleft()
            self._body_bytes -= len(event.request.body)
            if event.forwarded is not None:
                self._body_bytes -= len(event.response.body)
            for sub_event in self._notes.pop(number, ()):
                self._body_bytes -= sub_event.size
            number += 1
        self.evicted += before - len(events)
