"""The mock behind its HTTP server, over a loopback socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

import pytest

from mockforge.engine import Engine, compile_service
from mockforge.model.headers import Headers
from mockforge.model.service import Service
from mockforge.model.stub import (
    Body,
    DelayDistribution,
    RequestPattern,
    ResponseDefinition,
    Stub,
    UrlPattern,
)
from mockforge.server.app import MockApp
from mockforge.server.http import serving
from mockforge.server.protocol import FastLaneProtocol
from mockforge.sockets import listen
from mockforge.state.journal import Journal

Result = TypeVar("Result")


def stub(path: str, **response: object) -> Stub:
    return Stub(path, RequestPattern("ANY", UrlPattern("urlPath", path)), (ResponseDefinition(**response),))  # type: ignore[arg-type]


STUBS = (
    stub("/text", headers=Headers((("X-Id", "7"),)), body=Body("body", "hello")),
    stub(
        "/framed",
        headers=Headers((("Content-Length", "999"), ("Transfer-Encoding", "chunked"))),
        body=Body("body", "hi"),
    ),
    stub("/empty", status=204, body=Body("body", "never sent")),
    stub("/slow", delay=DelayDistribution("uniform", {"lower": 30, "upper": 40}), body=Body("body", "slow")),
)


def with_server(use: Callable[[int, Journal], Awaitable[Result]]) -> Result:
    """What `use` gives, with the port of a running server and its journal."""

    async def run() -> Result:
        journal = Journal()
        app = MockApp(Engine(compile_service(Service("s", STUBS)), Random(1)), journal)
        sock = listen("127.0.0.1", 0)
        async with serving(app, sock):
            return await use(sock.getsockname()[1], journal)

    return asyncio.run(run())


def ask(*requests: bytes) -> bytes:
    """All bytes that come back for requests on one connection, whose last one closes it."""

    async def use(port: int, journal: Journal) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in requests:
            writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    return with_server(use)


def request(path: str, method: str = "GET", *, close: bool = True, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: mock", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *(["Connection: close"] if close else []), "", ""]).encode() + body


def parsed(answer: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, fields (names in lower case, each to stand once), and what follows the head."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    assert len(dict(fields)) == len(fields)
    return status, dict(fields), body


def test_an_answer_comes_over_the_socket_as_the_stub_has_it() -> None:
    status, fields, body = parsed(ask(request("/text", "POST", body=b"{}")))
    assert status == b"HTTP/1.1 200 OK"
    assert (fields[b"x-id"], fields[b"content-length"], body) == (b"7", b"5", b"hello")
    assert not {b"server", b"date", b"transfer-encoding"} & set(fields)


def test_a_stub_cannot_break_the_framing() -> None:
    _, fields, body = parsed(ask(request("/framed")))
    assert (fields[b"content-length"], body) == (b"2", b"hi")
    assert b"transfer-encoding" not in fields


def test_head_gets_the_length_and_no_body() -> None:
    _, fields, body = parsed(ask(request("/text", "HEAD")))
    assert (fields[b"content-length"], body) == (b"5", b"")


def test_204_has_neither_length_nor_body() -> None:
    status, fields, body = parsed(ask(request("/empty")))
    assert (status, body) == (b"HTTP/1.1 204 No Content", b"")
    assert b"content-length" not in fields


@pytest.mark.parametrize("path", ["/text", "/empty", "/slow", "/none", "/__admin/health"])
def test_a_connection_serves_request_after_request(path: str) -> None:
    answer = ask(request(path, close=False), request("/text"))
    assert answer.count(b"HTTP/1.1 ") == 2
    assert answer.endswith(b"\r\n\r\nhello")


class TellingRandom(Random):
    """Says when a delay is drawn: a request has then arrived."""

    drawn: asyncio.Event

    def random(self) -> float:
        self.drawn.set()
        return super().random()


def test_what_is_in_flight_at_the_end_is_finished() -> None:
    async def run() -> bytes:
        random = TellingRandom(1)
        random.drawn = asyncio.Event()
        sock = listen("127.0.0.1", 0)
        app = MockApp(Engine(compile_service(Service("s", STUBS)), random), Journal())
        async with serving(app, sock):
            reader, writer = await asyncio.open_connection(*sock.getsockname())
            writer.write(request("/slow", close=False))
            await random.drawn.wait()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    assert asyncio.run(run()).endswith(b"slow")


def test_the_port_is_free_again_when_the_server_has_ended() -> None:
    async def use(port: int, journal: Journal) -> int:
        return port

    port = with_server(use)
    listen("127.0.0.1", port).close()


def test_a_connection_that_the_server_did_not_tell_of_its_end_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as one accepted under load and begun only after: it could else go on asking."""
    tell, told = FastLaneProtocol.shutdown, []

    def missed_at_first(connection: FastLaneProtocol) -> None:
        told.append(connection)
        if len(told) > 1:
            tell(connection)

    monkeypatch.setattr(FastLaneProtocol, "shutdown", missed_at_first)

    async def run() -> bytes:
        app = MockApp(Engine(compile_service(Service("s", STUBS)), Random(1)), Journal())
        sock = listen("127.0.0.1", 0)
        async with serving(app, sock):
            reader, writer = await asyncio.open_connection(*sock.getsockname())
            writer.write(request("/text", close=False))
            await reader.readuntil(b"hello")
        rest = await reader.read()
        writer.close()
        return rest

    assert asyncio.run(run()) == b""
    assert len(told) > 1
