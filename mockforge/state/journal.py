"""The journal of served requests, and what it adds up to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mockforge.model.event import ServeEvent
from mockforge.stats.sketch import QuantileSketch

__all__ = ["Journal"]


class Journal:
    """The latest events, at most `limit`, and counts and the mock's own lateness over all of them.

    `listeners` are called with every event, in order.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._events: deque[ServeEvent] = deque(maxlen=limit)
        self.listeners: list[Callable[[ServeEvent], object]] = []
        self.served = 0
        self.unmatched = 0
        self.callers_left = 0
        self.lateness_ms = QuantileSketch()

    def add(self, event: ServeEvent) -> None:
        self._events.append(event)
        self.served += 1
        if event.stub is None:
            self.unmatched += 1
        lateness_ns = event.lateness_ns
        if lateness_ns is None:
            self.callers_left += 1
        else:
            self.lateness_ms.add(lateness_ns / 1e6)
        for listener in self.listeners:
            listener(event)

    def latest(self) -> list[ServeEvent]:
        """The events kept, oldest first."""
        return list(self._events)
