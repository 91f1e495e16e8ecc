"""The proxy without a socket: transports that a test reads, a target that it plays, a time that it moves."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from mockforge.clock import ManualClock
from mockforge.model.exchange import Exchange
from mockforge.proxy.failure import Failure
from mockforge.proxy.passage import Passage
from mockforge.proxy.progress import RunStart
from mockforge.proxy.recorder import ProxyOptions, RecordingProxy
from mockforge.proxy.target_side import TargetSide
from mockforge.targets import parse_target

MS = 1_000_000
START = 1_000 * MS
CONNECT_NS = 7

GET = b"GET /orders/1 HTTP/1.1\r\nHost: proxy\r\n\r\n"
SENT_GET = b"GET /orders/1 HTTP/1.1\r\nHost: there:9000\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Transport(asyncio.Transport):
    """What was written and what became of the connection; `room` bytes fit into its buffer."""

    def __init__(self, proxy: DrivenProxy) -> None:
        super().__init__()
        self._proxy = proxy
        self.protocol: asyncio.Protocol
        self.written = bytearray()
        self.writes = 0
        self.room: int | None = None
        self.full = False
        self.reading = True
        self.ended = ""

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self.ended:
            return
        self.written += data
        self.writes += 1
        if self.room is not None and not self.full and len(self.written) >= self.room:
            self.full = True
            self.protocol.pause_writing()

    def drain(self) -> None:
        """The other end has read all that was written."""
        self.room = None
        if self.full:
            self.full = False
            self.protocol.resume_writing()

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return bool(self.ended)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return Socket(self) if name == "socket" else default

    def close(self) -> None:
        self._end("closed")

    def abort(self) -> None:
        self._end("aborted")

    def _end(self, how: str) -> None:
        if not self.ended:
            self.ended = how
            self._proxy.lost.append((self.protocol, None))


class Socket:
    """As much of a socket as a reset needs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def setsockopt(self, *_: object) -> None:
        self._transport.ended = "reset"
        self._transport._proxy.lost.append((self._transport.protocol, None))


class Connecting:
    """A connection that the proxy asked for."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class DrivenProxy(RecordingProxy):
    """A proxy whose target accepts when the test lets it."""

    def __init__(self, url: str = "http://there:9000", options: ProxyOptions | None = None) -> None:
        self.clock = ManualClock(START)
        self.exchanges: list[Exchange] = []
        self.asked: list[Connecting] = []
        self.lost: list[tuple[asyncio.Protocol, Exception | None]] = []
        self.targets: list[Target] = []
        self.accepts = True
        super().__init__(
            parse_target(url),
            self.exchanges.append,
            self.clock,
            RunStart(START, 50 * START),
            options or ProxyOptions(),
        )

    def connect(self, passage: Passage) -> asyncio.Task[None]:
        connecting = Connecting(passage)
        self.asked.append(connecting)
        return cast("asyncio.Task[None]", connecting)

    def settle(self) -> None:
        """What a loop would do next: connections open, and closed ones are told so."""
        while self.lost or (self.accepts and self.asked):
            while self.lost:
                protocol, error = self.lost.pop(0)
                protocol.connection_lost(error)
            while self.accepts and self.asked:
                self.accept()

    def accept(self, tls_ns: int | None = None) -> None:
        connecting = self.asked.pop(0)
        if not connecting.cancelled:
            target = Target(self, connecting.passage)
            self.targets.append(target)
            connecting.passage.joined(target.side, CONNECT_NS, tls_ns)

    def refuse(self, failure: Failure) -> None:
        self.asked.pop(0).passage.fail(failure)
        self.settle()

    def caller(self) -> Caller:
        return Caller(self)

    def advance(self, by_ns: int) -> None:
        self.clock.advance(by_ns)

    @property
    def target(self) -> Target:
        return self.targets[-1]


class Target:
    """One connection as the target sees it."""

    def __init__(self, proxy: DrivenProxy, passage: Passage) -> None:
        self._proxy = proxy
        self.side = TargetSide(passage, proxy.now_ns, proxy._options.keep_body)
        self.transport = Transport(proxy)
        self.transport.protocol = self.side
        self.side.connection_made(self.transport)

    @property
    def got(self) -> bytes:
        return bytes(self.transport.written)

    def say(self, *reads: bytes) -> None:
        for data in reads:
            self.side.data_received(data)
            self._proxy.settle()

    def close(self, error: Exception | None = None) -> None:
        self.transport.ended = self.transport.ended or "by the target"
        self._proxy.lost.append((self.side, error))
        self._proxy.settle()


class Caller:
    """One connection as the caller sees it."""

    def __init__(self, proxy: DrivenProxy) -> None:
        self._proxy = proxy
        self.side = proxy.caller_side()
        self.transport = Transport(proxy)
        self.transport.protocol = self.side
        self.side.connection_made(self.transport)

    @property
    def got(self) -> bytes:
        return bytes(self.transport.written)

    def say(self, *reads: bytes) -> None:
        for data in reads:
            self.side.data_received(data)
            self._proxy.settle()

    def leave(self) -> None:
        self.transport.ended = self.transport.ended or "by the caller"
        self._proxy.lost.append((self.side, None))
        self._proxy.settle()


def websocket_frame(payload: bytes, *, masked: bool = False) -> bytes:
    """A final binary frame; the mask, where there is one, is of zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 65_536:
        length = b"\x7e" + size.to_bytes(2, "big")
    else:
        length = b"\x7f" + size.to_bytes(8, "big")
    if masked:
        length = bytes([length[0] | 0x80]) + length[1:] + bytes(4)
    return b"\x82" + length + payload
