"""Backends that queue, each in its own way: what the fidelity rows record and mock.

`cpu` and `waiting` are WSGI applications for gunicorn; `python benchmarks/fragile.py --port N` is a service
of one thread that stands still every few seconds, as one does whose garbage collector stops the world.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import math
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["cpu", "main", "waiting"]

StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_ROWS = 12_000
_local = threading.local()
_random = random.Random(7)
_STALL_EVERY_S = 2.0
_STALL_S = 0.12


def cpu(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """A report that takes a few milliseconds of processor time, of uneven size: a scan in SQLite."""
    number = int(environ["PATH_INFO"].rpartition("/")[2] or 0)
    share = 0.3 + 1.4 * (number * 7919 % 1000) / 1000
    row = _database().execute(
        "SELECT count(*), sum(price * amount), avg(price) FROM line WHERE id < ? AND price > ?",
        (int(_ROWS * share), number % 50),
    )
    return _answer(start_response, f'{{"report": {number}, "lines": {row.fetchone()[0]}}}')


def waiting(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """An answer that waits for a slow dependency, and takes next to no processor time."""
    number = environ["PATH_INFO"].rpartition("/")[2]
    time.sleep(0.020 * math.exp(0.5 * _random.gauss(0, 1)))
    return _answer(start_response, f'{{"item": "{number}", "state": "ready"}}')


def _answer(start_response: StartResponse, text: str) -> Iterable[bytes]:
    body = text.encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _database() -> sqlite3.Connection:
    found: sqlite3.Connection | None = getattr(_local, "database", None)
    if found is None:
        found = sqlite3.connect(":memory:")
        found.execute("CREATE TABLE line (id INTEGER, price REAL, amount INTEGER)")
        lines = ((i, i * 37 % 100, i % 9) for i in range(2 * _ROWS))
        found.executemany("INSERT INTO line VALUES (?, ?, ?)", lines)
        _local.database = found
    return found


class _Stalling(asyncio.Protocol):
    """Answers each request after three milliseconds or so in which the one thread does nothing else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, self._unread = self._unread.partition(b"\r\n\r\n")
            time.sleep(0.003 * math.exp(0.4 * _random.gauss(0, 1)))
            digest = hashlib.sha256(head).hexdigest()
            body = f'{{"digest": "{digest}"}}'.encode()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )


async def _stalling(port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(_Stalling, "127.0.0.1", port)
    draw = random.Random(3)
    while True:
        await asyncio.sleep(_STALL_EVERY_S * draw.uniform(0.5, 1.5))
        time.sleep(_STALL_S * draw.uniform(0.7, 1.3))  # noqa: ASYNC251 - everything is to stand still


def main() -> None:
    """Serve the one that stands still until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(_stalling(parser.parse_args().port))


if __name__ == "__main__":
    main()
