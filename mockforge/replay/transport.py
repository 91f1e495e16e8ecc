"""One request to the target and what came of it, over pooled keep-alive connections.

Requests go out as they were recorded: method, target and headers byte for byte, in order. Only what
speaks of the old connection is replaced: `Host`, the framing, and the hop-by-hop fields. Nothing is
decoded, followed, stored as a cookie or added.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol, Self

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from mockforge.clock import Clock, SystemClock
from mockforge.model.exchange import Request, Response
from mockforge.model.headers import HOP_BY_HOP, Headers
from mockforge.targets import Target

__all__ = ["HttpTransport", "Outcome", "PreparedRequest", "Transport", "prepare"]

#: Beside the hop-by-hop fields: this client sends its bodies without waiting to be asked.
_NOT_PASSED_ON = HOP_BY_HOP | {"expect"}
_REPLACED = frozenset({"host", "content-length"})
_FRAMING = ("content-length", "transfer-encoding")
_NEVER_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_LONGEST_HEADER = 65_536


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request ready to be sent, so that nothing is computed when it is due."""

    method: str
    url: URL
    headers: CIMultiDict[str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. `first_byte_at_ns` is on the monotonic clock; a failure is `phase: reason`.

    `connect_ns` is how long a new connection took to open, None where a pooled one served.
    """

    response: Response | None
    first_byte_at_ns: int | None = None
    connect_ns: int | None = None
    error: str | None = None


class Transport(Protocol):
    """Sends one request; a failure is an outcome, never an exception."""

    async def exchange(self, request: PreparedRequest) -> Outcome: ...


def prepare(request: Request, target: Target) -> PreparedRequest:
    """`request` as it goes to `target`."""
    listed = (name.strip() for value in request.headers.get_all("connection") for name in value.split(","))
    dropped = (_NOT_PASSED_ON | {name.lower() for name in listed}) - _REPLACED
    replaced = {"host": target.authority, "content-length": str(len(request.body))}
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in request.headers.without(dropped):
        headers.add(_as_written(name), replaced.get(name.lower()) or _as_written(value))
    framed = any(name in request.headers for name in _FRAMING)
    body = request.body if request.body or framed else None
    return PreparedRequest(request.method, _url(target, request.target), headers, body)


def _url(target: Target, request_target: str) -> URL:
    """A URL that puts `request_target` on the wire as it is.

    The whole target is given as the path: as a URL's query or fragment, an empty `?` or a `#` would be lost.
    """
    if "://" in request_target and not request_target.startswith("/"):
        request_target = "/" + request_target.partition("://")[2].partition("/")[2]
    path = request_target if request_target == "*" else target.prefix + request_target
    return URL.build(
        scheme=target.scheme, host=target.host, port=target.port, path=_as_written(path), encoded=True
    )


def _as_written(text: str) -> str:
    """Recorded text is Latin-1, one character a byte, and the client writes UTF-8: keep the bytes the same.

    Bytes that are no UTF-8 cannot be written by it; they go out as the characters they are in Latin-1.
    """
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


class _Marks:
    """What the client's trace tells of one request while it is under way."""

    __slots__ = ("connect_ns", "connecting_since_ns", "first_byte_at_ns", "phase")

    def __init__(self) -> None:
        self.phase = "connect"
        self.connecting_since_ns = 0
        self.connect_ns: int | None = None
        self.first_byte_at_ns: int | None = None


class HttpTransport:
    """The transport over sockets: as many connections as there are requests under way.

    An async context manager, made on a running event loop. `timeout_s` bounds a request from its sending
    to its last byte.
    """

    def __init__(self, timeout_s: float, clock: Clock | None = None) -> None:
        self._timeout_s = timeout_s
        self._now_ns = (clock or SystemClock()).now_ns
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=None),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_NEVER_ADDED,
            auto_decompress=False,
            trace_configs=[self._trace()],
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def exchange(self, request: PreparedRequest) -> Outcome:
        """Send `request` and read its answer to the last byte."""
        marks = _Marks()
        response: Response | None = None
        error: str | None = None
        try:
            async with self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                trace_request_ctx=marks,
            ) as answer:
                marks.first_byte_at_ns = self._now_ns()
                marks.phase = "body"
                headers = Headers.from_raw(answer.raw_headers)
                response = Response(answer.status, headers)
                response = Response(answer.status, headers, await answer.read())
        except TimeoutError:
            error = f"timeout: no complete answer in {self._timeout_s:g} s ({marks.phase})"
        except (aiohttp.ClientError, OSError) as failure:
            error = f"{marks.phase}: {_reason(failure)}"
        except ValueError as refusal:  # the client's own: a recorded header that no request may have
            error = f"send: {_reason(refusal)}"
        return Outcome(response, marks.first_byte_at_ns, marks.connect_ns, error)

    def _trace(self) -> aiohttp.TraceConfig:
        """Has every request's marks follow it through its phases."""
        now_ns = self._now_ns

        async def connecting(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
            context.trace_request_ctx.connecting_since_ns = now_ns()

        async def connected(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
            marks: _Marks = context.trace_request_ctx
            marks.connect_ns = now_ns() - marks.connecting_since_ns
            marks.phase = "send"

        async def reused(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
            context.trace_request_ctx.phase = "send"

        async def sent(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
            context.trace_request_ctx.phase = "wait"

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_start.append(connecting)
        trace.on_connection_create_end.append(connected)
        trace.on_connection_reuseconn.append(reused)
        trace.on_request_headers_sent.append(sent)
        return trace


_OS_REASONS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timed out",
    errno.EMFILE: "this machine allows no more open files",
    errno.EADDRNOTAVAIL: "this machine has no free ports left",
}

#: The first that fits; certificate and TLS failures are connector errors too, and so stand before.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ServerDisconnectedError, "closed without an answer"),
    (aiohttp.ClientPayloadError, "closed before the answer's end"),
    (aiohttp.ClientSSLError, "TLS failed"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
)


def _reason(failure: Exception) -> str:
    """Why, in a few words that are the same for the same cause."""
    for kind, reason in _REASONS:
        if isinstance(failure, kind):
            return reason
    if isinstance(failure, aiohttp.ClientConnectorError) and isinstance(failure.os_error, socket.gaierror):
        return "the host name is not known"
    if isinstance(failure, OSError):
        return _OS_REASONS.get(failure.errno or 0) or failure.strerror or type(failure).__name__
    return " ".join(str(failure).split()) or type(failure).__name__
