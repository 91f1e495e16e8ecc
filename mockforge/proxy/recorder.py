"""The recording reverse proxy: a tap between callers and one target, which tells a sink of every exchange.

    caller ─► CallerSide ─► Passage ─► TargetSide ─► target        bytes pass as they are; only the
    caller ◄───────────────────────────TargetSide ◄─ target        request's head may be rewritten
                               │
                               └─► sink(Exchange)

Latency is counted as DESIGN has it: from the request's last byte received to the answer's last byte sent.
Every exchange reaches the sink once, whoever failed: the target (`phase: reason`, the caller gets a 502 or
504, or is cut off where the answer had begun), the caller (`caller: left`), or the proxy's end (`proxy:
stopped`). There is no task a request: one opens a connection, all else happens in the sockets' callbacks.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from mockforge.clock import Clock, SystemClock
from mockforge.errors import UsageError
from mockforge.model.exchange import Exchange, Response
from mockforge.proxy.caller import CallerSide
from mockforge.proxy.connecting import Connector, PhaseError
from mockforge.proxy.failure import Failure, reason_of
from mockforge.proxy.head import request_reader
from mockforge.proxy.passage import Passage
from mockforge.proxy.progress import ExchangeInProgress, RunStart
from mockforge.proxy.target_side import TargetSide
from mockforge.sockets import BACKLOG
from mockforge.targets import Target, UpstreamTls

__all__ = ["KEEP_BODY", "ProxyOptions", "RecordingProxy", "recording"]

#: Bytes of a body that are kept unless the options say otherwise; a longer one is counted.
KEEP_BODY = 8 * 2**20

#: How long exchanges under way may still take once the proxy is stopped, in seconds.
GRACE_S = 5.0

#: What may stand in a `Host` field: no blank, no control character.
_HOST = re.compile(r"[!-~]+")

#: How often the target's silence is looked at, in a timeout's length.
_SWEEPS_PER_TIMEOUT = 8

Sink = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """How traffic passes.

    * `host`: the `Host` field's value: None is the target's authority, `keep` leaves the field as it came.
    * `keep_body`: bytes of a body above which it is counted and not kept.
    * `timeout_s`: how long the target may keep silent while it owes an answer; None: for ever.
    * `tls`: how to speak to a target of https.
    * `caller_tls`: the context to speak TLS with callers; None: they speak plain HTTP.
    """

    host: str | None = None
    keep_body: int = KEEP_BODY
    timeout_s: float | None = None
    tls: UpstreamTls = field(default_factory=UpstreamTls)
    caller_tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a value that traffic could not pass with."""
        if self.host is not None and not _HOST.fullmatch(self.host):
            raise UsageError(
                f"the host {self.host!r} cannot stand in a Host field", hint="give HOST, HOST:PORT or keep"
            )
        if self.keep_body < 0:
            raise UsageError(f"{self.keep_body} bytes of a body cannot be kept", hint="0 keeps none")
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise UsageError(
                f"a timeout of {self.timeout_s:g} s is over at once", hint="leave it away for none"
            )


class RecordingProxy:
    """What all connections share: the way to the target, the count of what is in flight, the sink."""

    def __init__(
        self, target: Target, sink: Sink, clock: Clock, start: RunStart, options: ProxyOptions
    ) -> None:
        self.now_ns = clock.now_ns
        #: Requests that have arrived and have no complete answer yet.
        self.in_flight = 0
        self.stopping = False
        self._sink = sink
        self._start = start
        self._options = options
        self._connector = Connector(target, options.tls.context() if target.tls else None, clock.now_ns)
        host = target.authority if options.host is None else options.host
        self._read_head = request_reader(target, None if host == "keep" else host)
        self._numbers = count(1)
        self._passages: set[Passage] = set()
        self._none_left = asyncio.Event()
        self._sweep: asyncio.TimerHandle | None = None

    def caller_side(self) -> CallerSide:
        """The protocol of a caller's new connection; they are numbered from 1."""
        return CallerSide(self, self._read_head, self._options.keep_body, next(self._numbers))

    # What passages ask for

    def opened(self, passage: Passage) -> None:
        """A caller has connected."""
        self._passages.add(passage)

    def closed(self, passage: Passage) -> None:
        """A caller's connection is closed."""
        self._passages.discard(passage)
        if not self._passages:
            self._none_left.set()

    def connect(self, passage: Passage) -> asyncio.Task[None]:
        """Open a connection to the target; its `TargetSide` joins the passage, or the passage fails."""
        return asyncio.get_running_loop().create_task(self._connect(passage))

    def tell(
        self, exchange: ExchangeInProgress, ended_ns: int, response: Response | None, error: str | None
    ) -> None:
        """The exchange has ended; told once of each."""
        self._sink(exchange.ended(self._start, ended_ns, response, error))

    async def _connect(self, passage: Passage) -> None:
        factory = partial(TargetSide, passage, self.now_ns, self._options.keep_body)
        try:
            side, connect_ns, tls_ns = await self._connector.open(factory)
        except PhaseError as error:
            passage.fail(Failure(error.phase, reason_of(error.cause)))
        else:
            passage.joined(side, connect_ns, tls_ns)

    # The run

    def watch(self) -> None:
        """Look regularly for a target that keeps silent, where that has a limit."""
        timeout_s = self._options.timeout_s
        if timeout_s is None:
            return
        now_ns = self.now_ns()
        for passage in list(self._passages):
            passage.expire(now_ns, int(timeout_s * 1e9))
        self._sweep = asyncio.get_running_loop().call_later(timeout_s / _SWEEPS_PER_TIMEOUT, self.watch)

    async def stop(self, grace_s: float) -> None:
        """Let what is under way end within `grace_s`, then end it; the sink has been told of all."""
        self.stopping = True
        for passage in list(self._passages):
            if passage.idle:
                passage.stop(at_once=False)
        with contextlib.suppress(TimeoutError):
            await self._closed(grace_s)
        for passage in list(self._passages):
            passage.stop(at_once=True)
        with contextlib.suppress(TimeoutError):
            await self._closed(grace_s)
        if self._sweep is not None:
            self._sweep.cancel()

    async def _closed(self, within_s: float) -> None:
        if self._passages:
            self._none_left.clear()
            async with asyncio.timeout(within_s):
                await self._none_left.wait()


@asynccontextmanager
async def recording(
    target: Target,
    sock: socket.socket,
    sink: Sink,
    *,
    clock: Clock | None = None,
    start: RunStart | None = None,
    options: ProxyOptions | None = None,
) -> AsyncIterator[RecordingProxy]:
    """A proxy that serves on the listening `sock` within the block.

    At the block's end nothing more is accepted, what is under way may take GRACE_S longer, and when the
    block is left the sink has been told of every exchange. `sock` is closed. Raises UsageError where the
    files that the options name cannot be used.
    """
    clock = clock or SystemClock()
    options = options or ProxyOptions()
    proxy = RecordingProxy(target, sink, clock, start or RunStart.of(clock), options)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(proxy.caller_side, sock=sock, backlog=BACKLOG, ssl=options.caller_tls)
    proxy.watch()
    try:
        yield proxy
    finally:
        listener.close()
        await proxy.stop(GRACE_S)
