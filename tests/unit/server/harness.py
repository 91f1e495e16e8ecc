"""One connection to the fast lane without a socket: a transport that a test reads, a time that it moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from random import Random
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from mockforge.clock import DeadlineTimer, ManualClock
from mockforge.engine import Engine, compile_service
from mockforge.forwarding.proxied import CompiledForward
from mockforge.model.event import ServeEvent
from mockforge.model.headers import Headers
from mockforge.model.service import Capacity, Service
from mockforge.model.stub import (
    Body,
    DelayDistribution,
    RequestPattern,
    ResponseDefinition,
    Stub,
    UrlPattern,
)
from mockforge.model.upstream import AnswerSink, OutgoingRequest, UpstreamHead
from mockforge.server.app import MockApp
from mockforge.server.gateway import Gateway
from mockforge.server.lane import Lane, Limits
from mockforge.server.protocol import FastLaneProtocol
from mockforge.state.journal import Journal

MS = 1_000_000
S = 1_000 * MS
START = 1_000 * MS


def stub(path: str, delay_ms: float = 0, *, method: str = "ANY", **response: Any) -> Stub:
    """A stub named as its path, which answers with that name."""
    response.setdefault("body", Body("body", path))
    if delay_ms:
        response["delay"] = DelayDistribution("fixed", {"milliseconds": delay_ms})
    return Stub(path, RequestPattern(method, UrlPattern("urlPath", path)), (ResponseDefinition(**response),))


STUBS = (
    stub("/a"),
    stub("/b"),
    stub("/slow", 20),
    stub("/slower", 50),
    stub("/empty", status=204),
    stub("/unchanged", status=304),
    stub("/typed", headers=Headers((("X-Id", "7"),))),
    stub("/large", body=Body("body", "x" * 3_000_000)),
    stub("/slow-large", 20, body=Body("body", "y" * 3_000_000)),
)


class Loop:
    """A loop whose time is the clock's, and whose tasks run when the test says so."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._timers: list[Timer] = []
        self._tasks: list[Coroutine[Any, Any, None]] = []

    def add_reader(self, *_: object) -> None:
        raise NotImplementedError

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        timer = Timer(self._clock.now_ns() + round(delay_s * 1e9), callback)
        self._timers.append(timer)
        return timer

    def call_soon(self, callback: Callable[[], object]) -> Timer:
        return self.call_later(0, callback)

    def create_task(self, coroutine: Coroutine[Any, Any, None], **_: object) -> Task:
        self._tasks.append(coroutine)
        return Task()

    def run_tasks(self) -> None:
        while self._tasks:
            asyncio.run(self._tasks.pop(0))

    def advance(self, by_ns: int) -> None:
        """Move the time, and stop at every timer on the way."""
        until_ns = self._clock.now_ns() + by_ns
        while True:
            self._timers = [timer for timer in self._timers if timer.callback is not None]
            timer = min(self._timers, key=lambda each: each.due_ns, default=None)
            if timer is None or timer.due_ns > until_ns:
                break
            self._clock.advance(max(0, timer.due_ns - self._clock.now_ns()))
            callback, timer.callback = timer.callback, None
            assert callback is not None
            callback()
        self._clock.advance(until_ns - self._clock.now_ns())


class Timer:
    def __init__(self, due_ns: int, callback: Callable[[], object]) -> None:
        self.due_ns = due_ns
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Task:
    def add_done_callback(self, callback: object) -> None:
        pass


class Transport(asyncio.Transport):
    """What was written, what became of the connection, and a buffer with room for `room` bytes."""

    def __init__(self, *, tls: bool = False) -> None:
        super().__init__({"sslcontext": object()} if tls else {})
        self.tls = tls
        self.written: list[bytes] = []
        self.protocol: FastLaneProtocol | None = None
        self.room: int | None = None
        self.unsent = 0
        self.paused = False
        self.reading = True
        self.ended = False
        self.closed = False
        self.aborted = False
        self.broken: Exception | None = None

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        assert not self.ended, "written after the end"
        if self.broken is not None:
            raise self.broken
        self.written.append(bytes(data))
        if self.room is not None:
            self.room -= len(data)
            if self.room <= 0 and not self.paused:
                self.paused = True
                assert self.protocol is not None
                self.protocol.pause_writing()

    def drain(self, room: int | None = None) -> None:
        """The caller has read all that was written."""
        assert self.protocol is not None
        self.room = room
        if self.paused:
            self.paused = False
            self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def can_write_eof(self) -> bool:
        return not self.tls

    def write_eof(self) -> None:
        assert not self.tls
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self.protocol is not None
        return self.protocol


class DrivenLane(Lane):
    """A lane whose timer is on a loop that the test drives."""

    loop: Loop

    @property
    def timer(self) -> DeadlineTimer:
        if self._timer is None:
            self._timer = DeadlineTimer(self.loop, self.clock)  # type: ignore[arg-type]
        return self._timer


