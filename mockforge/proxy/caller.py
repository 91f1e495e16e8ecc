"""The caller's side: requests are found in the bytes that come, and the bytes are passed on.

Only a request's head waits until it is whole, as its target and its `Host` may change; what follows it goes
on read by read, unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from mockforge.proxy.body import body_of
from mockforge.proxy.head import (
    HEAD_LIMIT,
    MalformedError,
    RefusedError,
    RequestHead,
    head_end,
    may_begin_request,
)
from mockforge.proxy.passage import Passage
from mockforge.proxy.progress import ExchangeInProgress
from mockforge.proxy.tap import Tap

__all__ = ["CallerSide"]

#: Requests that a caller may have under way at once; further ones wait for an answer.
_PIPELINED = 64


class CallerSide(asyncio.Protocol):
    """A caller's connection, the `number`-th; up to `keep_body` bytes of a request's body are kept."""

    def __init__(
        self, tap: Tap, read_head: Callable[[bytes], RequestHead], keep_body: int, number: int
    ) -> None:
        self._tap = tap
        self._read_head = read_head
        self._keep_body = keep_body
        self._number = number
        self._now_ns = tap.now_ns
        self._passage: Passage
        #: A head that is not whole, or requests that wait for an answer.
        self._held = b""

    # asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._passage = Passage(self._tap, cast(asyncio.Transport, transport), self._number)
        self._tap.opened(self._passage)

    def connection_lost(self, error: Exception | None) -> None:
        self._passage.caller_gone()

    def eof_received(self) -> bool:
        """A caller that says no more counts as one that has left: until it is answered they look the same."""
        if self._passage.switched:
            return self._passage.half_close(from_caller=True)
        self._passage.caller_left()
        return False

    def pause_writing(self) -> None:
        self._passage.caller_pauses()

    def resume_writing(self) -> None:
        self._passage.caller_resumes()

    def data_received(self, data: bytes) -> None:
        passage = self._passage
        if self._held:
            data = self._held + data
            self._held = b""
        if passage.switched:
            passage.note_frames(data, "frame-in")
            passage.send(data)
            return
        read_ns = self._now_ns()
        at, size = 0, len(data)
        while at < size and not passage.over:
            try:
                at = self._take(data, at, read_ns)
            except RefusedError as refused:
                passage.refuse(refused.status, str(refused))
            except MalformedError as error:
                passage.refuse(400, f"the request's body is malformed: {error}")

    # Requests

    def _take(self, data: bytes, at: int, read_ns: int) -> int:
        """Pass on what belongs to one request from `at` on, or hold it; where that ends.

        Raises RefusedError and MalformedError.
        """
        passage = self._passage
        exchange = passage.incoming
        out = b""
        if exchange is None:
            if passage.pending and self._must_wait():
                return self._wait(data, at)
            end = head_end(data, at)
            if end is None:
                return self._hold_head(data, at)
            head = self._read_head(data[at:end])
            body = body_of(head.length, self._keep_body) if head.length else None
            exchange = ExchangeInProgress(head, self._number, body)
            out, at = head.out, end
        else:
            body = exchange.request_body
        exchange.read_ns = read_ns
        end = at if body is None else body.feed(data, at)
        if out:
            passage.begin(exchange)
            passage.send(out + data[at:end] if end > at else out)
        else:
            passage.send(data[at:end])
        if body is None or body.done:
            passage.incoming = None
            if exchange.arrived_ns is None:
                passage.arrived(exchange)
        else:
            passage.incoming = exchange
        return end

    def _must_wait(self) -> bool:
        """Whether what comes next has to wait: it may not be HTTP, or there is enough under way."""
        pending = self._passage.pending
        return pending[-1].head.upgrades or len(pending) >= _PIPELINED

    def _wait(self, data: bytes, at: int) -> int:
        self._held = data[at:]
        self._passage.on_answer = self._go_on
        self._passage.caller.pause_reading()
        return len(data)

    def _go_on(self) -> None:
        self.data_received(b"")

    def _hold_head(self, data: bytes, at: int) -> int:
        """Keep the begin of a head for the next read. Raises RefusedError where it cannot become one."""
        begun = data[at:]
        if not may_begin_request(begun):
            raise RefusedError(400, "not a request")
        if len(begun) > HEAD_LIMIT:
            line = begun.find(b"\n")
            status, what = (414, "target") if line < 0 else (431, "head")
            raise RefusedError(status, f"the request's {what} is over {HEAD_LIMIT:,} bytes")
        self._held = begun
        return len(data)
