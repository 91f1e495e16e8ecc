"""A mock with a capacity, over real sockets: who waits, who is refused, and what is told of it.

Times are the planned ones of the recorded run, which hold to the nanosecond however busy the machine is.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from mockforge.delays.station import LimitedSharing
from mockforge.delays.station_simulation import simulate
from mockforge.model.exchange import Exchange
from mockforge.recording.store import RecordingReader
from tests.acceptance.conftest import PATIENCE_S, Program

MS = 1_000_000
Programs = Callable[..., AbstractContextManager[Program]]


@contextmanager
def connected(program: Program) -> Iterator[socket.socket]:
    parts = urlsplit(program.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_S) as connection:
        yield connection


def send(connection: socket.socket, target: str, *, last: bool = True) -> None:
    """One request; the connection ends with its answer where it is the last."""
    fields = "Host: mock\r\n" + ("Connection: close\r\n" if last else "")
    connection.sendall(f"GET {target} HTTP/1.1\r\n{fields}\r\n".encode())


def read_all(connection: socket.socket) -> bytes:
    answer = b""
    while data := connection.recv(65_536):
        answer += data
    return answer


def ask(program: Program, target: str) -> bytes:
    with connected(program) as connection:
        send(connection, target)
        return read_all(connection)


def pools(program: Program) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/__admin/metrics")
        found: dict[str, Any] = json.loads(connection.getresponse().read())["pools"]
        return found
    finally:
        connection.close()


def wait_for(program: Program, pool: str, **expected: int) -> None:
    """Until the metrics say so."""
    until_s = time.monotonic() + PATIENCE_S
    while {key: pools(program)[pool][key] for key in expected} != expected:
        assert time.monotonic() < until_s, f"not {expected}: {pools(program)[pool]}"


def recorded(file: Path) -> list[Exchange]:
    with RecordingReader(file) as reader:
        return sorted(reader.exchanges(), key=lambda exchange: exchange.arrived_ns)


#: An answer may leave so much early, and a recording has no lateness below nought.
WAKE_UP_NS = 50_000


def planned_ns(exchange: Exchange) -> int:
    """When the answer was due, on the run's clock."""
    assert exchange.ttfb_ns is not None
    assert exchange.lateness_ns is not None
    return exchange.arrived_ns + exchange.ttfb_ns - exchange.lateness_ns


def stubs(folder: Path, text: str) -> str:
    file = folder / "stubs.yaml"
    file.write_text(text)
    return str(file)


def call_at_once(program: Program, target: str, times: int) -> None:
    """So many connections, all asking before any reads its answer."""
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(program)) for _ in range(times)]
        for connection in connections:
            send(connection, target)
        for connection in connections:
            assert read_all(connection).startswith(b"HTTP/1.1 200 OK")


def test_one_server_answers_one_after_another(program: Programs, tmp_path: Path) -> None:
    written = stubs(
        tmp_path,
        """
        service: {name: orders, capacity: {servers: 1}}
        mappings:
          - {name: order, request: GET /order, response: {body: done, fixedDelayMilliseconds: 30}}
        """,
    )
    run = tmp_path / "run.mfrec"
    with program("-m", "mockforge", "serve", written, "--port", "0", "--record-run", str(run)) as mock:
        call_at_once(mock, "/order", 3)
    free_ns = 0
    for exchange in recorded(run):
        free_ns = max(free_ns, exchange.arrived_ns) + 30 * MS
        assert abs(planned_ns(exchange) - free_ns) <= WAKE_UP_NS


