"""Answers of one connection, each at its due time and in the order of their requests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from mockforge.engine import Decision
from mockforge.model.event import ServeEvent
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan
from mockforge.server.forwarding import Forwarding
from mockforge.server.lane import Lane
from mockforge.server.pacing import Pacing
from mockforge.server.places import AnswerPlace, DeferredPlace
from mockforge.server.wire import STAYS

__all__ = ["Outbox"]

#: Bodies above this go out slice by slice, as the caller reads them, so that a slow reader holds no memory.
_SLICE = 256 * 1024
#: A caller that reads as fast as it is sent to gets so many slices before others have their turn.
_AT_ONCE = 4

#: Makes a named tuple without the detour through its Python-level constructor, on the way of every answer.
_new = tuple.__new__


class Outbox:
    """Delivers the answers of one connection over its transport.

    `on_drained` is called whenever an answer that had to wait was the last one owed.
    """

    __slots__ = (
        "_free_ns",
        "_lane",
        "_loop",
        "_now_ns",
        "_on_drained",
        "_paused",
        "_slots",
        "_spare",
        "_transport",
    )

    def __init__(
        self,
        lane: Lane,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        on_drained: Callable[[], object],
    ) -> None:
        self._lane = lane
        self._loop = loop
        self._now_ns = lane.clock.now_ns
        self._transport = transport
        self._on_drained = on_drained
        self._slots: deque[AnswerPlace | DeferredPlace | Forwarding | Pacing] = deque()
        self._free_ns = self._now_ns()
        self._paused = False
        #: A slot that went the short way and is free for the next answer.
        self._spare: AnswerPlace | None = None

    def move_to(self, lane: Lane) -> None:
        """Answer for another service from now on; nothing may be owed."""
        self._lane = lane

    @property
    def owed(self) -> int:
        """Answers that are not out yet."""
        return len(self._slots)

    @property
    def sending(self) -> bool:
        """Whether the caller has got a part of what it is owed."""
        return self._paused or (bool(self._slots) and self._slots[0].begun)

    @property
    def paused(self) -> bool:
        """Whether the caller does not read, so that nothing more is to be written."""
        return self._paused

    @property
    def free_ns(self) -> int:
        """Since when the connection is free for its next answer: the last one's end, or its own begin."""
        return self._free_ns

    def answer(self, request: RequestView, decision: Decision, ending: bytes = STAYS) -> int:
        """Send what was decided when it is due, its head ended by `ending`; gives the answers then owed."""
        if decision.forward is not None or decision.sending is not None:
            return self._answer_apart(request, decision, ending)
        plan = decision.plan
        lane = self._lane
        waits = decision.demand is not None
        plain = (
            ending is STAYS
            and len(decision.response.body) <= _SLICE
            and request.method != "HEAD"
            and not decision.callbacks
        )
        if (
            plain
            and plan.first_byte_ns == plan.arrived_ns
            and not waits
            and not self._slots
            and not self._paused
        ):
            self._send_plain(request, decision, lane.in_flight)
            return 0
        slot = self._spare
        if slot is None:
            slot = AnswerPlace(self)
        else:
            self._spare = None
        slot.request = request
        slot.decision = decision
        slot.ending = ending
        slot.plain = plain
        slot.in_flight = lane.in_flight
        lane.in_flight += 1
        self._slots.append(slot)
        if waits:
            lane.stations.enter(slot)
        elif plan.first_byte_ns > self._now_ns():
            lane.timer.add(plan.first_byte_ns, slot)
        else:
            self.due(slot)
        return len(self._slots)

    def _answer_apart(self, request: RequestView, decision: Decision, ending: bytes) -> int:
        """Have an upstream answer, or each byte go out at its time, when it is the request's turn."""
        kind = Pacing if decision.forward is None else Forwarding
        slot = kind(self._lane, self, self._transport, request, decision, ending)
        self._slots.append(slot)
        slot.wait()
        if self._slots[0] is slot:
            self._flush()
        return len(self._slots)

    def defer(self, start: Callable[[], bool]) -> None:
        """Call `start` when every answer ahead is out.

        It writes and gives True, or it gives False and whoever then writes calls `finished` at the end.
        """
        slot = DeferredPlace(start)
        self._slots.append(slot)
        if self._slots[0] is slot:
            self._flush()

    def finished(self) -> None:
        """The deferred answer that had begun is out."""
        if self._slots:  # the caller may have left meanwhile
            self._slots.popleft()
            self._free_ns = self._now_ns()
            self._flush()

    def end_with(self, ending: bytes) -> None:
        """Let the last answer that is owed end its head with `ending`, where it has not begun.

        Answers that would never end are ended.
        """
        slot = self._slots[-1] if self._slots else None
        if isinstance(slot, AnswerPlace | Forwarding | Pacing) and not slot.begun:
            slot.ending = ending
            if isinstance(slot, AnswerPlace):
                slot.plain = False
        for slot in tuple(self._slots):
            if isinstance(slot, Pacing):
                slot.server_ends()

    def pause(self) -> None:
        """The transport's buffer is full: the caller does not read."""
        self._paused = True
        slot = self._slots[0] if self._slots else None
        if isinstance(slot, Forwarding):
            slot.pause()

    def resume(self) -> None:
        """The transport's buffer has room again."""
        self._paused = False
        if self._slots:
            slot = self._slots[0]
            if not slot.begun:
                self._free_ns = self._now_ns()
            if isinstance(slot, Forwarding | Pacing):
                slot.resume()
            self._flush()

    def abandon(self) -> None:
        """The caller left: what was owed becomes events of callers that left, and nothing more is sent."""
        self._on_drained = _nothing
        while self._slots:
            slot = self._slots.popleft()
            if isinstance(slot, AnswerPlace):
                slot.leave()
                self._record(slot, caller_left=True)
            elif isinstance(slot, Forwarding | Pacing):
                slot.leave()

    def _send_plain(self, request: RequestView, decision: Decision, in_flight: int) -> None:
        """The short way of most answers: nothing ahead, small, and the connection stays."""
        lane = self._lane
        plan = decision.plan
        self._transport.write(decision.response.wire)
        if self._free_ns > plan.first_byte_ns:  # until then it was another answer's turn
            plan = _new(DelayPlan, (plan.arrived_ns, self._free_ns))
        self._free_ns = sent_ns = self._now_ns()
        lane.journal.add(
            _new(
                ServeEvent,
                (
                    lane.wall_offset_ns + plan.arrived_ns,
                    request,
                    decision.response,
                    plan,
                    decision.stub,
                    sent_ns,
                    sent_ns,
                    in_flight,
                    self._transport.is_closing(),
                    None,
                    None,
                ),
            )
        )

    def due(self, slot: AnswerPlace) -> None:
        """The time of an answer has come; its turn may have."""
        slots = self._slots
        if slot.plain and len(slots) == 1 and not self._paused:
            try:
                self._send_plain(slot.request, slot.decision, slot.in_flight)
            except Exception:
                self._transport.abort()
                raise
            slots.clear()
            self._lane.in_flight -= 1
            self._spare = slot
            self._on_drained()
            return
        slot.ready = True
        if slots[0] is slot:
            self._flush()

    def _flush(self) -> None:
        """Send all that is ready and has nothing ahead, for as long as the transport takes it."""
        slots = self._slots
        try:
            while slots and slots[0].ready and not self._paused:
                slot = slots[0]
                if isinstance(slot, AnswerPlace):
                    if not self._send(slot):
                        return
                    self._record(slot, caller_left=self._transport.is_closing())
                else:
                    slot.ready = False
                    if not slot.start():
                        return
                    self._free_ns = self._now_ns()
                slots.popleft()
        except Exception:
            self._transport.abort()  # the order is lost; this connection is, and no other
            raise
        if not slots:
            self._on_drained()

    def _send(self, slot: AnswerPlace) -> bool:
        """Hand the answer to the transport, or as much of a large one as it takes; whether that was all."""
        if not slot.begun:
            slot.first_byte_ns = self._now_ns()
            response = slot.decision.response
            if slot.ending is STAYS and len(response.body) <= _SLICE and slot.request.method != "HEAD":
                self._transport.write(response.wire)
                return True
            body = response.body_for(slot.request.method)
            if len(body) <= _SLICE:
                self._transport.write(b"".join((response.head, slot.ending, body)))
                return True
            self._transport.write(response.head + slot.ending)
            slot.rest = memoryview(body)
        for _ in range(_AT_ONCE):
            if not slot.rest:
                return True
            if self._paused:
                return False
            self._transport.write(slot.rest[:_SLICE])
            slot.rest = slot.rest[_SLICE:]
        if not slot.rest:
            return True
        if not self._paused:
            self._loop.call_soon(self._flush)
        return False

    def _record(self, slot: AnswerPlace, *, caller_left: bool) -> None:
        """Enter the slot's event into the journal; the connection is free for the next answer."""
        lane = self._lane
        decision = slot.decision
        plan = decision.plan
        if slot.begun and self._free_ns > plan.first_byte_ns:  # until then it was another answer's turn
            plan = DelayPlan(plan.arrived_ns, self._free_ns)
        self._free_ns = end_ns = self._now_ns()
        lane.in_flight -= 1
        lane.journal.add(
            _new(
                ServeEvent,
                (
                    lane.wall_offset_ns + plan.arrived_ns,
                    slot.request,
                    decision.response,
                    plan,
                    decision.stub,
                    slot.first_byte_ns,
                    end_ns,
                    slot.in_flight,
                    caller_left,
                    None,
                    None,
                ),
            )
        )
        if decision.callbacks and not caller_left:
            lane.callbacks.plan(decision.callbacks, slot.request, plan.arrived_ns)


def _nothing() -> None:
    """What is done for a caller that left."""
