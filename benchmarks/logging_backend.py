"""A backend that knows how long it took: `python -m benchmarks.logging_backend --port N --log FILE`.

Every answer waits a few milliseconds. At the end (SIGTERM) the log says, a line a request, its path and the
nanoseconds from its last byte received to its answer's first byte written, as the backend itself saw them.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import time
from pathlib import Path
from typing import cast

import httptools
import uvloop

from mockforge.clock import DeadlineTimer

__all__ = ["main"]

_BODY = b'{"filler": "' + b"x" * 1000 + b'"}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)
_MEAN_NS = 4_000_000
_SPREAD_NS = 2_000_000


class _Server(asyncio.Protocol):
    def __init__(self, timer: DeadlineTimer, draw: random.Random, log: list[tuple[bytes, int]]) -> None:
        self._timer = timer
        self._draw = draw
        self._log = log
        self._path = b""
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_message_complete(self) -> None:
        arrived_ns = time.monotonic_ns()
        path = self._path
        delay_ns = _MEAN_NS + self._draw.randrange(-_SPREAD_NS, _SPREAD_NS)

        def answer() -> None:
            self._transport.write(_ANSWER)
            self._log.append((path, time.monotonic_ns() - arrived_ns))

        self._timer.at(arrived_ns + delay_ns, answer)


async def _serve(port: int) -> list[tuple[bytes, int]]:
    """Serve until ended; paths and nanoseconds of what was answered."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    timer = DeadlineTimer(loop)
    draw = random.Random(1)
    entries: list[tuple[bytes, int]] = []
    server = await loop.create_server(lambda: _Server(timer, draw, entries), "127.0.0.1", port)
    await stop.wait()
    server.close()
    return entries


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logging_backend", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        entries = runner.run(_serve(arguments.port))
    arguments.log.write_text("".join(f"{path.decode()} {took_ns}\n" for path, took_ns in entries))


if __name__ == "__main__":
    main()
