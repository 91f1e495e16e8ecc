"""An answer that an upstream gives: asked for in its turn, and passed on as it comes once it is due.

    turn comes ─► upstream asked ─► head, body …  ─┐
    arrival ─► delay, pool ─► due ─────────────────┴─► out, as fast as the caller reads

The delay counts from the request's arrival, as every delay does: what the upstream takes is absorbed, and
the answer leaves at the later of the two. What the upstream sends faster than the caller reads waits there
and not here. The mock's own lateness is counted from when both were there.
"""

from __future__ import annotations

import asyncio

from mockforge.engine import Decision
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.response import BODILESS, DelayPlan, RenderedResponse
from mockforge.model.upstream import UpstreamHead
from mockforge.server.course import Course, Order
from mockforge.server.lane import Lane
from mockforge.server.upstream_answer import UpstreamAnswer, own_answer, refusal_to_pass_on
from mockforge.server.wire import CLOSES, KEEPS_ALIVE, STAYS, chunk, head_of

__all__ = ["Forwarding"]

#: So much of an answer that is not due yet is taken from the upstream.
_TAKEN_AHEAD = 256 * 1024


class Forwarding(Course):
    """The place in the order of an answer that is passed on; the sink of its upstream."""

    __slots__ = (
        "_answer",
        "_chunked",
        "_closes",
        "_complete",
        "_due",
        "_own",
        "_waiting",
        "_waiting_size",
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
        self._answer: UpstreamAnswer | None = None
        #: What the mock answers itself, where the upstream does not.
        self._own: RenderedResponse | None = None
        self._due = self._complete = False
        self._chunked = self._closes = False
        #: What is ready to go out and may not yet.
        self._waiting: list[bytes] = []
        self._waiting_size = 0

    # What the order and the timer say

    def fire(self) -> None:
        """The answer is due."""
        self._due = True
        self._pump()

    def start(self) -> bool:
        """Its turn has come: ask the upstream. Always False: `finished` is called at the end."""
        self._turn = True
        forward, gateway = self.decision.forward, self._lane.gateway
        if forward is None:  # its pool refused it
            self._answer_itself(self.decision.response)
            return False
        refusal = refusal_to_pass_on(gateway, forward, self._request)
        if refusal is not None or gateway is None:
            self._answer_itself(refusal or self.decision.response)
            return False
        self._answer = UpstreamAnswer(forward, self._lane.clock.now_ns)
        self._answer.call = gateway.pass_on(forward.request, self)
        return False

    def pause(self) -> None:
        """The caller does not read."""
        if self._answer is not None and self._answer.call is not None:
            self._answer.call.pause()

    def resume(self) -> None:
        """The caller reads again."""
        self._pump()

    def leave(self) -> None:
        """The caller left."""
        if self._over:
            return
        super().leave()
        if self._answer is not None and self._answer.call is not None and not self._complete:
            self._answer.call.cancel()
            self._answer.end("caller: left")
        self._record(caller_left=True)

    # What the upstream says

    def on_interim(self, head: UpstreamHead) -> None:
        if self.ending is STAYS and head.status != 100:  # an older caller would take it for the answer
            self._hold(head_of(head.status, head.reason, tuple(head.headers.raw())) + b"\r\n")

    def on_head(self, head: UpstreamHead) -> None:
        answer = self._answer
        assert answer is not None
        answer.begin(head)
        self._hold(self._head(head, answer))

    def on_body(self, data: bytes) -> None:
        assert self._answer is not None
        self._answer.take(data)
        self._hold(chunk(data) if self._chunked else data)

    def on_read(self) -> None:
        self._pump()

    def on_end(self, trailers: Headers) -> None:
        assert self._answer is not None
        self._answer.end()
        self._complete = True
        if self._chunked:
            lines = b"".join(b"%b: %b\r\n" % pair for pair in trailers.raw())
            self._hold(b"0\r\n" + lines + b"\r\n")
        self._pump()

    def on_failure(self, status: int, what: str) -> None:
        answer = self._answer
        assert answer is not None
        answer.end(what, cut=self.begun and answer.head is not None)
        if answer.head is None:
            self._answer_itself(own_answer(status, f"no answer from {answer.forwarded().url}: {what}"))
        elif not self.begun:
            self._waiting.clear()
            self._waiting_size = 0
            self._answer_itself(own_answer(status, f"no whole answer from {answer.forwarded().url}: {what}"))
        else:
            self._record(caller_left=False)
            self._transport.abort()  # the caller can tell that it is not all

    # Out

    def _answer_itself(self, response: RenderedResponse) -> None:
        self._own = response
        self._complete = True
        self._hold(b"".join((response.head, self.ending, response.body_for(self._request.method))))
        self._pump()

    def _head(self, head: UpstreamHead, answer: UpstreamAnswer) -> bytes:
        """The answer's head for the caller, and how its body is framed."""
        bodiless = self._request.method == "HEAD" or head.status in BODILESS
        framing, ending = b"", self.ending
        if head.length is not None and (head.status != 204):
            framing = b"Content-Length: %d\r\n" % head.length
        elif not bodiless and ending is STAYS:
            self._chunked = True
            framing = b"Transfer-Encoding: chunked\r\n"
        elif not bodiless:
            self._closes = ending is KEEPS_ALIVE
            ending = CLOSES
        return head_of(head.status, head.reason, answer.fields) + framing + ending

    def _hold(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_size += len(data)

    def _pump(self) -> None:
        """Send what may go out."""
        if self._over:
            return
        call = None if self._answer is None else self._answer.call
        if not (self._turn and self._due) or self._order.paused:
            if call is not None and self._waiting_size > _TAKEN_AHEAD:
                call.pause()
            return
        if self._waiting:
            if self._first_byte_ns is None:
                self._first_byte_ns = self._lane.clock.now_ns()
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._waiting_size = 0
            self._transport.write(data)
        if self._complete:
            self._finish()
        elif call is not None and not self._order.paused:
            call.resume()

    def _finish(self) -> None:
        self._record(caller_left=self._transport.is_closing())
        if self._closes:
            self._transport.close()
        self._order.finished()

    def _record(self, *, caller_left: bool) -> None:
        """Enter the event into the journal."""
        answer, plan = self._answer, self.decision.plan
        if self._first_byte_ns is not None:
            there_ns = plan.first_byte_ns if answer is None else answer.first_byte_ns or self._first_byte_ns
            plan = DelayPlan(plan.arrived_ns, max(plan.first_byte_ns, there_ns, self._order.free_ns))
        response = self._own or (None if answer is None else answer.rendered())
        self._tell(
            response or self.decision.response,
            plan,
            caller_left=caller_left,
            forwarded=None if answer is None else answer.forwarded(),
        )
