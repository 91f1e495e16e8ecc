"""What answers have in common that take their own course to the caller: passed on, or paced.

Each has its place in the order of its connection's answers, and waits at its pool or for its delay meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from mockforge.engine import Decision
from mockforge.model.event import Forwarded, Paced, ServeEvent
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse
from mockforge.server.lane import Lane
from mockforge.server.stations import Waiting

__all__ = ["Course", "Order"]


class Order(Protocol):
    """The order of a connection's answers, as far as one of them needs to know it."""

    @property
    def free_ns(self) -> int: ...

    @property
    def paused(self) -> bool: ...

    def finished(self) -> None: ...


class Course(Waiting):
    """The place in the order of an answer with a course of its own. It is told once, and `_over` then."""

    __slots__ = (
        "_first_byte_ns",
        "_in_flight",
        "_lane",
        "_order",
        "_over",
        "_request",
        "_transport",
        "_turn",
        "ending",
        "ready",
    )

    def __init__(
        self,
        lane: Lane,
        order: Order,
        transport: asyncio.Transport,
        request: RequestView,
        decision: Decision,
        ending: bytes,
    ) -> None:
        super().__init__()
        self.decision = decision
        self.station = None
        self.ready = True
        self.ending = ending
        self._lane = lane
        self._order = order
        self._transport = transport
        self._request = request
        self._in_flight = lane.in_flight
        lane.in_flight += 1
        self._turn = self._over = False
        self._first_byte_ns: int | None = None

    @property
    def begun(self) -> bool:
        return self._first_byte_ns is not None

    def wait(self) -> None:
        """Begin to wait: at the pool, or for the delay."""
        if self.decision.demand is not None:
            self._lane.stations.enter(self)
        else:
            self.schedule(self._lane.timer, self._lane.clock.now_ns())

    def _tell(
        self,
        response: RenderedResponse,
        plan: DelayPlan,
        *,
        caller_left: bool,
        forwarded: Forwarded | None = None,
        paced: Paced | None = None,
    ) -> None:
        """Enter the event into the journal: what went out when, as it was planned and as it was."""
        self._over = True
        lane = self._lane
        lane.in_flight -= 1
        lane.journal.add_apart(
            ServeEvent(
                lane.wall_offset_ns + plan.arrived_ns,
                self._request,
                response,
                plan,
                self.decision.stub,
                self._first_byte_ns,
                lane.clock.now_ns(),
                self._in_flight,
                caller_left,
                forwarded,
                paced,
            )
        )
        if self.decision.callbacks and not caller_left:
            lane.callbacks.plan(self.decision.callbacks, self._request, plan.arrived_ns)
