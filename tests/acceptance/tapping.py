"""A proxy between a backend that the test scripts and callers that speak through raw sockets."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import uvloop

from mockforge.model.exchange import Exchange
from mockforge.proxy.recorder import ProxyOptions, recording
from mockforge.sockets import listen
from mockforge.targets import parse_target

__all__ = ["PATIENCE_S", "Reader", "Tapped", "Writer", "backend", "run", "tapped"]

Serve = Callable[[Reader, Writer], Awaitable[None]]

#: Against hanging for ever; nothing is measured by it.
PATIENCE_S = 30


def run(main: Callable[[], Coroutine[Any, Any, None]], *, on_uvloop: bool = True) -> None:
    """Run `main` on the loop that the commands use, or on asyncio's own."""
    new_loop = uvloop.new_event_loop if on_uvloop else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(asyncio.wait_for(main(), PATIENCE_S))


@contextlib.asynccontextmanager
async def backend(serve: Serve, **options: Any) -> AsyncIterator[int]:
    """A backend that treats each connection with `serve`, and closes it after; its port."""
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(slots=True)
class Tapped:
    """A running proxy: its port, and what it told of."""

    port: int
    exchanges: list[Exchange] = field(default_factory=list)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def sink(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self._told.set()

    async def told(self, number: int = 1) -> list[Exchange]:
        """The exchanges, as soon as there are so many."""
        while len(self.exchanges) < number:
            self._told.clear()
            await self._told.wait()
        return self.exchanges

    async def connect(self, **options: Any) -> tuple[Reader, Writer]:
        return await asyncio.open_connection("127.0.0.1", self.port, **options)

    async def ask(self, request: bytes, **options: Any) -> bytes:
        """All that comes on a connection of its own."""
        reader, writer = await self.connect(**options)
        writer.write(request)
        with contextlib.suppress(ConnectionError):
            answer = await reader.read()
        writer.close()
        return answer


@contextlib.asynccontextmanager
async def tapped(url: str, options: ProxyOptions | None = None) -> AsyncIterator[Tapped]:
    """A proxy before `url` for the time of a block."""
    sock = listen("127.0.0.1", 0)
    tap = Tapped(sock.getsockname()[1])
    async with recording(parse_target(url), sock, tap.sink, options=options):
        yield tap
