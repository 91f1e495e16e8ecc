"""A load of many connections that mostly wait: `python -m benchmarks.holding`, one line of JSON at the end.

wrk opens all connections and sends all first requests at once, so that its percentiles show the crowd at the
door. This client opens them over some seconds. Each sends its next request when it has the answer to the one
before, and every request is accounted for: answered with 200, or not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from dataclasses import dataclass, field
from typing import Any, cast

import httptools
import uvloop

__all__ = ["Tally", "main", "nearest_rank_ms"]


@dataclass(slots=True)
class Tally:
    """What became of the requests. `first_problem` is shown with the result."""

    latencies_ns: list[int] = field(default_factory=list)
    problems: int = 0
    first_problem: str = ""

    def problem(self, text: str) -> None:
        self.problems += 1
        self.first_problem = self.first_problem or text


class _Caller(asyncio.Protocol):
    """One connection: sends `left` requests, one after the other."""

    def __init__(self, request: bytes, left: int, tally: Tally, done: asyncio.Future[None]) -> None:
        self._request = request
        self._left = left
        self._tally = tally
        self._done = done
        self._sent_ns = 0
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not subclasses
        self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        self._sent_ns = time.monotonic_ns()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._finish(f"not HTTP: {error}")

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status != 200:
            self._finish(f"status {status}")
            return
        self._tally.latencies_ns.append(time.monotonic_ns() - self._sent_ns)
        self._left -= 1
        if self._left:
            self._ask()
        else:
            self._finish("")

    def connection_lost(self, error: Exception | None) -> None:
        self._finish(f"connection lost: {error or 'closed by the server'}")

    def _finish(self, problem: str) -> None:
        if self._done.done():
            return
        if problem:
            self._tally.problem(problem)
        self._done.set_result(None)
        if self._transport is not None:
            self._transport.close()


async def _load(arguments: argparse.Namespace) -> Tally:
    loop = asyncio.get_running_loop()
    tally = Tally()

    def on_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        tally.problem(f"the client failed: {context.get('exception') or context['message']}")

    loop.set_exception_handler(on_failure)
    request = f"GET {arguments.path} HTTP/1.1\r\nHost: 127.0.0.1:{arguments.port}\r\n\r\n".encode()
    began = loop.time()

    async def call(number: int) -> None:
        await asyncio.sleep(began + arguments.over * number / arguments.connections - loop.time())
        done: asyncio.Future[None] = loop.create_future()
        try:
            await loop.create_connection(
                lambda: _Caller(request, arguments.requests, tally, done), "127.0.0.1", arguments.port
            )
        except OSError as error:
            tally.problem(f"no connection: {error}")
            return
        await done

    calls = [asyncio.ensure_future(call(number)) for number in range(arguments.connections)]
    _, unfinished = await asyncio.wait(calls, timeout=arguments.patience)
    for each in unfinished:
        each.cancel()
        tally.problem(f"no answer in {arguments.patience:g} s")
    await asyncio.gather(*calls, return_exceptions=True)
    return tally


def nearest_rank_ms(latencies_ns: list[int], asked: int, quantile: float) -> float | None:
    """The latency that this share of all that was asked did not exceed; None where it was not answered."""
    rank = max(1, math.ceil(quantile * asked))
    return sorted(latencies_ns)[rank - 1] / 1e6 if rank <= len(latencies_ns) else None


def main() -> None:
    """Run the load of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.holding", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--requests", type=int, required=True, help="of each connection, in turn")
    parser.add_argument("--over", type=float, required=True, help="seconds over which connections are opened")
    parser.add_argument("--patience", type=float, required=True, help="seconds after which it is given up")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(_load(arguments))
    asked = arguments.connections * arguments.requests
    result = {
        "asked": asked,
        "unanswered": asked - len(tally.latencies_ns),
        "p50_ms": nearest_rank_ms(tally.latencies_ns, asked, 0.5),
        "p99_ms": nearest_rank_ms(tally.latencies_ns, asked, 0.99),
        "problem": tally.first_problem,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
