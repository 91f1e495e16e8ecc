"""A paced load on a backend, directly and through a proxy in turn: `python -m benchmarks.pacing`.

Requests are sent when they are due, whatever the answers do, every other one through the proxy, so that what
disturbs the machine disturbs both alike. One line of JSON at the end: latencies of both in ms, and what the
proxy added. Every request has a path of its own, by which a backend's log and a recording can be joined.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, cast

import httptools
import uvloop

from benchmarks.holding import nearest_rank_ms
from mockforge.clock import DeadlineTimer

__all__ = ["Way", "main"]

_PATIENCE_S = 10.0
#: What is sent in the first part of the time opens connections and fills caches, and does not count.
_WARM_SHARE = 0.2


@dataclass(slots=True)
class Way:
    """One way to the backend: its idle connections, and what came of the requests sent on it."""

    port: int
    latencies_ns: list[int] = field(default_factory=list)
    idle: deque[_Connection] = field(default_factory=deque)
    sent: int = 0
    problems: int = 0

    def figures(self) -> dict[str, float | None]:
        """Percentiles in ms of what was answered, None where too little was."""
        asked = len(self.latencies_ns)
        return {
            "p50_ms": nearest_rank_ms(self.latencies_ns, asked, 0.5) if asked else None,
            "p99_ms": nearest_rank_ms(self.latencies_ns, asked, 0.99) if asked else None,
        }


class _Connection(asyncio.Protocol):
    def __init__(self, way: Way) -> None:
        self._way = way
        self._sent_ns = 0
        self._counts = False
        self._asked = False
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, path: str, *, counts: bool) -> None:
        assert self._transport is not None
        self._counts, self._asked = counts, True
        self._sent_ns = time.monotonic_ns()
        self._transport.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        ended_ns = time.monotonic_ns()
        self._asked = False
        if self._parser.get_status_code() != 200:
            self._way.problems += 1
        elif self._counts:
            self._way.latencies_ns.append(ended_ns - self._sent_ns)
        self._way.idle.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self._asked:
            self._way.problems += 1
        if self in self._way.idle:
            self._way.idle.remove(self)

    def close(self) -> None:
        assert self._transport is not None
        self._asked = False
        self._transport.close()


async def _load(arguments: argparse.Namespace) -> list[Way]:
    loop = asyncio.get_running_loop()
    ways = [Way(arguments.direct), Way(arguments.through)]
    for way in ways:
        for _ in range(arguments.connections):
            _, connection = await loop.create_connection(
                lambda way=way: _Connection(way),  # type: ignore[misc]
                "127.0.0.1",
                way.port,
            )
            way.idle.append(connection)
    timer = DeadlineTimer(loop)
    total = int(arguments.rate * 2 * arguments.seconds)
    began_ns = time.monotonic_ns() + 50_000_000

    def send(number: int) -> None:
        way = ways[number % 2]
        way.sent += 1
        if way.idle:
            way.idle.popleft().ask(f"{arguments.path}{number}", counts=number > total * _WARM_SHARE)
        else:
            way.problems += 1
        if number + 1 < total:
            timer.at(began_ns + int((number + 1) / arguments.rate / 2 * 1e9), lambda: send(number + 1))

    timer.at(began_ns, lambda: send(0))
    deadline = time.monotonic() + arguments.seconds + _PATIENCE_S
    while time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        if sum(way.sent for way in ways) == total and all(
            len(way.idle) == arguments.connections for way in ways
        ):
            break
    for way in ways:
        for connection in way.idle:
            connection.close()
    timer.close()
    return ways


def main() -> None:
    """Run the load of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pacing", description=__doc__)
    parser.add_argument("--direct", type=int, required=True, help="the backend's port")
    parser.add_argument("--through", type=int, required=True, help="the proxy's port")
    parser.add_argument("--path", default="/item/", help="what stands before the request's number")
    parser.add_argument("--rate", type=float, required=True, help="requests a second, each way")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, default=32, help="each way")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        direct, through = runner.run(_load(arguments))
    result: dict[str, Any] = {"problems": direct.problems + through.problems, "sent": through.sent}
    for name, way in (("direct", direct), ("through", through)):
        result.update({f"{name}_{key}": value for key, value in way.figures().items()})
    print(json.dumps(result))


if __name__ == "__main__":
    main()
