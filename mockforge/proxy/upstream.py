"""The way to the target: a pooled client that adds nothing to a request and takes nothing from an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from mockforge.clock import Clock
from mockforge.model.exchange import Request
from mockforge.model.headers import Headers
from mockforge.proxy.failure import UpstreamError, reason_of
from mockforge.proxy.fields import end_to_end, for_target, to_wire_text
from mockforge.targets import Target

__all__ = ["MAX_FIELD_BYTES", "Answer", "Trip", "Upstream"]

#: A connection that takes longer than this to open counts as `connect: timeout`, in seconds.
CONNECT_TIMEOUT_S = 30.0

#: The longest request line or header field that passes, in bytes.
MAX_FIELD_BYTES = 65_536

_LARGE_BODY = 2**18

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


@dataclass(slots=True)
class Trip:
    """How far one request got: the phase it is in, and the time its connection took to open, if one was."""

    phase: str = "connect"
    reused: bool = False
    connect_begun_ns: int = 0
    connect_ns: int | None = None


class Answer:
    """The target's answer: its head, and its body as it comes in."""

    def __init__(self, response: aiohttp.ClientResponse, trip: Trip) -> None:
        self._response = response
        self._content = response.content
        self._trip = trip
        self.status = response.status
        self.reason = response.reason or ""
        self.headers: Headers = end_to_end(response.raw_headers)

    @property
    def at_end(self) -> bool:
        """Whether all of the body was read."""
        return self._content.at_eof()

    def read_arrived(self) -> bytes:
        """What has come in and was not read yet, without waiting. Raises UpstreamError."""
        try:
            return self._content.read_nowait()
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error

    async def read_more(self) -> bytes:
        """Wait for some of the body; empty at its end. Raises UpstreamError."""
        try:
            return await self._content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """Give the connection up; without effect where the body was read to its end."""
        self._response.close()

    def _broken(self, error: BaseException) -> UpstreamError:
        return UpstreamError(self._trip.phase, reason_of(error))


class Upstream:
    """Sends requests to one target."""

    def __init__(self, session: aiohttp.ClientSession, target: Target) -> None:
        self._session = session
        self._authority = target.authority
        self._base = str(target)

    @classmethod
    @asynccontextmanager
    async def connected(cls, target: Target, clock: Clock) -> AsyncIterator[Upstream]:
        """An upstream whose connections are closed at the end of the block."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            auto_decompress=False,
            trace_configs=[_phases(clock)],
            max_line_size=MAX_FIELD_BYTES,
            max_field_size=MAX_FIELD_BYTES,
        ) as session:
            # aiohttp would send a request again also where it failed on a new connection.
            session._retry_connection = False
            yield cls(session, target)

    async def send(self, request: Request, trip: Trip) -> Answer:
        """The answer, as soon as its head is in. Raises UpstreamError; `trip` follows what happens."""
        response = await self._request(request, trip)
        trip.phase = "body"
        return Answer(response, trip)

    async def _request(self, request: Request, trip: Trip) -> aiohttp.ClientResponse:
        url = URL(self._base + to_wire_text(request.target), encoded=True)
        headers = for_target(request.headers, self._authority)
        while True:
            trip.reused = False
            try:
                return await self._session.request(
                    request.method,
                    url,
                    headers=headers,
                    data=_payload(request.body),
                    allow_redirects=False,
                    trace_request_ctx=trip,
                )
            except (aiohttp.ClientError, OSError, ValueError) as error:
                if not _met_a_stale_connection(request, trip, error):
                    raise UpstreamError(trip.phase, reason_of(error)) from error


def _met_a_stale_connection(request: Request, trip: Trip, error: Exception) -> bool:
    """Whether the target had most likely closed a pooled connection just before it was used again.

    Only a request that may be sent twice (RFC 9110 §9.2.2) is taken for such. On a new connection it is the
    target that failed, and a second attempt would hide that and add to its load.
    """
    closed = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
    return closed and trip.reused and request.method in _IDEMPOTENT


def _payload(body: bytes) -> bytes | BytesIO | None:
    """The body as aiohttp sends it best: a large one piece by piece, so that others get their turn."""
    return BytesIO(body) if len(body) > _LARGE_BODY else body or None


def _phases(clock: Clock) -> aiohttp.TraceConfig:
    """Hooks that move a request's Trip along."""

    async def connecting(_session: Any, context: SimpleNamespace, _parameters: Any) -> None:
        trip: Trip = context.trace_request_ctx
        trip.phase, trip.connect_begun_ns = "connect", clock.now_ns()

    async def connected(_session: Any, context: SimpleNamespace, _parameters: Any) -> None:
        trip: Trip = context.trace_request_ctx
        trip.phase, trip.connect_ns = "send", clock.now_ns() - trip.connect_begun_ns

    async def reused(_session: Any, context: SimpleNamespace, _parameters: Any) -> None:
        trip: Trip = context.trace_request_ctx
        trip.phase, trip.reused = "send", True

    async def sent(_session: Any, context: SimpleNamespace, _parameters: Any) -> None:
        context.trace_request_ctx.phase = "wait"

    config = aiohttp.TraceConfig()
    config.on_connection_create_start.append(connecting)
    config.on_connection_create_end.append(connected)
    config.on_connection_reuseconn.append(reused)
    config.on_request_headers_sent.append(sent)
    return config
