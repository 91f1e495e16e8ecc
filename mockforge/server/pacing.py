"""An answer whose bytes go out each at its time: dribbled, at a rate, from a file, as events or a fault.

The plan (`mockforge.delays.pacing`) counts from when the answer was due and its turn had come. A piece leaves
at its absolute time, and as fast as it can where the caller has not read on by then.

    due, its turn ─► piece ─ timer ─► piece ─ … ─► last ─┬─ STAYS   the next answer's turn
                                                         ├─ CLOSES  the connection ends
                                                         ├─ RESETS  it ends with a reset
                                                         └─ HOLDS   until caller or server end it
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from mockforge.delays.pacing import Finish, InMemory, Piece, Script, Source
from mockforge.delays.sending import Sending
from mockforge.engine import Decision
from mockforge.model.event import Paced
from mockforge.model.request import RequestView
from mockforge.model.response import BODILESS, DelayPlan, RenderedResponse
from mockforge.server.body_files import BodyFileError, FileSource
from mockforge.server.course import Course, Order
from mockforge.server.hangup import reset_when_sent
from mockforge.server.lane import Lane
from mockforge.server.upstream_answer import own_answer
from mockforge.server.wire import CLOSES, KEEPS_ALIVE, STAYS

__all__ = ["Pacing"]

#: So many pieces that are due go out before others have their turn.
_AT_ONCE = 8

_AS_ANY = Sending()


class Pacing(Course):
    """The place in the order of an answer that takes its time; the deadline of its next piece."""

    __slots__ = (
        "_armed",
        "_failure",
        "_file",
        "_first_due_ns",
        "_last_due_ns",
        "_next",
        "_pieces",
        "_script",
        "_sending",
        "_sent",
        "_start_ns",
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
        super().__init__(lane, order, transport, request, decision, ending)
        #: Whether the deadline is set; it then fires, whatever happens meanwhile.
        self._armed = False
        self._script: Script | None = None
        self._pieces: Iterator[Piece] = iter(())
        self._next: Piece | None = None
        self._file: FileSource | None = None
        self._failure: str | None = None
        self._start_ns = self._last_due_ns = self._sent = 0
        #: When the first byte was due.
        self._first_due_ns = 0

    def wait(self) -> None:
        self._armed = True
        super().wait()

    # What the order and the timer say

    def fire(self) -> None:
        self._armed = False
        if self._turn:
            self._go_on()

    def start(self) -> bool:
        """Its turn has come. Always False: `finished` is called at the end."""
        self._turn = True
        if not self._armed:
            self._go_on()
        return False

    def resume(self) -> None:
        """The caller reads again."""
        if self._turn and not self._armed:
            self._go_on()

    def leave(self) -> None:
        """The caller left."""
        if not self._over:
            super().leave()
            self._record(caller_left=True)

    def server_ends(self) -> None:
        """The server is to end: what only the caller would end is ended."""
        script, piece = self._script, self._next
        if script is None or self._over:
            return
        only_waits = piece is not None and not piece.data
        if only_waits or script.finish is Finish.HOLDS or self._sending.is_endless:
            self._close()

    # Out

    def _go_on(self) -> None:
        """Send what is due, and wait for the next."""
        if self._over:
            return
        try:
            if self._script is None:
                self._begin()
                if self._lane.ends:
                    self.server_ends()
            if not self._over:
                self._send_due()
        except BodyFileError as error:
            self._failure = str(error)
            self._record(caller_left=False)
            self._transport.abort()  # the caller can tell that it is not all
        except Exception:
            self._transport.abort()  # the order is lost; this connection is, and no other
            raise

    def _begin(self) -> None:
        decision = self.decision
        self._sending = decision.sending or _AS_ANY
        response = decision.response
        body = self._open(response)
        if self._failure is not None:
            response = self.decision.response
        streams = self._sending.stream is not None
        chunked = streams and self.ending is STAYS
        if streams and self.ending is KEEPS_ALIVE:
            self.ending = CLOSES
        self._start_ns = max(decision.plan.first_byte_ns, self._order.free_ns)
        self._script = script = self._sending.script(response.head, self.ending, body, chunked=chunked)
        self._pieces = script.pieces
        self._last_due_ns = self._start_ns
        self._next = next(self._pieces, None)

    def _open(self, response: RenderedResponse) -> Source | None:
        """The body, None where the answer has none; a file that cannot be sent becomes a 500."""
        if self._request.method == "HEAD" or response.status in BODILESS:
            return None
        if self._sending.file is None:
            return InMemory(response.body)
        try:
            self._file = FileSource(self._sending.file)
        except BodyFileError as error:
            self._failure = str(error)
            self._sending = _AS_ANY
            failed = own_answer(500, f"stub {self.decision.stub!r}: {error}")
            self.decision = self.decision._replace(response=failed, sending=None)
            return InMemory(failed.body)
        return self._file

    def _send_due(self) -> None:
        clock = self._lane.clock
        for _ in range(_AT_ONCE):
            piece = self._next
            if piece is None:
                self._finish()
                return
            if self._order.paused or self._transport.is_closing():
                return
            due_ns = self._start_ns + piece.at_ns
            now_ns = clock.now_ns()
            if due_ns > now_ns:
                self._wake_at(due_ns)
                return
            if piece.data:
                if self._first_byte_ns is None:
                    self._first_byte_ns, self._first_due_ns = now_ns, due_ns
                self._transport.write(piece.data)
                self._sent += len(piece.data)
            self._last_due_ns = due_ns
            self._next = next(self._pieces, None)
        self._wake_at(clock.now_ns())  # others have their turn first

    def _wake_at(self, due_ns: int) -> None:
        self._armed = True
        self._lane.timer.add(due_ns, self)

    def _finish(self) -> None:
        """All pieces are out."""
        assert self._script is not None
        finish = self._script.finish
        if finish is Finish.STAYS:
            self._record(caller_left=self._transport.is_closing())
            self._order.finished()
        elif finish is Finish.CLOSES:
            self._close()
        elif finish is Finish.RESETS:
            self._record(caller_left=False)
            reset_when_sent(self._transport, self._lane.timer, self._lane.clock)

    def _close(self) -> None:
        self._record(caller_left=False)
        self._transport.close()

    def _record(self, *, caller_left: bool) -> None:
        """Enter the event into the journal."""
        self.cancel()
        if self._file is not None:
            self._file.close()
        decision, script = self.decision, self._script
        plan, sending = decision.plan, decision.sending
        if script is not None:
            plan = DelayPlan(plan.arrived_ns, self._first_due_ns if self.begun else self._start_ns)
        fault = None if sending is None or sending.fault is None else sending.fault.kind
        complete = self._next is None and script is not None and script.finish is not Finish.HOLDS
        self._tell(
            decision.response,
            plan,
            caller_left=caller_left,
            paced=Paced(self._last_due_ns if complete else None, fault, self._failure, self._sent),
        )
