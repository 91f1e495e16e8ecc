"""The mock behind another ASGI server answers as it does behind its own."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import PATIENCE_S, Program, running

STUBS = """
mappings:
  - name: order
    request: "GET /orders/{id}"
    response: {jsonBody: {state: shipped}, headers: {X-Id: ["7", "8"]}}
  - {name: made, request: POST /orders, response: {status: 201, body: made, fixedDelayMilliseconds: 20}}
  - {name: heads, request: HEAD /heads, response: {body: not to be sent}}
  - {name: empty, request: ANY /empty, response: {status: 204}}
  - {name: unchanged, request: GET /unchanged, response: {status: 304, headers: {ETag: '"7"'}}}
  - {name: escaped, request: {method: GET, url: "/a%2Fb?q=%20"}, response: {body: raw}}
  - name: dribble
    request: ANY /dribble
    response: {body: twelve bytes, chunkedDribbleDelay: {numberOfChunks: 3, totalDuration: 30}}
  - name: events
    request: ANY /events
    response: {serverSentEvents: {events: [{data: a}, {data: b, delay: 10}]}}
  - name: slow head
    request: ANY /slow-head
    response: {body: slow, fault: {type: SLOW_HEADERS, duration: 20ms}}
  - {name: never, request: GET /never, response: {fixedDelayMilliseconds: 3600000}}
"""

SERVER = """
import asyncio, signal, sys
from pathlib import Path
from random import Random

from hypercorn.asyncio import serve
from hypercorn.config import Config

from mockforge.engine import Engine, compile_service
from mockforge.server.app import MockApp
from mockforge.sockets import listen
from mockforge.state.journal import Journal
from mockforge.stubfiles.reader import read_service

app = MockApp(Engine(compile_service(read_service(Path(sys.argv[1]))), Random(1)), Journal())


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    with listen("127.0.0.1", 0) as sock:
        config = Config()
        config.bind = [f"fd://{sock.detach()}"]
        config.include_date_header = config.include_server_header = False
        config.graceful_timeout = 1
        await serve(app, config, shutdown_trigger=stop.wait)


asyncio.run(main())
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Program]]:
    """The mock behind its own server, and behind the other one."""
    folder = tmp_path_factory.mktemp("servers")
    stubs, program = folder / "stubs.yaml", folder / "server.py"
    stubs.write_text(STUBS)
    program.write_text(SERVER)
    with (
        running("-m", "mockforge", "serve", str(stubs), "--port", "0") as own,
        running(str(program), str(stubs)) as other,
    ):
        yield own, other
    assert "Traceback" not in other.output


def connect(program: Program) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(program.url).netloc, timeout=PATIENCE_S)


def ask(
    program: Program, method: str, target: str, body: bytes | None = None
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = connect(program)
    try:
        connection.request(method, target, body)
        response = connection.getresponse()
        fields = [(name.lower(), value) for name, value in response.getheaders()]
        return response.status, sorted(fields), response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/orders/17", None),
        ("HEAD", "/heads", None),
        ("GET", "/a%2Fb?q=%20", None),
        ("POST", "/orders", b'{"item": 3}'),
        ("POST", "/orders", bytes(1_000_000)),
        ("GET", "/empty", None),
        ("GET", "/unchanged", None),
        ("GET", "/dribble", None),
        ("HEAD", "/dribble", None),
        ("GET", "/events", None),
        ("GET", "/slow-head", None),
        ("GET", "/order/17", None),
        ("HEAD", "/orders", None),
        ("GET", "/__admin/health?verbose=1", None),
        ("GET", "/__admin/nothing", None),
    ],
)
def test_both_answer_alike(
    servers: tuple[Program, Program], method: str, target: str, body: bytes | None
) -> None:
    own, other = (ask(server, method, target, body) for server in servers)
    assert own == other


def test_a_caller_that_leaves_is_counted_by_both(servers: tuple[Program, Program]) -> None:
    for server in servers:
        connection = connect(server)
        connection.request("GET", "/never")
        connection.close()
        while json.loads(ask(server, "GET", "/__admin/metrics")[2])["callersLeft"] < 1:
            pass
