"""Places in the order of a connection's answers: of those decided, and of what somebody else writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mockforge.model.request import RequestView
from mockforge.server.stations import Waiting

__all__ = ["AnswerPlace", "DeferredPlace"]


class _Order(Protocol):
    def due(self, slot: AnswerPlace) -> None: ...


class AnswerPlace(Waiting):
    """The place in the order of an answer that was decided; the deadline of its first byte."""

    __slots__ = (
        "ending",
        "first_byte_ns",
        "in_flight",
        "outbox",
        "plain",
        "ready",
        "request",
        "rest",
    )

    request: RequestView
    ending: bytes
    #: Whether it may go the short way: small, with a body, and the connection stays.
    plain: bool
    in_flight: int

    def __init__(self, outbox: _Order) -> None:
        self.cancelled = False
        self.station = None
        self.outbox = outbox
        self.ready = False
        self.first_byte_ns: int | None = None
        #: What is left of a large body that has begun.
        self.rest: memoryview | None = None

    @property
    def begun(self) -> bool:
        return self.first_byte_ns is not None

    def fire(self) -> None:
        self.outbox.due(self)


class DeferredPlace:
    """The place in the order of what somebody else writes; see `Outbox.defer`."""

    __slots__ = ("ready", "start")

    def __init__(self, start: Callable[[], bool]) -> None:
        self.start = start
        self.ready = True

    @property
    def begun(self) -> bool:
        return not self.ready
