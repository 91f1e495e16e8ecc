"""A passage: one caller's connection and the target's connection that serves it.

The pairing mirrors the caller's own pooling: the target's connection is opened at the caller's first request,
serves its next ones, and ends with it. Where the target closes it between two requests, the next one opens
another.

The laws of this file:

1. `pending` holds the exchanges whose request has begun and whose answer is not complete, in order; answers
   come in that order (RFC 9112 §9.3.2), so that the first is always the one that is being answered.
2. An exchange that has arrived is told exactly once, and leaves `pending` then.
3. A failure before any byte of the answer is a 502 or 504 of ours; after it, the caller's connection ends as
   the target's did. Either way the passage is over.
4. A request is sent again only where a connection that had served before died without a byte of an answer,
   and only one that may be (RFC 9110 §9.2.2) and has no body.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mockforge.model.exchange import Response
from mockforge.proxy.failure import Failure, plain_answer, wire_bytes
from mockforge.proxy.progress import ExchangeInProgress
from mockforge.proxy.websocket import FrameLengths

if TYPE_CHECKING:
    from mockforge.proxy.tap import Tap
    from mockforge.proxy.target_side import TargetSide

__all__ = ["CALLER_LEFT", "STOPPED", "Passage"]

CALLER_LEFT = "caller: left"
STOPPED = "proxy: stopped"

#: Bytes for a target that is not connected yet above which the caller is not read any further.
_UNSENT_LIMIT = 65_536

#: A caller that was told that its connection is over may go on sending for so long, in seconds: were it
#: closed at once, what it is still sending would take the answer from it.
_LINGER_S = 2.0

#: SO_LINGER with no time: closing sends a reset.
_RESET = struct.pack("ii", 1, 0)


class Passage:
    """The two connections, and the exchanges that are under way on them."""

    def __init__(self, tap: Tap, caller: asyncio.Transport, number: int) -> None:
        self.number = number
        self.caller = caller
        self.pending: deque[ExchangeInProgress] = deque()
        #: The request whose body is coming in.
        self.incoming: ExchangeInProgress | None = None
        #: No request is taken any more.
        self.over = False
        #: After a 101 both directions are raw bytes.
        self.switched = False
        #: What reads on where further requests wait for an answer.
        self.on_answer: Callable[[], None] | None = None
        self._tap = tap
        self._target: TargetSide | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._unsent: list[bytes] = []
        self._unsent_size = 0
        #: Whether the write buffer towards the caller, or the target, is full.
        self._caller_full = False
        self._target_full = False
        #: Answered in full, but the caller has not read up to the last bytes yet.
        self._draining: list[ExchangeInProgress] = []
        self._last_words = b""
        self._linger: asyncio.TimerHandle | None = None
        self._frames: dict[str, FrameLengths] = {}
        #: Ends of a switched connection that say no more.
        self._quiet_ends = 0

    # Requests

    def begin(self, exchange: ExchangeInProgress) -> None:
        """A request's head is whole."""
        self.pending.append(exchange)

    def send(self, data: bytes) -> None:
        """Pass bytes on to the target; opens a connection where there is none."""
        target = self._target
        if target is not None:
            target.transport.write(data)
            return
        self._unsent.append(data)
        self._unsent_size += len(data)
        if self._unsent_size > _UNSENT_LIMIT:
            self.caller.pause_reading()
        if self._connecting is None:
            self._connecting = self._tap.connect(self)

    def arrived(self, exchange: ExchangeInProgress) -> None:
        """The request is whole, or as much of it as the target waited for before it answered."""
        exchange.arrived_ns = exchange.read_ns
        exchange.in_flight = self._tap.in_flight
        exchange.counted = True
        self._tap.in_flight += 1

    def refuse(self, status: int, why: str) -> None:
        """Turn the request that is coming in down once those before it are answered; it is not told."""
        self.over = True
        exchange, self.incoming = self.incoming, None
        if exchange is not None and exchange in self.pending:
            self.pending.remove(exchange)
        self._last_words = wire_bytes(plain_answer(status, why))
        if not self.pending:
            self._say_last_words()

    # Answers

    def joined(self, target: TargetSide, connect_ns: int, tls_ns: int | None) -> None:
        """The target is connected; what waited for it is sent."""
        self._connecting = None
        self._target = target
        exchange = self.pending[0]
        exchange.connect_ns, exchange.tls_ns = connect_ns, tls_ns
        target.transport.write(b"".join(self._unsent))
        self._unsent, self._unsent_size = [], 0
        self._read_on()
        if self._caller_full:
            target.transport.pause_reading()

    def answered(self, ended_ns: int, *, closes: bool) -> None:
        """The first exchange's answer is with the caller's transport, to its last byte."""
        exchange = self.pending.popleft()
        if self._caller_full:
            self._draining.append(exchange)
        else:
            self._tell(exchange, ended_ns)
        if closes or (self._tap.stopping and not self.pending):
            self._close_after_answer()
        elif self._last_words and not self.pending:
            self._say_last_words()
        elif self.on_answer is not None:
            self._take_up()

    def surplus(self) -> None:
        """The target said more than was asked: its next answer could not be told from it."""
        self._close_after_answer()

    def switch(self, *, websocket: bool) -> None:
        """The first exchange's answer was a 101: HTTP is over, and the request is not in flight any more."""
        self.switched = True
        self.pending[0].counted = False
        self._tap.in_flight -= 1
        if websocket:
            self._frames = {"frame-in": FrameLengths(), "frame-out": FrameLengths()}
        if self.on_answer is not None:
            self._take_up()

    def note_frames(self, data: bytes, kind: str) -> None:
        """Bytes of a switched connection: kind "frame-in" from the caller, "frame-out" to it."""
        if self._frames and self.pending:
            now_ns = self._tap.now_ns()
            for size in self._frames[kind].feed(data):
                self.pending[0].note(now_ns, size, kind)

    # Failures

    def target_lost(self, target: TargetSide, error: Exception | None, reason: str) -> None:
        """A connection of the target's is gone; `reason` says how, where something is under way."""
        if target is not self._target:
            return  # it was given up before
        self._target = None
        self._target_full = False
        self._read_on()
        if self.switched:
            self.end(None)
            self._cut(as_reset=error is not None)
        elif self.pending:
            first = self.pending[0]
            stale = target.silent and target.answers > 0
            if stale and len(self.pending) == 1 and first.head.repeatable:
                self.send(first.head.out)
            else:
                self.fail(Failure(first.phase, reason), as_reset=error is not None)
        elif self.incoming is not None:  # answered already, but not whole: its rest has nowhere to go
            self._close_after_answer()

    def fail(self, failure: Failure, *, as_reset: bool = False) -> None:
        """The target failed: the caller is told, or cut off where its answer has begun; all is over."""
        self._connecting = None
        self.over = True
        first = self.pending[0]
        if first.arrived_ns is None:
            self.arrived(first)
        if first.answer is not None:
            self.end(str(failure))
            self._cut(as_reset=as_reset)
            return
        answer = plain_answer(failure.status, f"the target failed: {failure}")
        if first.head.request.method == "HEAD":
            answer = replace(answer, body=b"")
        self._last_words = wire_bytes(answer)
        self._say_last_words()
        self.pending.popleft()
        first.first_byte_ns = self._tap.now_ns()
        self._tell(first, first.first_byte_ns, str(failure), answer)
        self.end(str(failure))

    def expire(self, now_ns: int, timeout_ns: int) -> None:
        """Fail where the target has kept silent, or not read on, for longer than `timeout_ns`."""
        target = self._target
        if target is None or self.switched or self._caller_full or not self.pending:
            return
        first = self.pending[0]
        if first.arrived_ns is None and not self._target_full:
            return  # it is the caller who is slow
        if now_ns - max(first.read_ns, target.heard_ns) > timeout_ns:
            self.fail(Failure(first.phase, "timeout"))

    # Back-pressure

    def caller_pauses(self) -> None:
        """The caller reads more slowly than the target writes."""
        self._caller_full = True
        if self._target is not None:
            self._target.transport.pause_reading()

    def caller_resumes(self) -> None:
        self._caller_full = False
        draining, self._draining = self._draining, []
        for exchange in draining:
            self._tell(exchange, self._tap.now_ns())
        if self._target is not None:
            self._target.transport.resume_reading()

    def target_pauses(self) -> None:
        """The target reads more slowly than the caller writes."""
        self._target_full = True
        self.caller.pause_reading()

    def target_resumes(self) -> None:
        self._target_full = False
        self._read_on()

    def _read_on(self) -> None:
        """Read from the caller again, where no reason is left not to."""
        full = self._target_full or self._unsent_size > _UNSENT_LIMIT
        if not full and self.on_answer is None and not self.caller.is_closing():
            self.caller.resume_reading()

    def _take_up(self) -> None:
        on_answer, self.on_answer = self.on_answer, None
        self._read_on()
        assert on_answer is not None
        on_answer()

    # Ends

    @property
    def idle(self) -> bool:
        """Whether nothing is under way that will end by itself."""
        return self.switched or not (self.pending or self._draining)

    def end(self, error: str | None) -> None:
        """All that is under way ends now, with `error`; nothing more is exchanged with the target."""
        self.over = True
        now_ns = self._tap.now_ns()
        under_way = [*self._draining, *self.pending]
        self._draining = []
        self.pending.clear()
        for exchange in under_way:
            if exchange.arrived_ns is not None:
                self._tell(exchange, now_ns, error)
        self._drop_target()

    def caller_left(self) -> None:
        """The caller's connection is gone, or says no more. A switched one has no other way to end."""
        self.end(None if self.switched else CALLER_LEFT)

    def caller_gone(self) -> None:
        """The caller's connection is closed: nothing is left of the passage."""
        self.caller_left()
        if self._linger is not None:
            self._linger.cancel()
        self._tap.closed(self)

    def half_close(self, *, from_caller: bool) -> bool:
        """One end of a switched connection says no more; whether the other direction stays open."""
        self._quiet_ends += 1
        if self._target is None:
            return False
        target = self._target.transport
        if self._quiet_ends == 2 or not (target.can_write_eof() and self.caller.can_write_eof()):
            return False
        (target if from_caller else self.caller).write_eof()
        return True

    def stop(self, *, at_once: bool) -> None:
        """The proxy ends: close both connections, `at_once` or when the caller has read what was written."""
        self.end(STOPPED)
        if at_once:
            self.caller.abort()
        else:
            self.caller.close()

    def _tell(
        self,
        exchange: ExchangeInProgress,
        ended_ns: int,
        error: str | None = None,
        response: Response | None = None,
    ) -> None:
        if exchange.counted:
            exchange.counted = False
            self._tap.in_flight -= 1
        self._tap.tell(exchange, ended_ns, response or exchange.response, error)

    def _close_after_answer(self) -> None:
        """Close both, once the caller has got what was written; requests behind it get no answer."""
        draining, self._draining = self._draining, []
        self.end("wait: closed without an answer")
        self._draining = draining
        self._close_caller(sending=self.incoming is not None)

    def _say_last_words(self) -> None:
        """Write an answer of our own, the last one, and wait a little for a caller that is still sending."""
        self._drop_target()
        if not self.caller.is_closing():
            self.caller.write(self._last_words)
            self._last_words = b""
            self._close_caller(sending=True)

    def _close_caller(self, *, sending: bool) -> None:
        """Close once all is written; by halves where the caller may be `sending`, as that would be lost."""
        caller = self.caller
        if sending and not caller.is_closing() and caller.can_write_eof():
            caller.write_eof()
            caller.resume_reading()
            self._linger_on()
        else:
            caller.close()

    def _linger_on(self) -> None:
        """Give a caller that was told of the end _LINGER_S, and as long again while it reads the answer."""

        def overdue() -> None:
            if self.caller.get_write_buffer_size() > 0:
                self._linger_on()
            else:
                self.caller.abort()

        self._linger = asyncio.get_running_loop().call_later(_LINGER_S, overdue)

    def _cut(self, *, as_reset: bool) -> None:
        """End the caller's connection in the middle of an answer, by a reset where the target's was.

        Where only the connection's end ends the body, a reset is the one sign that it is incomplete.
        """
        sock = self.caller.get_extra_info("socket") if as_reset else None
        if sock is None:
            self.caller.close()
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.caller.abort()

    def _drop_target(self) -> None:
        target, self._target = self._target, None
        if target is not None:
            target.transport.abort()
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        self._unsent, self._unsent_size = [], 0
