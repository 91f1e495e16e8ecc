"""One kept connection to an upstream: a request's bytes out, its answer's parts to whoever asked.

It serves one request at a time. Framing is read as the recording tap reads it (`head`, `body`), and
taken off: the answer goes on in whatever framing its caller needs.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Protocol, cast

from mockforge.model.headers import Headers
from mockforge.model.upstream import UpstreamHead
from mockforge.proxy.body import Body, body_of
from mockforge.proxy.failure import Failure, reason_of
from mockforge.proxy.head import (
    UNTIL_CLOSE,
    AnswerHead,
    MalformedError,
    answer_head_end,
    read_answer_head,
)

__all__ = ["Trip", "UpstreamConnection"]

_NO_FIELDS = Headers()


class Trip(Protocol):
    """The request that a connection serves, and who hears of its answer."""

    method: str

    def heard(self) -> None: ...

    def on_interim(self, head: UpstreamHead) -> None: ...

    def on_head(self, head: UpstreamHead) -> None: ...

    def on_body(self, data: bytes) -> None: ...

    def on_read(self) -> None: ...

    def ended(self, trailers: Headers, *, reusable: bool) -> None: ...

    def failed(self, failure: Failure, *, stale: bool = False) -> None:
        """`stale`: the upstream had closed the kept connection before it saw the request."""


class UpstreamConnection(asyncio.Protocol):
    """`on_lost` is told when the connection is closed."""

    def __init__(self, on_lost: Callable[[UpstreamConnection], object]) -> None:
        #: When it was used last; for the pool to set and to read.
        self.idle_since_ns = 0
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._trip: Trip | None = None
        self._requests = 0
        self._begin()

    def _begin(self) -> None:
        self._held = b""
        self._silent = True
        self._head: AnswerHead | None = None
        self._body: Body | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, trip: Trip, data: bytes) -> None:
        """Send a request's bytes; nothing may be under way."""
        self._trip = trip
        self._requests += 1
        self._begin()
        if self._transport is None:
            self._fail("send", "closed without an answer")
        else:
            self._transport.write(data)

    def pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        """Give it up at once; whoever asked hears nothing more."""
        self._trip = None
        if self._transport is not None:
            self._transport.abort()

    # asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._on_lost(self)
        trip = self._trip
        if trip is None:
            return
        if error is None and self._head is not None and self._length() == UNTIL_CLOSE:
            self._finish(reusable=False)
        elif error is not None:
            self._fail(self._phase, reason_of(error))
        else:
            self._fail(self._phase, "closed without an answer" if self._silent else "closed before its end")

    def data_received(self, data: bytes) -> None:
        trip = self._trip
        if trip is None:
            self.close()  # nobody asked: what comes next could not be told from it
            return
        trip.heard()
        self._silent = False
        if self._held:
            data, self._held = self._held + data, b""
        try:
            self._take(trip, data)
        except MalformedError as error:
            self._fail(self._phase, str(error))
        if self._trip is trip:
            trip.on_read()

    # The answer

    def _take(self, trip: Trip, data: bytes) -> None:
        """Hand on what came; raises MalformedError where the answer cannot be followed."""
        at = self._take_heads(trip, data)
        head, body = self._head, self._body
        if head is None:
            return
        if body is not None:
            at = body.feed(data, at)
            for part in body.take():
                if self._trip is not None:  # it may be given up at any part
                    trip.on_body(part)
            if not body.done:
                return
        self._finish(reusable=at == len(data) and not head.closes_after(trip.method))

    def _take_heads(self, trip: Trip, data: bytes) -> int:
        """Read heads up to the final answer's, where that is there; where they end."""
        at = 0
        while self._head is None and at < len(data):
            end = answer_head_end(data, at)
            if end is None:
                self._held = data[at:]
                return len(data)
            head, at = read_answer_head(data[at:end]), end
            if head.status == 101:
                raise MalformedError("the protocol changed, which nobody asked for")
            told = head.length if head.length >= 0 else None
            shown = UpstreamHead(head.status, head.reason, head.headers, told)
            if head.is_interim:
                trip.on_interim(shown)
                continue
            self._head, self._body = head, body_of(head.body_length(trip.method), sys.maxsize)
            trip.on_head(shown)
        return at

    def _length(self) -> int:
        assert self._head is not None
        assert self._trip is not None
        return self._head.body_length(self._trip.method)

    @property
    def _phase(self) -> str:
        return "wait" if self._head is None else "body"

    def _finish(self, *, reusable: bool) -> None:
        trip, self._trip = self._trip, None
        if trip is None:
            return
        reusable = reusable and self.is_open
        trailers = _NO_FIELDS if self._body is None else self._body.trailers
        if not reusable and self._transport is not None:
            self._transport.close()
        trip.ended(trailers, reusable=reusable)

    def _fail(self, phase: str, reason: str) -> None:
        trip, self._trip = self._trip, None
        if trip is None:
            return
        stale = self._silent and self._requests > 1
        if self._transport is not None:
            self._transport.abort()
        trip.failed(Failure(phase, reason), stale=stale)
