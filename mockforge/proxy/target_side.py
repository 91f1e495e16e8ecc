"""The target's side: answers are found in the bytes that come, and the bytes are passed on as they are.

A head waits until it is whole, so that a target that is none of HTTP is told and not passed on; what follows
it goes on read by read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from mockforge.proxy.body import body_of
from mockforge.proxy.failure import Failure, reason_of
from mockforge.proxy.head import (
    NOT_HTTP,
    UNTIL_CLOSE,
    AnswerHead,
    MalformedError,
    answer_head_end,
    read_answer_head,
)
from mockforge.proxy.passage import Passage
from mockforge.proxy.progress import ExchangeInProgress

__all__ = ["TargetSide"]


class TargetSide(asyncio.Protocol):
    """One connection to the target; up to `keep_body` bytes of an answer's body are kept."""

    def __init__(self, passage: Passage, now_ns: Callable[[], int], keep_body: int) -> None:
        self.transport: asyncio.Transport
        #: Answers that were complete.
        self.answers = 0
        #: Whether nothing has come since the last complete one.
        self.silent = True
        #: When anything came last.
        self.heard_ns = now_ns()
        self._passage = passage
        self._now_ns = now_ns
        self._keep_body = keep_body
        self._held = b""

    # asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        passage = self._passage
        if error is None and self._ends_by_closing():
            self._complete(passage.pending[0], self._now_ns(), closes=True)
            return
        if error is not None:
            reason = reason_of(error)
        elif passage.pending and passage.pending[0].answer is not None:
            reason = "closed before its end"
        else:
            reason = "closed without an answer"
        passage.target_lost(self, error, reason)

    def eof_received(self) -> bool:
        return self._passage.switched and self._passage.half_close(from_caller=False)

    def pause_writing(self) -> None:
        self._passage.target_pauses()

    def resume_writing(self) -> None:
        self._passage.target_resumes()

    def data_received(self, data: bytes) -> None:
        passage = self._passage
        self.silent = False
        self.heard_ns = self._now_ns()
        if passage.switched:
            self._pass_raw(data)
            return
        if self._held:
            data = self._held + data
            self._held = b""
        at, size = 0, len(data)
        try:
            while at < size and passage.pending and not passage.switched:
                at = self._take(passage.pending[0], data, at)
        except MalformedError:
            passage.fail(Failure(passage.pending[0].phase, NOT_HTTP))
            return
        if at < size:
            if passage.switched:
                self._pass_raw(data[at:])
            elif not passage.over and data[at:].strip(b"\r\n"):
                passage.surplus()

    # Answers

    def _take(self, exchange: ExchangeInProgress, data: bytes, at: int) -> int:
        """Pass on what belongs to the answer of `exchange` from `at` on, or hold it; where that ends.

        Raises MalformedError where the answer cannot be followed.
        """
        begin = at
        if exchange.answer is None:
            end = answer_head_end(data, at)
            if end is None:
                self._held = data[at:]
                return len(data)
            head, at = read_answer_head(data[at:end]), end
            if head.is_interim:
                self._passage.caller.write(data[begin:at])
                return at
            self._begin(exchange, head)
        body = exchange.answer_body
        if body is None:
            self._passage.caller.write(data[begin:at])
            self._stamp_complete(exchange)
            return at
        before = body.size
        try:
            end = body.feed(data, at)
        except MalformedError:
            self._passage.caller.write(data[begin:])  # as the caller would have got it
            raise
        self._passage.caller.write(data[begin:end])
        if not body.done or exchange.reads:
            self._note(exchange, body.size - before)
        if body.done:
            self._stamp_complete(exchange)
        elif exchange.first_byte_ns is None:
            exchange.first_byte_ns = self._now_ns()
        return end

    def _begin(self, exchange: ExchangeInProgress, head: AnswerHead) -> None:
        exchange.answer = head
        length = head.body_length(exchange.head.request.method)
        if length:
            exchange.answer_body = body_of(length, self._keep_body)
        if exchange.arrived_ns is None:
            self._passage.arrived(exchange)

    def _note(self, exchange: ExchangeInProgress, size: int) -> None:
        if size:
            exchange.note(self.heard_ns, size, "response")

    def _stamp_complete(self, exchange: ExchangeInProgress) -> None:
        """The answer's last byte was written just now."""
        now_ns = self._now_ns()
        if exchange.first_byte_ns is None:
            exchange.first_byte_ns = now_ns
        answer = exchange.answer
        assert answer is not None
        if answer.status == 101:
            self._passage.switch(websocket=(answer.headers.get("upgrade") or "").lower() == "websocket")
        else:
            self._complete(exchange, now_ns, closes=answer.closes or exchange.head.closes)

    def _complete(self, exchange: ExchangeInProgress, now_ns: int, *, closes: bool) -> None:
        if len(exchange.reads) == 1:
            exchange.reads.clear()  # it came in one piece
        self.answers += 1
        self.silent = True
        self._passage.answered(now_ns, closes=closes)

    def _ends_by_closing(self) -> bool:
        """Whether the connection's end is the end of the answer that is coming in."""
        passage = self._passage
        if passage.switched or not passage.pending:
            return False
        exchange = passage.pending[0]
        answer = exchange.answer
        return answer is not None and answer.body_length(exchange.head.request.method) == UNTIL_CLOSE

    def _pass_raw(self, data: bytes) -> None:
        self._passage.caller.write(data)
        self._passage.note_frames(data, "frame-out")
