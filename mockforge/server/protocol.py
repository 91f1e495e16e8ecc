"""The fast lane: HTTP/1.1 parsed, decided and answered in the same callback, with no task a request.

The laws of this file and of `delivery`:

1. A request's arrival is stamped when its last byte has been parsed; its answer's due time counts from then.
2. Answers leave in the order of their requests (RFC 9112 §9.3.2). What waits for its turn is not late.
3. Every request that was decided ends in exactly one serve event: when its answer's last byte is handed to
   the transport, or when its caller leaves.

    data ─► httptools ─► on_message_complete ─► engine.decide ─┬─ due, nothing ahead ─► bytes out
                                                             └─ slot ─► deadline ─► its turn? ─► bytes out

What begins with `/__admin` takes a slot too, and becomes an ASGI task when it is its turn.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from mockforge.model.request import RequestView
from mockforge.server.admin import ADMIN_PREFIX
from mockforge.server.delivery import Outbox
from mockforge.server.lane import Lane
from mockforge.server.wire import CONTINUE, refusal

__all__ = ["FastLaneProtocol"]

_ADMIN = ADMIN_PREFIX.encode() + b"/"


class _RefusedError(Exception):
    """The request cannot be read on: the answer's status and its reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class FastLaneProtocol(HttpToolsProtocol):
    """One connection. Parses like uvicorn's protocol; answers from the lane's engine instead of a task."""

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
        self._chunks: list[bytes] = []
        self._body_size = 0
        self._head_size = 0
        self._in_head = False
        self._refused: _RefusedError | None = None
        self._last = False
        #: When this connection last began a request, None between two requests; for the sweep.
        self.began_ns: int | None = None
        self.quiet_since_ns = self._now_ns()

    # Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._out = Outbox(self._lane, transport, self._on_sent)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._out.abandon()

    def data_received(self, data: bytes) -> None:
        if self._last:
            return  # nothing counts after a refusal or a request that ends the connection
        if self.began_ns is None:
            self.began_ns = self._now_ns()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data, upgrade)
        except httptools.HttpParserError as error:
            self._refuse(self._refused or _RefusedError(400, f"Malformed request: {error}"))
            return
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > self._limits.head:
                self._refuse(_RefusedError(431, f"Request head above {self._limits.head:,} bytes"))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._out.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._out.resume()

    def shutdown(self) -> None:
        """The server ends: what is in flight on this connection is finished first."""
        self._last = True
        if not self._out:
            self.transport.close()

    def expire(self, now_ns: int) -> None:
        """End the connection where its request is overdue, or where it has long had none."""
        if self.began_ns is not None:
            if now_ns - self.began_ns > self._limits.slow_sender_s * 1e9:
                self._refuse(
                    _RefusedError(408, f"Request not complete after {self._limits.slow_sender_s:g} s")
                )
        elif not self._out and now_ns - self.quiet_since_ns > self._limits.idle_s * 1e9:
            self.transport.close()

    # Parser

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._chunks = []
        self._body_size = 0
        self._head_size = 0
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self._limits.target:
            self._stop(414, f"Request target above {self._limits.target:,} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        for name, value in self.headers:
            length = len(name)
            if length == 6 and name.lower() == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            elif length == 14 and name.lower() == b"content-length" and int(value) > self._limits.body:
                self._stop(413, f"Request body above {self._limits.body:,} bytes")
        if self.expect_100_continue:
            self._out.defer(self._continue)

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size > self._limits.body:
            self._stop(413, f"Request body above {self._limits.body:,} bytes")
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        arrived_ns = self._now_ns()
        self.began_ns = None
        http_1_0 = self.parser.get_http_version() == "1.0"
        closes = not self.parser.should_keep_alive()
        body = b"".join(self._chunks) if self._chunks else b""
        method = self.parser.get_method().decode("ascii")
        if self.url.startswith(_ADMIN):
            self._begin_asgi(method, body, closes)
        else:
            target = self.url.decode("latin-1")
            request = RequestView(method, target, self.headers, body)
            decision = self._lane.engine.decide(request, arrived_ns)
            self._out.answer(request, decision, closes=closes, http_1_0=http_1_0 and not closes)
        if closes:
            self._last = True
        elif len(self._out) >= self._limits.pipelined:
            self.flow.pause_reading()

    # What is not answered here

    def _stop(self, status: int, reason: str) -> None:
        """Leave the parser from within a callback."""
        self._refused = _RefusedError(status, reason)
        raise self._refused

    def _refuse(self, refused: _RefusedError) -> None:
        """Say why, after what is owed, and end the connection."""
        self._last = True
        self.began_ns = None

        def say() -> None:
            self.transport.write(refusal(refused.status, str(refused)))
            self.transport.close()

        self._out.defer(say)

    def _continue(self) -> None:
        self.transport.write(CONTINUE)
        self._out.finished()

    def _decline_upgrade(self, data: bytes, upgrade: httptools.HttpParserUpgrade) -> None:
        """The request was answered as HTTP/1.1; the parser, which stopped for an upgrade, begins anew."""
        self.parser = httptools.HttpRequestParser(self)
        rest = data[upgrade.args[0] :] if upgrade.args else b""
        if rest and not self._last:
            self.data_received(rest)

    def _begin_asgi(self, method: str, body: bytes, closes: bool) -> None:
        """Hand the request to the ASGI application when it is its turn."""
        url = httptools.parse_url(self.url)
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
            "path": url.path.decode("latin-1"),
            "raw_path": url.path,
            "query_string": url.query or b"",
            "headers": [(name.lower(), value) for name, value in self.headers],
            "state": self.app_state.copy(),
        }
        cycle = RequestResponseCycle(
            scope=scope,  # type: ignore[arg-type]
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=not closes,
            on_response=self._asgi_done,
        )
        cycle.body = bytearray(body)
        cycle.more_body = False
        cycle.message_event.set()

        def start() -> None:
            self.cycle = cycle
            self._start_asgi_task(cycle, self.app)

        self._out.defer(start)

    def _asgi_done(self) -> None:
        self._on_sent()
        self._out.finished()

    def _on_sent(self) -> None:
        """An answer is out: the connection may be quiet now, over, or free to read on."""
        self.server_state.total_requests += 1
        self.quiet_since_ns = self._now_ns()
        if self._out:
            return
        if self._last:
            self.transport.close()
        else:
            self.flow.resume_reading()