class PlayedCall:
    """A request that went upstream; the test plays the answer."""

    connect_ns: int | None = 5
    tls_ns: int | None = None

    def __init__(self, request: OutgoingRequest, sink: AnswerSink) -> None:
        self.request = request
        self.sink = sink
        self.paused = False
        self.cancelled = False

    def header(self, name: str) -> str | None:
        return Headers.from_raw(self.request.headers).get(name)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def cancel(self) -> None:
        self.cancelled = True

    def begin(self, status: int = 200, *fields: tuple[str, str], length: int | None = None) -> None:
        """The head, in a read of its own."""
        self.sink.on_head(UpstreamHead(status, "Fine", Headers(fields), length))
        self.sink.on_read()

    def say(self, data: bytes) -> None:
        """Some of the body, in a read of its own."""
        self.sink.on_body(data)
        self.sink.on_read()

    def end(self) -> None:
        self.sink.on_end(Headers())

    def answer(self, body: bytes = b"", status: int = 200, *fields: tuple[str, str]) -> None:
        """All of an answer at once."""
        self.sink.on_head(UpstreamHead(status, "Fine", Headers(fields), len(body)))
        if body:
            self.sink.on_body(body)
        self.end()


class PlayedUpstream:
    """What was sent upstream, in order."""

    def __init__(self) -> None:
        self.calls: list[PlayedCall] = []

    def send(self, request: OutgoingRequest, sink: AnswerSink) -> PlayedCall:
        self.calls.append(PlayedCall(request, sink))
        return self.calls[-1]

    async def close(self) -> None:
        pass


class Mock:
    """A service, its clock and its connections."""

    def __init__(
        self,
        stubs: Sequence[Stub] = STUBS,
        limits: Limits | None = None,
        *,
        capacity: Capacity | None = None,
        pools: Mapping[str, Capacity] | None = None,
        time_scale: float = 1.0,
        fallback: CompiledForward | None = None,
    ) -> None:
        self.clock = ManualClock(START)
        self.loop = Loop(self.clock)
        self.journal = Journal()
        service = Service("orders", tuple(stubs), capacity=capacity, pools=pools or {})
        self.engine = Engine(compile_service(service), Random(1), time_scale=time_scale, fallback=fallback)
        self.upstream = PlayedUpstream()
        gateway = Gateway(self.upstream)
        self.lane = DrivenLane(self.engine, self.journal, clock=self.clock, limits=limits, gateway=gateway)
        self.lane.loop = self.loop
        self._config = uvicorn.Config(
            MockApp(self.engine, self.journal, self.clock),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        self.state = ServerState()

    def connect(self, *, tls: bool = False) -> Wire:
        return Wire(self, FastLaneProtocol(self.lane, self._config, self.state, {}, self.loop), tls=tls)  # type: ignore[arg-type]

    def advance(self, ms: float) -> None:
        self.loop.advance(round(ms * MS))

    def events(self) -> list[ServeEvent]:
        return self.journal.latest()

    def served(self) -> list[tuple[str, float, float | None]]:
        """Each event's target, and when it was planned and observed: first byte in ms since the start."""
        return [
            (
                event.request.target,
                (event.plan.first_byte_ns - START) / MS,
                None if event.first_byte_ns is None else (event.first_byte_ns - START) / MS,
            )
            for event in self.events()
        ]


class Wire:
    """One connection, seen from its caller."""

    def __init__(self, mock: Mock, protocol: FastLaneProtocol, *, tls: bool) -> None:
        self.mock = mock
        self.protocol = protocol
        self.transport = Transport(tls=tls)
        self.transport.protocol = protocol
        protocol.connection_made(self.transport)

    def send(self, *data: bytes) -> None:
        """Each piece is a read of its own."""
        for piece in data:
            self.protocol.data_received(piece)

    def half_close(self) -> bool:
        """The caller sends no more; whether the server keeps the connection open."""
        kept = bool(self.protocol.eof_received())
        if not kept:
            self.transport.close()
        return kept

    def leave(self) -> None:
        self.protocol.connection_lost(None)

    def received(self) -> bytes:
        """What has come since the last look."""
        data = b"".join(self.transport.written)
        self.transport.written.clear()
        return data

    @property
    def is_open(self) -> bool:
        return not (self.transport.closed or self.transport.ended)


def get(path: str, *fields: str, method: str = "GET", version: str = "1.1", body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: mock", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def statuses(data: bytes) -> list[int]:
    """The statuses of the answers in `data`, none of whose bodies looks like a head."""
    return [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]


def bodies(data: bytes) -> list[bytes]:
    """The bodies of the answers in `data`, none of whose bodies looks like a head."""
    return [part.partition(b"\r\n\r\n")[2] for part in data.split(b"HTTP/1.1 ")[1:]]
