"""The pool of upstream connections, over loopback: keep-alive, what is sent twice, and failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mockforge.clock import ManualClock
from mockforge.model.headers import Headers
from mockforge.model.upstream import OutgoingRequest, UpstreamHead
from mockforge.proxy.upstream import UpstreamPool
from mockforge.targets import Target

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET_END = b"\r\n\r\n"

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Heard:
    """What the sink was told; `over` is set at the end."""

    def __init__(self) -> None:
        self.head: UpstreamHead | None = None
        self.interim: list[int] = []
        self.body = b""
        self.failure: tuple[int, str] | None = None
        self.trailers = Headers()
        self.over = asyncio.Event()

    def on_interim(self, head: UpstreamHead) -> None:
        self.interim.append(head.status)

    def on_head(self, head: UpstreamHead) -> None:
        self.head = head

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_read(self) -> None:
        pass

    def on_end(self, trailers: Headers) -> None:
        self.trailers = trailers
        self.over.set()

    def on_failure(self, status: int, what: str) -> None:
        self.failure = (status, what)
        self.over.set()


class Server:
    """An upstream that answers each request of a connection with the next of its answers."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.serving: set[asyncio.Task[Any]] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        await self.serve(reader, writer)
        self.serving.discard(task)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.requests.append(await reader.readuntil(GET_END))
                self.asked.set()
                answer = self.answers.pop(0)
                if answer is None:
                    await reader.read()
                    return
                writer.write(answer)
                if b"Connection: close" in answer or b"HTTP/1.1" not in answer:
                    return
        except asyncio.IncompleteReadError:
            pass
        finally:
            self.left.set()
            writer.close()


@asynccontextmanager
async def upstream(
    server: Server, silence_s: float = 60.0
) -> AsyncIterator[tuple[UpstreamPool, Target, ManualClock]]:
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    clock = ManualClock(10**12)
    pool = UpstreamPool(clock=clock, silence_s=silence_s)
    try:
        yield pool, Target("http", "127.0.0.1", listening.sockets[0].getsockname()[1]), clock
    finally:
        await pool.close()
        listening.close()
        await listening.wait_closed()
        await asyncio.gather(*server.serving)


async def ask(pool: UpstreamPool, target: Target, method: str = "GET") -> Heard:
    heard = Heard()
    pool.send(OutgoingRequest(target, method, "/p", ((b"Host", b"there"),)), heard)
    await heard.over.wait()
    return heard


def run(test: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await test

    asyncio.run(bounded())


def test_a_connection_serves_one_request_after_the_other() -> None:
    async def test() -> None:
        server = Server(OK, OK)
        async with upstream(server) as (pool, target, _):
            for _ in range(2):
                heard = await ask(pool, target)
                assert heard.body == b"ok"
            assert server.connections == 1
            assert server.requests[0] == b"GET /p HTTP/1.1\r\nHost: there\r\n\r\n"

    run(test())


def test_each_framing_is_taken_off() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 3\r\n\r\n"
    )
    until_close = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK

    async def test() -> None:
        async with upstream(Server(chunked, until_close, interim)) as (pool, target, _):
            heard = await ask(pool, target)
            assert (heard.body, heard.trailers.get("x-sum")) == (b"abc", "3")
            assert heard.head is not None
            assert heard.head.length is None
            assert (await ask(pool, target)).body == b"abc"
            heard = await ask(pool, target)
            assert (heard.interim, heard.body) == ([103], b"ok")

    run(test())


def test_an_answer_to_head_ends_with_its_head() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"

    async def test() -> None:
        server = Server(head, OK)
        async with upstream(server) as (pool, target, _):
            heard = await ask(pool, target, "HEAD")
            assert heard.head is not None
            assert heard.head.length == 99
            assert (await ask(pool, target)).body == b"ok"
            assert server.connections == 1

    run(test())


def closing_later(server: Server) -> Server:
    """A server that keeps a connection and closes it before its next request is answered."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        server.requests.append(await reader.readuntil(GET_END))
        writer.write(OK)
        if server.connections == 1:
            server.requests.append(await reader.readuntil(GET_END))
        else:
            await reader.read()
        writer.close()

    server.serve = serve  # type: ignore[method-assign]
    return server


def test_what_may_be_repeated_is_sent_again_on_a_new_connection() -> None:
    async def test() -> None:
        server = closing_later(Server())
        async with upstream(server) as (pool, target, _):
            assert (await ask(pool, target)).body == b"ok"
            assert (await ask(pool, target)).body == b"ok"
            assert server.connections == 2

    run(test())


def test_what_must_not_be_repeated_is_a_failure() -> None:
    async def test() -> None:
        server = closing_later(Server())
        async with upstream(server) as (pool, target, _):
            await ask(pool, target)
            heard = await ask(pool, target, "POST")
            assert heard.failure == (502, "wait: closed without an answer")
            assert server.connections == 1

    run(test())


def test_what_must_not_be_repeated_takes_no_connection_that_has_long_rested() -> None:
    async def test() -> None:
        server = Server(OK, OK)
        async with upstream(server) as (pool, target, clock):
            await ask(pool, target)
            clock.advance(2 * 10**9)
            assert (await ask(pool, target, "POST")).body == b"ok"
            assert server.connections == 2

    run(test())


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", (502, "wait: not HTTP")),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhalf",
            (502, "body: closed before its end"),
        ),
    ],
)
def test_an_answer_that_cannot_be_used_is_a_failure(answer: bytes, failure: tuple[int, str]) -> None:
    async def test() -> None:
        async with upstream(Server(answer)) as (pool, target, _):
            assert (await ask(pool, target)).failure == failure

    run(test())


def test_nobody_who_listens_is_a_failure() -> None:
    async def test() -> None:
        async with upstream(Server()) as (_, target, _):
            pass
        pool = UpstreamPool()
        assert (await ask(pool, target)).failure == (502, "connect: refused")
        await pool.close()

    run(test())


def test_an_upstream_that_keeps_silent_is_a_504() -> None:
    async def test() -> None:
        async with upstream(Server(None), silence_s=0.1) as (pool, target, clock):
            heard = Heard()
            pool.send(OutgoingRequest(target, "GET", "/p", ()), heard)
            while not heard.over.is_set():
                clock.advance(10**9)
                await asyncio.sleep(0.005)
            assert heard.failure == (504, "wait: timeout")

    run(test())


def test_a_call_that_is_cancelled_closes_its_connection_and_says_nothing() -> None:
    async def test() -> None:
        server = Server(None)
        async with upstream(server) as (pool, target, _):
            heard = Heard()
            call = pool.send(OutgoingRequest(target, "GET", "/p", ()), heard)
            await server.asked.wait()
            call.cancel()
            await server.left.wait()
            assert not heard.over.is_set()

    run(test())
