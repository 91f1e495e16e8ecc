"""Callbacks after answers: made when their delay is over, again where they fail, and told to the journal.

A callback waits on the service's deadline timer. So many are under way at once, the others wait in line;
beyond a longest line they are dropped, and say so in the journal. At the server's end what waits is dropped
and what is under way may finish.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mockforge.errors import MockForgeError
from mockforge.forwarding.callbacks import PlannedCallback
from mockforge.model.event import SubEvent
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.model.upstream import OutgoingRequest, UpstreamCall, UpstreamHead
from mockforge.templating.failure import TemplateFailure

if TYPE_CHECKING:
    from mockforge.server.lane import Lane

__all__ = ["Callbacks"]

#: So many are under way at once, and so many wait for their turn.
AT_ONCE = 64
_LONGEST_LINE = 10_000
#: Callbacks that lead to one another through this mock.
_DEEPEST = 5
#: Bytes of an answer to a callback that the journal keeps.
_KEPT_BODY = 64 * 1024
#: Statuses after which it is worth while to ask again.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class Callbacks:
    """The callbacks of one service."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._waiting: set[_Task] = set()
        self._line: deque[_Task] = deque()
        self._under_way: set[_Task] = set()
        self._idle: asyncio.Future[None] | None = None
        #: Made at all, given up after every try, and dropped before they were made.
        self.made = self.failed = self.dropped = 0

    @property
    def waiting(self) -> int:
        """Callbacks that are not under way yet."""
        return len(self._waiting) + len(self._line)

    def plan(self, planned: Sequence[PlannedCallback], request: RequestView, arrived_ns: int) -> None:
        """Make callbacks on account of the event that has just been entered into the journal."""
        for each in planned:
            task = _Task(self, self._lane, each, request, arrived_ns)
            outgoing = task.rendered()
            if outgoing is None:
                self.failed += 1
            elif self.waiting >= _LONGEST_LINE:
                self.dropped += 1
                task.note_error(f"dropped: {_LONGEST_LINE:,} callbacks were waiting")
            else:
                task.outgoing = outgoing
                self._waiting.add(task)
                task.after(each.delay_ns)

    async def close(self, grace_s: float = 5.0) -> None:
        """Drop what waits; what is under way may take so long to finish."""
        waiting = [*self._waiting, *self._line]
        self._waiting.clear()
        self._line.clear()
        for task in waiting:
            task.note_error("dropped: the mock ended")
        self.dropped += len(waiting)
        if self._under_way:
            self._idle = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._idle,), timeout=grace_s)
        for task in tuple(self._under_way):
            task.give_up()
            self.dropped += 1
        self._under_way.clear()

    # What tasks say

    def due(self, task: _Task) -> None:
        """Its delay is over."""
        if task not in self._waiting:
            return  # dropped
        self._waiting.discard(task)
        self._line.append(task)
        self._next()

    def over(self, task: _Task, *, made: bool) -> None:
        """It has been answered, or given up."""
        self._under_way.discard(task)
        self.made += made
        self.failed += not made
        self._next()
        if self._idle is not None and not self._under_way and not self._idle.done():
            self._idle.set_result(None)

    def again(self, task: _Task, wait_ns: int) -> None:
        """It failed and is to be made once more."""
        self._under_way.discard(task)
        if self._idle is None:
            self._waiting.add(task)
            task.after(wait_ns)
        else:
            self.over(task, made=False)
        self._next()

    def _next(self) -> None:
        while self._line and len(self._under_way) < AT_ONCE and self._idle is None:
            task = self._line.popleft()
            self._under_way.add(task)
            task.send()


class _Task:
    """One callback from its plan to its last try; the sink of its answers."""

    def __init__(
        self, owner: Callbacks, lane: Lane, planned: PlannedCallback, request: RequestView, arrived_ns: int
    ) -> None:
        self.outgoing: OutgoingRequest
        self._owner = owner
        self._lane = lane
        self._planned = planned
        self._request = request
        self._number = lane.journal.served - 1
        self._arrived_ns = arrived_ns
        self._tries = 0
        self._call: UpstreamCall | None = None
        self._begin()

    def _begin(self) -> None:
        self._head: UpstreamHead | None = None
        self._parts: list[bytes] = []
        self._size = 0

    def rendered(self) -> OutgoingRequest | None:
        """What to send; None, and an error in the journal, where it cannot be."""
        gateway = self._lane.gateway
        if gateway is None:
            self.note_error("this server has no way to make callbacks")
            return None
        if gateway.callbacks_before(self._request) >= _DEEPEST:
            self.note_error(f"not made: {_DEEPEST} callbacks of this mock led to this request")
            return None
        try:
            return self._planned.callback.request_for(self._planned.request)
        except (TemplateFailure, MockForgeError, ValueError) as error:
            self.note_error(str(error))
            return None

    def after(self, wait_ns: int) -> None:
        self._lane.timer.at(self._lane.clock.now_ns() + wait_ns, lambda: self._owner.due(self))

    def send(self) -> None:
        gateway = self._lane.gateway
        assert gateway is not None
        self._begin()
        self._tries += 1
        self._note("WEBHOOK_REQUEST", self.outgoing)
        self._call = gateway.call_back(self.outgoing, self)

    def give_up(self) -> None:
        if self._call is not None:
            self._call.cancel()
        self.note_error("dropped: the mock ended before it was answered")

    # The sink

    def on_interim(self, head: UpstreamHead) -> None:
        """Says nothing of the outcome."""

    def on_head(self, head: UpstreamHead) -> None:
        self._head = head

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= _KEPT_BODY:
            self._parts.append(data)

    def on_read(self) -> None:
        """Nothing is passed on."""

    def on_end(self, trailers: Headers) -> None:
        head = self._head
        assert head is not None
        body = b"".join(self._parts)
        self._note("WEBHOOK_RESPONSE", RenderedResponse(head.status, tuple(head.headers.raw()), body))
        if head.status not in _PASSING or not self._try_again():
            self._owner.over(self, made=head.status not in _PASSING)

    def on_failure(self, status: int, what: str) -> None:
        self.note_error(f"{self.outgoing.method} {self.outgoing.url}: {what}")
        if not self._try_again():
            self._owner.over(self, made=False)

    def _try_again(self) -> bool:
        rule = self._planned.callback.retry
        if self._tries > rule.times:
            return False
        self._owner.again(self, round(rule.wait_ms * 1e6 * 2 ** (self._tries - 1)))
        return True

    def note_error(self, what: str) -> None:
        self._note("ERROR", what)

    def _note(self, kind: str, data: OutgoingRequest | RenderedResponse | str) -> None:
        offset_ns = self._lane.clock.now_ns() - self._arrived_ns
        self._lane.journal.note(self._number, SubEvent(kind, offset_ns, data))
