"""Answers of one connection, each at its due time and in the order of their requests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from mockforge.clock import Deadline
from mockforge.engine import Decision
from mockforge.model.event import ServeEvent
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan
from mockforge.server.lane import Lane

__all__ = ["Outbox"]

#: Bodies above this go out slice by slice, as the caller reads them, so that a slow reader holds no memory.
_SLICE = 256 * 1024

_END = b"\r\n"
_CLOSE = b"Connection: close\r\n\r\n"
_KEEP_ALIVE = b"Connection: keep-alive\r\n\r\n"


class _Slot:
    """One answer's place in the order; without a decision, somebody else writes it once `start` is called."""

    __slots__ = ("deadline", "decision", "ending", "first_byte_ns", "in_flight", "ready", "request", "start")

    def __init__(
        self,
        request: RequestView | None,
        decision: Decision | None,
        ending: bytes = _END,
        start: Callable[[], object] | None = None,
    ) -> None:
        self.request = request
        self.decision = decision
        self.ending = ending
        self.start = start
        self.in_flight = 0
        self.first_byte_ns: int | None = None
        self.deadline: Deadline | None = None
        self.ready = start is not None


class Outbox:
    """Delivers the answers of one connection over its transport; `on_sent` is called after each of them."""

    __slots__ = ("_free_ns", "_lane", "_now_ns", "_on_sent", "_paused", "_rest", "_slots", "_transport")

    def __init__(self, lane: Lane, transport: asyncio.Transport, on_sent: Callable[[], object]) -> None:
        self._lane = lane
        self._now_ns = lane.clock.now_ns
        self._transport = transport
        self._on_sent = on_sent
        self._slots: deque[_Slot] = deque()
        self._rest: memoryview | None = None
        self._free_ns = 0
        self._paused = False

    def __len__(self) -> int:
        """Answers still owed."""
        return len(self._slots)

    def answer(self, request: RequestView, decision: Decision, *, closes: bool, http_1_0: bool) -> None:
        """Send what was decided when it is due; the connection ends with it if it `closes`."""
        ending = _CLOSE if closes else _KEEP_ALIVE if http_1_0 else _END
        slot = _Slot(request, decision, ending)
        lane = self._lane
        slot.in_flight = lane.in_flight
        lane.in_flight += 1
        due_ns = decision.plan.first_byte_ns
        self._slots.append(slot)
        if due_ns <= self._now_ns():
            slot.ready = True
            if len(self._slots) == 1:
                self._send(slot)
        else:
            slot.deadline = lane.timer.at(due_ns, lambda: self._due(slot))

    def defer(self, start: Callable[[], object]) -> None:
        """Call `start` when every answer ahead is out; whoever then writes calls `finished` at the end."""
        self._slots.append(_Slot(None, None, start=start))
        if len(self._slots) == 1:
            start()

    def finished(self) -> None:
        """The deferred answer at the head is out."""
        self._slots.popleft()
        self._flush()

    def pause(self) -> None:
        """The transport's buffer is full."""
        self._paused = True

    def resume(self) -> None:
        """The transport's buffer has room again."""
        self._paused = False
        if self._rest is not None:
            self._pump()

    def abandon(self) -> None:
        """The caller left: what was owed becomes events of callers that left."""
        self._rest = None
        while self._slots:
            slot = self._slots.popleft()
            if slot.deadline is not None:
                slot.deadline.cancel()
            self._record(slot, None)

    def _due(self, slot: _Slot) -> None:
        slot.ready = True
        if self._slots[0] is slot:
            self._flush()

    def _flush(self) -> None:
        """Send every answer that is ready and has nothing ahead."""
        while self._slots and self._slots[0].ready and self._rest is None:
            slot = self._slots[0]
            if slot.start is not None:
                slot.start()
                return
            self._send(slot)

    def _send(self, slot: _Slot) -> None:
        decision = slot.decision
        assert decision is not None
        assert slot.request is not None
        slot.first_byte_ns = self._now_ns()
        response = decision.response
        body = response.body_for(slot.request.method)
        if len(body) <= _SLICE:
            self._transport.write(b"".join((response.head, slot.ending, body)))
            self._sent(slot)
        else:
            self._transport.write(response.head + slot.ending)
            self._rest = memoryview(body)
            self._pump()

    def _pump(self) -> None:
        """Hand slices of a large body to the transport for as long as it takes them."""
        while self._rest is not None and not self._paused:
            self._transport.write(self._rest[:_SLICE])
            self._rest = self._rest[_SLICE:] if len(self._rest) > _SLICE else None
        if self._rest is None:
            self._sent(self._slots[0])
            self._flush()

    def _sent(self, slot: _Slot) -> None:
        self._slots.popleft()
        self._free_ns = self._record(slot, slot.first_byte_ns)
        if slot.ending is _CLOSE:
            self._transport.close()
        else:
            self._on_sent()

    def _record(self, slot: _Slot, first_byte_ns: int | None) -> int:
        """Enter the slot's event into the journal; gives the time of its end."""
        end_ns = self._now_ns()
        if slot.decision is None or slot.request is None:
            return end_ns
        plan = slot.decision.plan
        if self._free_ns > plan.first_byte_ns:  # until then it was another answer's turn
            plan = DelayPlan(plan.arrived_ns, self._free_ns)
        lane = self._lane
        lane.in_flight -= 1
        lane.journal.add(
            ServeEvent(
                lane.clock.wall_ns() - (end_ns - plan.arrived_ns),
                slot.request,
                slot.decision.response,
                plan,
                slot.decision.stub,
                first_byte_ns,
                end_ns,
                slot.in_flight,
            )
        )
        return end_ns
