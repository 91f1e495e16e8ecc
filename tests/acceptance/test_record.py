"""`mockforge record`: traffic passes through it untouched, and the recording says what passed."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from mockforge.model.exchange import Exchange
from mockforge.proxy.recorder import recording
from mockforge.sockets import listen
from mockforge.targets import parse_target

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

GET = b"GET /orders/1?q=%2F HTTP/1.1\r\nHost: proxy\r\nX-b: 1\r\nx-B: 2\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Wire:
    """A backend that the test scripts, a proxy before it, and what the proxy told of."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []
        self.exchanges: list[Exchange] = []
        self.told = asyncio.Event()

    def sink(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.told.set()

    async def ask(self, request: bytes) -> tuple[list[bytes], bytes]:
        """The lines of the answer's head, without `Connection`, and the rest as it stood on the wire."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return [line for line in head.split(b"\r\n") if not line.startswith(b"Connection:")], body


@contextlib.asynccontextmanager
async def wired(answering: Answering, prefix: str = "") -> AsyncIterator[Wire]:
    sock = listen("127.0.0.1", 0)
    wire = Wire(sock.getsockname()[1])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            wire.requests.append(head + (await reader.readexactly(int(length[1])) if length else b""))
            await answering(reader, writer)
        writer.close()

    backend = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{backend.sockets[0].getsockname()[1]}{prefix}"
    async with backend, recording(parse_target(url), sock, wire.sink):
        yield wire


def answers(data: bytes) -> Answering:
    async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answering


def passed(
    answer: bytes, request: bytes = GET, prefix: str = ""
) -> tuple[list[bytes], bytes, Exchange, bytes]:
    """One request through the proxy: answer head, answer body, what was recorded, what the backend got."""

    async def main() -> tuple[list[bytes], bytes, Exchange, bytes]:
        async with wired(answers(answer), prefix) as wire:
            head, body = await wire.ask(request)
        (exchange,) = wire.exchanges
        return head, body, exchange, wire.requests[0] if wire.requests else b""

    return asyncio.run(main())


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 Very Fine\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\ncontent-LENGTH: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 99\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x00\xff\x00",
        b"HTTP/1.1 200 OK\r\nX-Latin: caf\xe9\r\nX-Utf8: caf\xc3\xa9\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + bytes(range(256)) * 4096,
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 20_000 + b"\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_an_answer_reaches_the_caller_byte_for_byte_and_so_it_is_recorded(answer: bytes) -> None:
    head, body, exchange, _ = passed(answer)
    sent_head, _, sent_body = answer.partition(b"\r\n\r\n")
    assert head == sent_head.split(b"\r\n")
    assert body == sent_body
    response = exchange.response
    assert response is not None
    assert [name + b": " + value for name, value in response.headers.raw()] == head[1:]
    assert (response.status, response.body) == (int(head[0].split()[1]), body)
    assert exchange.error is None


def test_a_chunked_answer_stays_chunked_and_is_recorded_without_its_chunks() -> None:
    head, body, exchange, _ = passed(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    )
    assert head == [b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked", b"X-A: 1"]
    assert body == b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    assert exchange.response
    assert exchange.response.body == b"abcdefg"


def test_a_head_request_gets_the_fields_and_no_body() -> None:
    head, body, exchange, _ = passed(
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", GET.replace(b"GET", b"HEAD")
    )
    assert head == [b"HTTP/1.1 200 OK", b"Content-Length: 500"]
    assert body == b""
    assert exchange.error is None
    assert exchange.request.method == "HEAD"


def test_a_request_reaches_the_backend_with_its_host_changed_and_nothing_added() -> None:
    _, _, exchange, got = passed(OK)
    lines = got.split(b"\r\n")
    assert lines[0] == b"GET /orders/1?q=%2F HTTP/1.1"
    assert re.fullmatch(rb"Host: 127\.0\.0\.1:\d+", lines[1])
    assert lines[2:] == [b"X-b: 1", b"x-B: 2", b"Connection: close", b"", b""]
    assert exchange.request.target == "/orders/1?q=%2F"
    assert exchange.request.headers.pairs == (
        ("Host", "proxy"),
        ("X-b", "1"),
        ("x-B", "2"),
        ("Connection", "close"),
    )


def test_a_target_with_a_path_puts_it_before_each_request() -> None:
    _, _, exchange, got = passed(OK, prefix="/api")
    assert got.startswith(b"GET /api/orders/1?q=%2F HTTP/1.1\r\n")
    assert exchange.request.target == "/orders/1?q=%2F"


def test_an_answer_is_passed_on_while_it_still_comes_in() -> None:
    async def main() -> None:
        received = asyncio.Event()

        async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
            await received.wait()
            writer.write(b"def")

        async with wired(answering) as wire:
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            writer.write(GET)
            assert (await reader.readuntil(b"abc")).endswith(b"\r\n\r\nabc")
            assert not wire.exchanges
            received.set()
            assert await reader.read() == b"def"
            writer.close()
        (exchange,) = wire.exchanges
        assert exchange.ttfb_ns is not None
        assert 0 < exchange.ttfb_ns < exchange.total_ns

    asyncio.run(main())


def test_an_exchange_knows_how_many_others_were_under_way_and_its_connection() -> None:
    async def main() -> None:
        both = asyncio.Barrier(2)

        async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await both.wait()
            writer.write(OK)

        async with wired(answering) as wire:
            await asyncio.gather(wire.ask(GET), wire.ask(GET))
        assert sorted(exchange.in_flight for exchange in wire.exchanges) == [0, 1]
        assert sorted(exchange.connection_id for exchange in wire.exchanges) == [1, 2]
        assert all(exchange.connect_ns for exchange in wire.exchanges)

    asyncio.run(main())


def test_a_refused_connection_is_a_502_and_is_recorded_with_its_phase() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            url = f"http://127.0.0.1:{gone.getsockname()[1]}"
        sock = listen("127.0.0.1", 0)
        wire = Wire(sock.getsockname()[1])
        async with recording(parse_target(url), sock, wire.sink):
            head, body = await wire.ask(GET)
        assert head[0] == b"HTTP/1.1 502 Bad Gateway"
        assert body == b"mockforge: the target failed: connect: refused\n"
        (exchange,) = wire.exchanges
        assert exchange.error == "connect: refused"
        assert exchange.response
        assert (exchange.response.status, exchange.response.body) == (502, body)
        assert exchange.ttfb_ns is not None

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "wait: closed without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "wait: not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-", "wait: closed without an answer"),
    ],
)
def test_a_backend_that_gives_no_answer_is_asked_once_and_is_a_502(answer: bytes, error: str) -> None:
    async def main() -> None:
        async with wired(answers(answer)) as wire:
            head, _ = await wire.ask(GET)
        assert head[0] == b"HTTP/1.1 502 Bad Gateway"
        assert [exchange.error for exchange in wire.exchanges] == [error]
        assert len(wire.requests) == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
def test_an_answer_that_breaks_off_breaks_off_for_the_caller_too(begun: bytes) -> None:
    async def main() -> None:
        received = asyncio.Event()

        async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(begun)
            await received.wait()

        async with wired(answering) as wire:
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            writer.write(GET)
            await reader.readuntil(b"abc")
            received.set()
            assert b"0\r\n\r\n" not in await reader.read()
            writer.close()
        (exchange,) = wire.exchanges
        assert exchange.error == "body: closed before its end"
        assert exchange.response
        assert (exchange.response.status, exchange.response.body) == (200, b"abc")

    asyncio.run(main())


def test_a_caller_that_leaves_is_recorded_with_its_age() -> None:
    async def main() -> None:
        asked, left = asyncio.Event(), asyncio.Event()

        async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await left.wait()

        async with wired(answering) as wire:
            _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            writer.write(GET)
            await asked.wait()
            writer.close()
            await wire.told.wait()
            left.set()
        (exchange,) = wire.exchanges
        assert (exchange.error, exchange.response, exchange.ttfb_ns) == ("caller: left", None, None)
        assert exchange.total_ns > 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"CONNECT orders.example.com:443 HTTP/1.1\r\nHost: p\r\n\r\n", b"501"),
        (b"GET / HTTP/1.1\r\nHost: p\r\nX-Long: " + b"x" * 70_000, b"431"),
        (b"GET /" + b"x" * 70_000, b"414"),
        (b"\x16\x03\x01\x02\x00\x01\x00", b"400"),
        (b"OPTIONS * HTTP/1.1\r\nHost: p\r\n\r\n", b"400"),
        (b"what is this?\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n\r\n", b"400"),
    ],
)
def test_what_cannot_be_passed_on_is_refused_and_is_no_exchange(request_: bytes, status: bytes) -> None:
    async def main() -> None:
        async with wired(answers(OK)) as wire:
            reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            writer.write(request_)
            assert (await reader.readline()).split()[1] == status
            writer.close()
        assert not wire.exchanges
        assert not wire.requests

    asyncio.run(main())


def test_exchanges_under_way_may_end_when_the_proxy_is_stopped() -> None:
    async def main() -> None:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await go_on.wait()
            writer.write(OK)

        async with wired(answering) as wire:
            asking = asyncio.create_task(wire.ask(GET))
            await asked.wait()
            asyncio.get_running_loop().call_later(0.05, go_on.set)
        head, body = await asking
        assert (head[0], body) == (b"HTTP/1.1 200 OK", b"ok")
        assert [exchange.error for exchange in wire.exchanges] == [None]

    asyncio.run(main())
