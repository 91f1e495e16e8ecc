"""The caller's side of the proxy: a request read whole, and an answer written byte for byte.

aiohttp parses the request; the answer goes to the transport directly, because aiohttp's own response adds
fields (`Date`, `Server`, `Content-Type`) and re-encodes what it is given.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from itertools import count
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from mockforge.clock import Clock
from mockforge.model.exchange import Response
from mockforge.model.headers import Headers
from mockforge.proxy.upstream import MAX_FIELD_BYTES

__all__ = ["AnswerWriter", "Caller", "RequestTooLargeError", "Written", "caller_factory", "read_body"]

#: A caller's idle connection is kept this long, in seconds.
_KEEP_ALIVE_S = 3600.0


class RequestTooLargeError(Exception):
    """A request's body is over the limit."""


class Caller(web.RequestHandler):
    """One connection of a caller: it has a small number, and knows when it last received a byte."""

    __slots__ = ("_clock", "connection_id", "received_ns")

    def __init__(self, server: web.Server, clock: Clock, connection_id: int) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=_KEEP_ALIVE_S,
            access_log=None,  # type: ignore[arg-type]  # None is how aiohttp is told to write none
            max_line_size=MAX_FIELD_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            auto_decompress=False,
        )
        self._clock = clock
        self.connection_id = connection_id
        self.received_ns = clock.now_ns()

    def data_received(self, data: bytes) -> None:
        """Stamp the arrival before anything else: the time until the handler runs is the proxy's own."""
        self.received_ns = self._clock.now_ns()
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A malformed request is the caller's fault: answered, and not logged as an error of the proxy."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        refusal = web.Response(status=status, text=f"mockforge: not a request: {message or exc}\n")
        refusal.force_close()
        return refusal


def caller_factory(server: web.Server, clock: Clock) -> Any:
    """A protocol factory whose connections are numbered from 1."""
    numbers = count(1)
    return lambda: Caller(server, clock, next(numbers))


async def read_body(request: web.BaseRequest, limit: int) -> bytes:
    """The whole body; raises RequestTooLargeError once it is over `limit` bytes.

    A caller that waits to be told to go on (`Expect: 100-continue`) is told.
    """
    if not request.body_exists:
        return b""
    if (request.content_length or 0) > limit:
        raise RequestTooLargeError
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    parts: list[bytes] = []
    size = 0
    while part := await request.content.readany():
        size += len(part)
        if size > limit:
            raise RequestTooLargeError
        parts.append(part)
    return b"".join(parts)


class AnswerWriter:
    """Writes one answer to a caller, and keeps what the caller got.

    The head goes with the first piece of the body, in one write. A body whose length is not known is sent
    chunked, and to a caller that speaks HTTP/1.0 until the connection ends. Writing to a caller that has
    left raises ConnectionError.
    """

    def __init__(self, request: web.BaseRequest, clock: Clock) -> None:
        self._request = request
        self._clock = clock
        self._status = 0
        self._headers = Headers()
        self._sent: list[bytes] = []
        self._unsent: list[bytes] = []
        self._framing = _Framing.LENGTH
        #: Whether the connection may carry another request after this one.
        self.keep_alive = request.keep_alive
        self.first_byte_ns: int | None = None

    @property
    def begun(self) -> bool:
        """Whether the caller has got any of the answer."""
        return self.first_byte_ns is not None

    @property
    def response(self) -> Response | None:
        """What the caller has got so far; None before the first byte."""
        return Response(self._status, self._headers, b"".join(self._sent)) if self.begun else None

    @property
    def caller_left(self) -> bool:
        return self._request.transport is None

    def head(self, status: int, reason: str, headers: Headers) -> None:
        """Begin the answer with these fields, to which only framing and `Connection` are added.

        An answer of which nothing was sent yet is begun anew.
        """
        modern = self._request.version >= (1, 1)
        self._status, self._headers = status, headers
        self._framing = _framing(self._request.method, modern, status, headers)
        self.keep_alive = self.keep_alive and self._framing is not _Framing.UNTIL_CLOSE
        lines = [b"HTTP/1.1 %d %s" % (status, reason.encode("utf-8", "surrogateescape"))]
        lines += [name + b": " + value for name, value in headers.raw()]
        if self._framing is _Framing.CHUNKED:
            lines.append(b"Transfer-Encoding: chunked")
        if not self.keep_alive:
            lines.append(b"Connection: close")
        elif not modern:
            lines.append(b"Connection: keep-alive")
        self._unsent = [b"\r\n".join(lines) + b"\r\n\r\n"]

    async def send(self, data: bytes) -> None:
        """Send the next piece of the body, and wait where the caller reads more slowly than it comes."""
        self._frame(data)
        self._flush()
        await self._request.writer.drain()

    async def finish(self, data: bytes) -> int:
        """Send the last piece; the time at which the answer was out, in monotonic nanoseconds."""
        self._frame(data)
        if self._framing is _Framing.CHUNKED:
            self._unsent.append(b"0\r\n\r\n")
        self._flush()
        await self._request.writer.drain()
        return self._clock.now_ns()

    def cut(self) -> None:
        """End the connection in the middle of the answer, so that the caller sees that it is incomplete.

        Where only the end of the connection ends the body, a reset is the one sign that there is.
        """
        self.keep_alive = False
        transport = self._request.transport
        if transport is not None and self._framing is _Framing.UNTIL_CLOSE:
            transport.abort()
        elif transport is not None:
            transport.close()

    def _frame(self, data: bytes) -> None:
        if not data or self._framing is _Framing.BODILESS:
            return
        self._sent.append(data)
        if self._framing is _Framing.CHUNKED:
            self._unsent += (b"%x\r\n" % len(data), data, b"\r\n")
        else:
            self._unsent.append(data)

    def _flush(self) -> None:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the caller has left")
        if self._unsent:
            transport.write(b"".join(self._unsent))
            self._unsent = []
            if self.first_byte_ns is None:
                self.first_byte_ns = self._clock.now_ns()


class _Framing(Enum):
    """How a caller finds the end of a body (RFC 9112 §6.3)."""

    BODILESS = auto()
    LENGTH = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()


def _framing(method: str, modern: bool, status: int, headers: Headers) -> _Framing:
    if method == "HEAD" or status in (204, 304):
        return _Framing.BODILESS
    if "content-length" in headers:
        return _Framing.LENGTH
    return _Framing.CHUNKED if modern else _Framing.UNTIL_CLOSE


class Written(web.StreamResponse):
    """Tells aiohttp that the answer is out already, and whether the connection may be used again."""

    def __init__(self, keep_alive: bool) -> None:
        super().__init__()
        self._reusable = keep_alive

    @property
    def keep_alive(self) -> bool:
        return self._reusable

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None
