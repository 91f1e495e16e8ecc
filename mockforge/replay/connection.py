"""One keep-alive connection to the target: bytes of a request out, its answer's bytes in.

An asyncio protocol that its parser calls back; no task and no future a request. It serves one request at a
time. What the parser (llhttp, through httptools) does not know, this file does:

* an answer to HEAD ends with its head, whatever its fields announce;
* 204 and 304 have no body; 1xx answers are passed over, and 101 ends what HTTP can say here;
* an answer without a length ends with the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, cast

import httptools

from mockforge.model.exchange import Response
from mockforge.model.headers import Headers
from mockforge.replay.failure import reason_of
from mockforge.replay.wire import PreparedRequest

__all__ = ["BODY_LIMIT", "PIECES_LIMIT", "Connection", "Ended", "Owner", "Read"]

#: Bytes of an answer's body that are kept; a longer one is counted.
BODY_LIMIT = 8 * 2**20

#: Reads of a streamed body whose times are kept.
PIECES_LIMIT = 10_000

_NO_BODY = frozenset({204, 304})


class Read(NamedTuple):
    """One read that brought some of a body: when, on the monotonic clock, and how many bytes of it."""

    at_ns: int
    size: int


class Ended(NamedTuple):
    """What a connection made of a request.

    `reads` is empty where the body came at once. `stale`: a reused connection was closed before it brought
    anything, which says nothing of the request.
    """

    response: Response | None
    first_byte_at_ns: int | None
    error: str | None = None
    reads: tuple[Read, ...] = ()
    stale: bool = False


class Owner(Protocol):
    """Whoever opened the connection; `reusable` says whether it can take the next request."""

    def on_ended(self, connection: Connection, ended: Ended, *, reusable: bool) -> None: ...

    def on_closed(self, connection: Connection) -> None: ...


class _OverrunError(Exception):
    """Stops the parser where a second answer begins."""


class Connection(asyncio.Protocol):
    """A connection numbered `number` for its `owner`."""

    def __init__(self, owner: Owner, number: int, now_ns: Callable[[], int]) -> None:
        self.number = number
        #: Requests that it was given.
        self.requests = 0
        #: Whose request is under way here; for the owner to set and to read.
        self.trip: Any = None
        self._owner = owner
        self._now_ns = now_ns
        self._transport: asyncio.Transport | None = None
        self._busy = False
        self._head_only = False
        self._parser: Any = httptools.HttpResponseParser(self)
        self._begin_answer()
        self._read_at_ns = 0
        self._first_byte_at_ns: int | None = None
        self._got_bytes = False

    def _begin_answer(self) -> None:
        self._status = 0
        self._reason = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._trailers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._reads: list[Read] = []
        self._head_done = False
        self._interim = False
        self._complete = False
        self._overrun = False
        self._keep_alive = False

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    @property
    def phase(self) -> str:
        """How far the answer has come: `wait` before its head is complete, then `body`."""
        return "body" if self._head_done and not self._interim else "wait"

    @property
    def answer_so_far(self) -> tuple[Response | None, int | None]:
        """The answer as far as it is known, and when its first byte came."""
        if self._head_done and not self._interim:
            return self._response(), self._first_byte_at_ns
        return None, self._first_byte_at_ns

    def send(self, request: PreparedRequest) -> None:
        """Write the request; the owner hears of its end. Nothing may be under way."""
        self.requests += 1
        self._busy = True
        self._got_bytes = False
        self._first_byte_at_ns = None
        self._head_only = request.head_only
        self._begin_answer()
        if self._transport is None:  # closed by the target as soon as it was open
            self._end("closed without an answer")
        else:
            self._transport.write(request.data)

    def close(self) -> None:
        """Give the connection up at once; the owner hears nothing more of a request under way."""
        self._busy = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._busy:
            self.close()  # nobody asked: what comes next could not be told from it
            return
        self._read_at_ns = self._now_ns()
        self._got_bytes = True
        before = self._size
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._complete = True
        except httptools.HttpParserError:
            if not self._complete:
                self._end("the answer is not HTTP")
                return
        if self._complete:
            self._finish()
        elif self._size > before:
            self._note_read(self._size - before)

    def connection_lost(self, error: Exception | None) -> None:
        if self._busy:
            if self._head_done and not self._interim and error is None and not self._length_told():
                self._complete = True
                self._finish()
            else:
                self._end(self._why_lost(error), stale=not self._got_bytes and self.requests > 1)
        self._transport = None
        self._owner.on_closed(self)

    # the parser's callbacks

    def on_message_begin(self) -> None:
        if self._complete:  # more than was asked for: what comes next could not be told from it
            self._overrun = True
            raise _OverrunError
        if self._interim:
            self._begin_answer()
        self._first_byte_at_ns = self._read_at_ns

    def on_status(self, status: bytes) -> None:
        self._reason += status  # comes in parts where reads part it

    def on_header(self, name: bytes, value: bytes) -> None:
        (self._trailers if self._head_done else self._fields).append((name, value))

    def on_headers_complete(self) -> None:
        self._head_done = True
        status = self._status = self._parser.get_status_code()
        if status < 200:
            self._interim = status != 101
        elif self._head_only or status in _NO_BODY:
            self._complete = True

    def on_body(self, part: bytes) -> None:
        if self._complete:
            return  # of an answer that has none
        self._size += len(part)
        if self._size <= BODY_LIMIT:
            self._body.append(part)
        elif self._body:
            self._body.clear()

    def on_message_complete(self) -> None:
        if not self._interim:
            self._complete = True
            self._keep_alive = self._parser.should_keep_alive()  # of the next one, once this call is over

    # what becomes of it

    def _note_read(self, size: int) -> None:
        if len(self._reads) < PIECES_LIMIT:
            self._reads.append(Read(self._read_at_ns, size))

    def _finish(self) -> None:
        """The answer is complete."""
        if self._reads:
            rest = self._size - sum(read.size for read in self._reads)
            if rest > 0:
                self._note_read(rest)
        bodiless = self._head_only or self._status in _NO_BODY
        reusable = (
            self._transport is not None
            and not self._overrun
            and self._status != 101
            and self._stays_open(bodiless)
        )
        if bodiless:
            # The parser may be waiting for a body that never comes.
            self._parser = httptools.HttpResponseParser(self)
        self._busy = False
        reads = tuple(self._reads) if len(self._reads) > 1 else ()
        ended = Ended(self._response(), self._first_byte_at_ns, reads=reads)
        self._owner.on_ended(self, ended, reusable=reusable)

    def _end(self, reason: str, *, stale: bool = False) -> None:
        """The answer will not be completed."""
        response, first_byte_at_ns = self.answer_so_far
        self._busy = False
        ended = Ended(response, first_byte_at_ns, f"{self.phase}: {reason}", tuple(self._reads), stale)
        self._owner.on_ended(self, ended, reusable=False)

    def _response(self) -> Response:
        kept = self._size <= BODY_LIMIT
        return Response(
            self._status,
            Headers.from_raw(self._fields),
            b"".join(self._body) if kept else b"",
            Headers.from_raw(self._trailers) if self._trailers else _NO_FIELDS,
            0 if kept else self._size,
            self._reason.decode("latin-1"),
        )

    def _stays_open(self, bodiless: bool) -> bool:
        if not bodiless:
            return self._keep_alive
        # Of a head alone the parser says "until the connection closes", which holds for a body only.
        options = b",".join(value for name, value in self._fields if name.lower() == b"connection").lower()
        return self._parser.get_http_version() == "1.1" and b"close" not in options

    def _length_told(self) -> bool:
        return any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in self._fields)

    def _why_lost(self, error: Exception | None) -> str:
        if error is not None:
            return reason_of(error)
        return "closed before the answer's end" if self._got_bytes else "closed without an answer"


_NO_FIELDS = Headers()
