"""The recording reverse proxy: passes traffic to one target and tells a sink of every exchange.

    caller ─► Caller (stamps the arrival) ─► RecordingProxy ─► Upstream ─► target
                                                 │
    caller ◄─ AnswerWriter (stamps both ends) ◄──┴── Answer, piece by piece as it comes in
                                                 │
                                                 └─► sink(Exchange)

Latency is counted as DESIGN has it: from the request's last byte received to the answer's last byte sent.
Every exchange reaches the sink once, whoever failed: the target (`phase: reason`, the caller gets a 502 or
504, or is cut off where the answer had begun), or the caller (`caller: left`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web

from mockforge.clock import Clock, SystemClock
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.proxy.caller import (
    AnswerWriter,
    Caller,
    RequestTooLargeError,
    Written,
    caller_factory,
    read_body,
)
from mockforge.proxy.failure import UpstreamError
from mockforge.proxy.fields import end_to_end, from_wire_text
from mockforge.proxy.progress import ExchangeInProgress, RunStart
from mockforge.proxy.upstream import Trip, Upstream
from mockforge.targets import Target

__all__ = ["MAX_REQUEST_BYTES", "RecordingProxy", "recording"]

#: The largest request body that is passed on, in bytes.
MAX_REQUEST_BYTES = 64 * 2**20

#: How long exchanges under way may still take once the proxy is stopped, in seconds.
GRACE_S = 5.0

_CALLER_LEFT = "caller: left"

Sink = Callable[[Exchange], None]


class RecordingProxy:
    """Answers each request with what the target answers, and tells `sink` of the exchange."""

    def __init__(self, upstream: Upstream, sink: Sink, clock: Clock, start: RunStart) -> None:
        self._upstream = upstream
        self._sink = sink
        self._clock = clock
        self._start = start
        #: Requests that have arrived and have no complete answer yet.
        self.in_flight = 0

    async def handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        """Serve one request: the handler of an aiohttp low-level server of `Caller` connections."""
        answer = AnswerWriter(incoming, self._clock)
        try:
            request = await _read(incoming)
        except _RefusedError as refused:
            answer.keep_alive = False
            await _write(answer, _plain(refused.status, str(refused)))
            return Written(keep_alive=False)
        caller = incoming.protocol
        assert isinstance(caller, Caller)
        exchange = ExchangeInProgress(request, caller.received_ns, self.in_flight, caller.connection_id)
        self.in_flight += 1
        try:
            await self._exchange(exchange, answer)
        finally:
            self.in_flight -= 1
        return Written(answer.keep_alive)

    async def _exchange(self, exchange: ExchangeInProgress, answer: AnswerWriter) -> None:
        """Get the answer and pass it on; the sink is told however that ends."""
        trip = Trip()
        ended_ns: int | None = None
        error: str | None = None
        try:
            ended_ns = await self._pass_on(exchange.request, trip, answer)
        except UpstreamError as failure:
            error = str(failure)
            ended_ns = await self._tell_caller(failure, answer)
        except ConnectionError:
            error = _CALLER_LEFT
        except asyncio.CancelledError:
            error = _CALLER_LEFT if answer.caller_left else "proxy: stopped"
            raise
        finally:
            exchange.connect_ns = trip.connect_ns
            exchange.first_byte_ns = answer.first_byte_ns
            ended_ns = ended_ns or self._clock.now_ns()
            self._sink(exchange.ended(self._start, ended_ns, answer.response, error))

    async def _pass_on(self, request: Request, trip: Trip, answer: AnswerWriter) -> int:
        """Pass the target's answer to the caller piece by piece; the time at which the last one was sent."""
        source = await self._upstream.send(request, trip)
        try:
            answer.head(source.status, source.reason, source.headers)
            piece = source.read_arrived()
            while not source.at_end:
                await answer.send(piece)
                piece = await source.read_more()
            return await answer.finish(piece)
        finally:
            source.close()

    async def _tell_caller(self, failure: UpstreamError, answer: AnswerWriter) -> int | None:
        """A 502 or 504 with the reason, or the connection's end where the answer has begun; the time then."""
        if answer.begun:
            answer.cut()
            return None
        with contextlib.suppress(ConnectionError):
            return await _write(answer, _plain(failure.status, f"the target failed: {failure}"))
        return None


@asynccontextmanager
async def recording(
    target: Target,
    sock: socket.socket,
    sink: Sink,
    *,
    clock: Clock | None = None,
    start: RunStart | None = None,
) -> AsyncIterator[RecordingProxy]:
    """A proxy that serves on the listening `sock` within the block.

    At the block's end nothing more is accepted, what is under way may take GRACE_S longer, and when the
    block is left the sink has been told of every exchange. `sock` is closed.
    """
    clock = clock or SystemClock()
    async with Upstream.connected(target, clock) as upstream:
        proxy = RecordingProxy(upstream, sink, clock, start or RunStart.of(clock))
        server = web.Server(proxy.handle, handler_cancellation=True)
        listener = await asyncio.get_running_loop().create_server(caller_factory(server, clock), sock=sock)
        try:
            yield proxy
        finally:
            listener.close()
            server.pre_shutdown()
            await server.shutdown(GRACE_S)


class _RefusedError(Exception):
    """A request that the proxy itself turns down: it never reaches the target, and no exchange is told."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


async def _read(incoming: web.BaseRequest) -> Request:
    """The whole request; raises _RefusedError where it cannot be passed on."""
    target = _origin_form(from_wire_text(incoming.raw_path))
    if not target.startswith("/"):
        raise _RefusedError(400, f"a reverse proxy cannot pass on {incoming.method} {target}")
    try:
        body = await read_body(incoming, MAX_REQUEST_BYTES)
    except RequestTooLargeError as error:
        raise _RefusedError(413, f"the request's body is over {MAX_REQUEST_BYTES // 2**20} MiB") from error
    except web.RequestPayloadError as error:
        raise _RefusedError(400, "the request's body is malformed") from error
    return Request(incoming.method, target, end_to_end(incoming.raw_headers), body)


def _origin_form(target: str) -> str:
    """The path and query of a target; callers that take the proxy for a forward one send an origin too."""
    if target.startswith(("http://", "https://")):
        _, slash, rest = target.partition("://")[2].partition("/")
        return slash + rest or "/"
    return target


def _plain(status: int, line: str) -> Response:
    body = f"mockforge: {line}\n".encode()
    length = str(len(body))
    headers = Headers((("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", length)))
    return Response(status, headers, body)


async def _write(answer: AnswerWriter, response: Response) -> int:
    answer.head(response.status, HTTPStatus(response.status).phrase, response.headers)
    return await answer.finish(response.body)