def test_those_that_share_are_planned_as_the_station_is_simulated(program: Programs, tmp_path: Path) -> None:
    written = stubs(
        tmp_path,
        """
        service: {name: orders, capacity: {curve: [1, 1.5, 1.8], most: 4, queueLimit: 64}}
        mappings:
          - name: order
            request: GET /order
            response:
              fixedDelayMilliseconds: 5
              delayDistribution: {type: fixed, milliseconds: 20}
        """,
    )
    run = tmp_path / "run.mfrec"
    with program("-m", "mockforge", "serve", written, "--port", "0", "--record-run", str(run)) as mock:
        call_at_once(mock, "/order", 12)
    exchanges = recorded(run)
    arrived = np.array([exchange.arrived_ns for exchange in exchanges])
    station = LimitedSharing([1, 1.5, 1.8], 4)
    simulated = simulate(lambda: station, arrived, np.full(12, 20 * MS), 5 * MS)
    planned = np.array([planned_ns(exchange) for exchange in exchanges]) - arrived
    assert np.abs(planned - simulated).max() <= WAKE_UP_NS, "in nanoseconds"


def test_a_full_queue_refuses_until_somebody_leaves(program: Programs, tmp_path: Path) -> None:
    written = stubs(
        tmp_path,
        """
        service:
          name: orders
          pools:
            db:
              servers: 1
              queueLimit: 1
              abandoned: frees
              whenFull: {status: 503, headers: {Retry-After: 2}, jsonBody: {error: busy}}
        mappings:
          - {name: never, request: GET /never, pool: db, response: {fixedDelayMilliseconds: 3600000}}
          - {name: free, request: GET /free, response: {body: free}}
        """,
    )
    with program("-m", "mockforge", "serve", written, "--port", "0") as mock:
        with connected(mock) as second:
            with connected(mock) as first:
                send(first, "/never", last=False)
                wait_for(mock, "db", inFlight=1, waiting=0)
                send(second, "/never", last=False)
                wait_for(mock, "db", inFlight=2, waiting=1)
                refused = ask(mock, "/never")
                assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n")
                assert refused.endswith(b'{"error":"busy"}')
                assert ask(mock, "/free").endswith(b"free")
            wait_for(mock, "db", inFlight=1, waiting=0)
            assert pools(mock)["db"]["refused"] == {"queueFull": 1, "rateLimit": 0}
        wait_for(mock, "db", inFlight=0, waiting=0)


def test_beyond_its_rate_the_mock_says_when_to_come_again(program: Programs, tmp_path: Path) -> None:
    written = stubs(
        tmp_path,
        """
        service: {capacity: {rateLimit: {perSecond: 0.01, burst: 2}}}
        mappings:
          - {name: order, request: GET /order, response: {body: done}}
        """,
    )
    with program("-m", "mockforge", "serve", written, "--port", "0") as mock:
        assert [ask(mock, "/order")[9:12] for _ in range(2)] == [b"200", b"200"]
        refused = ask(mock, "/order")
        head, _, _ = refused.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        assert head.startswith(b"HTTP/1.1 429 Too Many Requests")
        assert 1 <= int(fields[b"Retry-After"]) <= 100
        assert pools(mock)["default"]["refused"] == {"queueFull": 0, "rateLimit": 1}


def test_who_is_not_served_in_time_is_told_so_while_the_server_goes_on_for_nobody(
    program: Programs, tmp_path: Path
) -> None:
    written = stubs(
        tmp_path,
        """
        service: {capacity: {servers: 1, timeout: {afterMilliseconds: 40, jsonBody: {error: late}}}}
        mappings:
          - {name: order, request: GET /order, response: {body: done, fixedDelayMilliseconds: 600000}}
        """,
    )
    with program("-m", "mockforge", "serve", written, "--port", "0") as mock:
        for _ in range(2):
            answer = ask(mock, "/order")
            assert answer.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
            assert answer.endswith(b'{"error":"late"}')
        found = pools(mock)["default"]
        assert (found["timedOut"], found["inFlight"], found["waiting"]) == (2, 2, 1)


def test_a_capacity_that_cannot_be_is_refused_with_its_place(
    mockforge: Callable[..., str], tmp_path: Path
) -> None:
    written = stubs(tmp_path, "service:\n  capacity:\n    servers: 0\nmappings: []\n")
    printed = mockforge("serve", written, "--port", "0", code=2)
    assert f"{written}:3: service: capacity.servers: must be at least 1, not 0" in printed
