"""Requests read from a connection: whole, and within limits whatever the caller sends.

Requests that fit into one read are the common case, and cost nothing here beyond their parsing: limits that
such a request cannot exceed are looked at only when one goes on in the next read (`_await_rest`).
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from mockforge.model.request import RequestView
from mockforge.server.lane import Lane
from mockforge.server.wire import CLOSES, KEEPS_ALIVE, STAYS

__all__ = ["BETWEEN", "LONG_BODY", "OVER", "OverError", "RefusedError", "RequestReader"]

# Where a connection is: between two requests, in the head or the body of one, or over, when no further
# request is taken. Head and body are LONG once they have gone on from one read to the next.
BETWEEN, HEAD, LONG_HEAD, BODY, LONG_BODY, OVER = range(6)

#: A request that begins with a method which the parser does not know, and one that it does.
_ODD_METHOD = re.compile(rb"(?!PRI )([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) ")
_STAND_IN = b"POST"

#: What the start line takes beside the target, roughly.
_START_LINE = 16


class RefusedError(Exception):
    """The request cannot be served: the answer's status and its reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class OverError(Exception):
    """The connection ends with the request that was just complete, whatever follows it."""


class RequestReader(HttpToolsProtocol):
    """The reading half of a connection; `on_message_complete` is left to whoever answers.

    It finds a request in `_method`, `url`, `headers` and `_body`. What cannot be read on ends in `_refuse`,
    and what fails in `_fail`.
    """

    __slots__ = (
        "_began_ns",
        "_body",
        "_fed",
        "_head_fields",
        "_lane",
        "_limits",
        "_now_ns",
        "_odd_method",
        "_plain",
        "_server_ends",
        "_size",
        "_stage",
        "_whole",
    )

    def __init__(
        self,
        lane: Lane,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._lane = lane
        self._limits = lane.limits
        self._now_ns = lane.clock.now_ns
        self._stage = BETWEEN
        self._body: bytes | bytearray = b""
        self._head_fields = 0
        #: The method that a stand-in was parsed for.
        self._odd_method = ""
        #: The size of the read that is being parsed, and of a long head or body so far.
        self._fed = 0
        self._size = 0
        #: The requests of the read that is being parsed; None for one that must be parsed again next time.
        self._whole: list[RequestView | None] = []
        #: When a long request began; None while its body waits for our `100 Continue`.
        self._began_ns: int | None = None
        #: Whether the caller speaks HTTP/1.1 and the server does not end.
        self._plain = False
        self._server_ends = False

    def _refuse(self, status: int, reason: str) -> None:
        """Say why, after what is owed, and end the connection."""
        raise NotImplementedError

    def _fail(self, error: Exception) -> None:
        """Refuse for a fault of our own."""
        raise NotImplementedError

    def _ask_for_body(self) -> None:
        """The caller holds the body back until it is told to continue."""
        raise NotImplementedError

    def _parse(self, data: bytes) -> None:
        self._fed = len(data)
        self._whole.clear()
        upgrade_at = None
        try:
            try:
                self._feed(data)
            except httptools.HttpParserUpgrade as upgrade:
                upgrade_at = upgrade.args[0]
            if upgrade_at is not None:
                self._decline_upgrades(memoryview(data)[upgrade_at:])
            if BETWEEN < self._stage < OVER:
                self._await_rest()
        except RefusedError as refused:
            self._refuse(refused.status, str(refused))
        except httptools.HttpParserError as error:
            self._give_up(error)

    def _feed(self, data: bytes) -> None:
        """Parse; a method that the parser does not know is parsed as another, and remembered.

        Any token is a method (RFC 9110 §9.1). One that comes behind another request in one read is refused.
        """
        between = self._stage == BETWEEN
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserInvalidMethodError:
            found = _ODD_METHOD.match(data) if between and not self._whole else None
            if found is None:
                raise
            self._odd_method = found[1].decode()
            self.parser = httptools.HttpRequestParser(self)
            self.parser.feed_data(_STAND_IN + data[found.end(1) :])

    def _method(self) -> str:
        """The complete request's method."""
        if self._odd_method:
            method, self._odd_method = self._odd_method, ""
            return method
        method_bytes: bytes = self.parser.get_method()
        return method_bytes.decode()

    def on_message_begin(self) -> None:
        self._stage = HEAD
        self._began_ns = None
        self._body = b""
        self.url = b""
        self.headers = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value.rstrip()))

    def on_headers_complete(self) -> None:
        if self._stage == LONG_HEAD or self._fed > self._limits.target:
            self._measure_head()
        self._stage = BODY

    def on_body(self, body: bytes) -> None:
        if len(self._body) + len(body) > self._limits.body:
            raise self._too_large()
        if not self._body:
            self._body = body
            return
        if not isinstance(self._body, bytearray):
            self._body = bytearray(self._body)
        self._body += body

    def on_chunk_header(self) -> None:
        self._head_fields = len(self.headers)

    def on_chunk_complete(self) -> None:
        del self.headers[self._head_fields :]  # trailers are no header fields (RFC 9110 §6.5.1)

    def _ending(self) -> bytes:
        """How the head of the complete request's answer ends; the connection is OVER where that closes it."""
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise RefusedError(505, f"HTTP/{version} is not served; speak HTTP/1.1")
        if not self._server_ends and self.parser.should_keep_alive():
            if version == "1.1":
                self._plain = True
                return STAYS
            if all(name.lower() != b"transfer-encoding" for name, _ in self.headers):  # RFC 9112 §6.1
                return KEEPS_ALIVE
        self._stage = OVER
        return CLOSES

    # Requests that do not fit into one read

    def _await_rest(self) -> None:
        """Hold a request that goes on in the next read to the limits; raises RefusedError."""
        if self._began_ns is None:
            self._began_ns = self._now_ns()
        if self._stage == HEAD:
            self._stage = LONG_HEAD
            self._size = self._measure_head()
        elif self._stage == LONG_HEAD:
            self._size += self._fed
            self._check_head(self._size)
        elif self._stage == BODY:
            self._stage = LONG_BODY
            self._size = self._fed
            self._announce_body()
        else:
            self._size += self._fed
            if self._size > 2 * self._limits.body + self._limits.head:  # chunks of nothing but framing
                raise self._too_large()

    def _measure_head(self) -> int:
        """The size of the target and the fields so far, in bytes; raises RefusedError if above the limit."""
        size = _START_LINE + len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        self._check_head(size)
        return size

    def _check_head(self, size: int) -> None:
        if len(self.url) > self._limits.target:
            raise RefusedError(414, f"Request target above {self._limits.target:,} bytes")
        if size > self._limits.head:
            raise RefusedError(431, f"Request head above {self._limits.head:,} bytes")

    def _too_large(self) -> RefusedError:
        return RefusedError(413, f"Request body above {self._limits.body:,} bytes")

    def _announce_body(self) -> None:
        """Refuse a body that the head says is too large; ask for one that is held back."""
        fields = {name.lower(): value.strip().lower() for name, value in self.headers}
        if int(fields.get(b"content-length", 0)) > self._limits.body:
            raise self._too_large()
        if fields.get(b"expect") == b"100-continue" and self.parser.get_http_version() == "1.1":
            self._began_ns = None
            self._ask_for_body()

    # What is not read on

    def _decline_upgrades(self, rest: memoryview) -> None:
        """Read requests that wish for another protocol as HTTP/1.1.

        The parser took the upgrade for granted, and so what follows for the other protocol's; it is the
        request's body, or the next request. So the head is parsed again without the wish, then the `rest`.
        """
        while True:
            method = self.parser.get_method()
            if method == b"CONNECT":
                raise RefusedError(501, "CONNECT is not served: the mock is no proxy")
            version = self.parser.get_http_version().encode()
            fields = [(name, value) for name, value in self.headers if name.lower() != b"upgrade"]
            lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
            lines += [b"%s: %s" % field for field in fields]
            self.parser = httptools.HttpRequestParser(self)
            self._whole.append(None)
            try:
                self.parser.feed_data(b"\r\n".join((*lines, b"", b"")))
                self.parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as another:
                rest = rest[another.args[0] :]

    def _give_up(self, error: httptools.HttpParserError) -> None:
        """Refuse what cannot be parsed on, by whoever stopped the parser: one of our callbacks, or itself."""
        cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else None
        if isinstance(cause, RefusedError):
            self._refuse(cause.status, str(cause))
        elif isinstance(cause, Exception) and not isinstance(cause, OverError):
            self._fail(cause)
        elif self._stage == OVER:
            return  # what follows the last request
        elif "PRI" in str(error):
            self._refuse(505, "HTTP/2 is not served; speak HTTP/1.1")
        else:
            self._refuse(400, f"Malformed request: {error}")
