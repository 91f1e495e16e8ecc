"""Requests over real sockets: what is made of what comes back, and which connections serve."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from mockforge.model.exchange import Request
from mockforge.model.headers import Headers
from mockforge.replay.connection import BODY_LIMIT
from mockforge.replay.failure import ABORTED
from mockforge.replay.transport import HttpTransport, Outcome
from mockforge.replay.wire import prepare
from mockforge.targets import Target

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Awaited:
    """Whoever sent a request: gives its outcome to who waits for it."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def on_outcome(self, outcome: Outcome) -> None:
        self.ended.set_result(outcome)  # raises where a second one comes


async def exchanged(transport: HttpTransport, request: Request, target: Target) -> Outcome:
    caller = Awaited()
    transport.send(prepare(request, target), caller)
    return await caller.ended


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[Target]:
    """A server that handles connections so, for the time of a block."""
    handled: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        current = asyncio.current_task()
        assert current is not None
        handled.append(current)
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield Target("http", "127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*handled), 10)
        await server.wait_closed()


def outcomes(serve: Serve, *requests: Request, timeout_s: float = 30) -> list[Outcome]:
    """What becomes of the requests, one after another, at a server that handles connections so."""

    async def main() -> list[Outcome]:
        async with serving(serve) as target, HttpTransport(target, timeout_s) as transport:
            return [await exchanged(transport, one, target) for one in requests]

    return asyncio.run(main())


def answering(answer: bytes, *, close: bool = False) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            if close:
                return

    return serve


GET = Request("GET", "/")


def test_the_answer_is_kept_as_it_came() -> None:
    body = gzip.compress(b"x" * 100, mtime=0)
    fields = b"X-B: 1\r\nx-a: 2\r\nX-B: 3\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n" % len(body)
    (outcome,) = outcomes(answering(b"HTTP/1.1 203 Hm\r\n" + fields + b"\r\n" + body), GET)
    assert outcome.error is None
    assert outcome.response is not None
    assert outcome.response.status == 203
    assert outcome.response.body == body
    assert list(outcome.response.headers)[:3] == [("X-B", "1"), ("x-a", "2"), ("X-B", "3")]


def test_a_chunked_answer_is_put_together() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    (outcome,) = outcomes(answering(chunked), GET)
    assert outcome.response is not None
    assert outcome.response.body == b"abcde"


def test_an_answer_to_head_has_no_body() -> None:
    (outcome,) = outcomes(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), Request("HEAD", "/"))
    assert outcome.error is None
    assert outcome.response is not None
    assert outcome.response.body == b""


def test_a_redirect_is_an_answer_like_any_other() -> None:
    (outcome,) = outcomes(answering(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"), GET)
    assert outcome.response is not None
    assert outcome.response.status == 302


def test_connections_are_kept_and_cookies_are_not() -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n")

    first, second = outcomes(serve, GET, GET)
    assert first.connect_ns is not None
    assert second.connect_ns is None
    host_only = [line.partition(b":")[0] for line in heads[1].split(b"\r\n")[1:-2]]
    assert host_only == [b"Host"]


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _stalled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _cut(reader, writer)
    await reader.read()


@pytest.mark.parametrize(
    ("serve", "timeout_s", "error"),
    [
        (answering(b"", close=True), 30, "wait: closed without an answer"),
        (answering(b"SSH-2.0-OpenSSH\r\n\r\n", close=True), 30, "wait: the answer is not HTTP"),
        (_cut, 30, "body: closed before the answer's end"),
        (_silent, 0.05, "timeout: no complete answer in 0.05 s (wait)"),
        (_stalled, 0.05, "timeout: no complete answer in 0.05 s (body)"),
    ],
)
def test_a_failure_is_an_outcome_with_its_phase_and_reason(
    serve: Serve, timeout_s: float, error: str
) -> None:
    (outcome,) = outcomes(serve, Request("POST", "/"), timeout_s=timeout_s)
    assert outcome.error == error


def test_an_answer_that_was_cut_off_keeps_its_status() -> None:
    (outcome,) = outcomes(_cut, GET)
    assert outcome.response is not None
    assert outcome.response.status == 200
    assert outcome.first_byte_at_ns is not None


def test_a_refused_connection_is_an_outcome() -> None:
    async def main(port: int) -> Outcome:
        target = Target("http", "127.0.0.1", port)
        async with HttpTransport(target, 30) as transport:
            return await exchanged(transport, GET, target)

    with socket.socket() as taken:  # bound and not listening: nothing else can take the port meanwhile
        taken.bind(("127.0.0.1", 0))
        outcome = asyncio.run(main(taken.getsockname()[1]))
    assert outcome.error == "connect: refused"
    assert outcome.response is None


def test_a_header_that_cannot_be_sent_is_an_outcome() -> None:
    bad = Request("GET", "/", Headers((("X-Bad", "a\r\nInjected: 1"),)))
    (outcome,) = outcomes(answering(b""), bad)
    assert outcome.error is not None
    assert outcome.error.startswith("send: ")


def test_an_unknown_host_is_an_outcome_of_every_request() -> None:
    async def main() -> list[Outcome]:
        target = Target("http", "no-such-host.invalid", 80)
        async with HttpTransport(target, 30) as transport:
            return [await exchanged(transport, GET, target) for _ in range(2)]

    assert [one.error for one in asyncio.run(main())] == ["connect: the host name is not known"] * 2


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            200,
            b"ok",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 1\r\n\r\nx", 201, b"x"),
        (b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, b""),
    ],
)
def test_answers_of_every_kind_end_where_they_end_and_keep_the_connection(
    answer: bytes, status: int, body: bytes
) -> None:
    first, second = outcomes(answering(answer), GET, GET)
    for outcome in (first, second):
        assert outcome.error is None
        assert outcome.response is not None
        assert (outcome.response.status, outcome.response.body) == (status, body)
        assert "link" not in outcome.response.headers
    assert first.connection_id == second.connection_id


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nX: 1\r\n\r\n"])
def test_an_answer_without_a_length_ends_with_the_connection(head: bytes) -> None:
    first, second = outcomes(answering(head + b"to the end", close=True), GET, GET)
    assert first.error is None
    assert first.response is not None
    assert first.response.body == b"to the end"
    assert (first.connection_id, second.connection_id) == (1, 2)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_connection_that_will_not_serve_again_is_not_used_again(answer: bytes) -> None:
    first, second = outcomes(answering(answer), GET, GET)
    assert first.error is None
    assert second.error is None
    assert first.connection_id != second.connection_id


def test_trailers_and_the_reason_are_kept() -> None:
    chunked = (
        b"HTTP/1.1 200 Fine by me\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
        b"3;ext=1\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n"
    )
    (outcome,) = outcomes(answering(chunked), GET)
    assert outcome.response is not None
    assert outcome.response.trailers.pairs == (("X-Sum", "6"),)
    assert outcome.response.reason == "Fine by me"
    assert outcome.response.body == b"abc"


def test_a_body_over_the_limit_is_counted_and_not_kept() -> None:
    size = BODY_LIMIT + 1
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    (outcome,) = outcomes(answering(answer), GET)
    assert outcome.response is not None
    assert (outcome.response.body, outcome.response.omitted, outcome.response.size) == (b"", size, size)


def closing_kept_connections(heads: list[bytes]) -> Serve:
    """Answers one request a connection, takes the next and closes without a word."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        heads.append(await reader.readuntil(b"\r\n\r\n"))

    return serve


def test_an_idempotent_request_that_met_a_closed_kept_connection_is_sent_again_on_a_new_one() -> None:
    heads: list[bytes] = []
    first, second = outcomes(closing_kept_connections(heads), GET, GET)
    assert (first.error, second.error) == (None, None)
    assert (first.connection_id, second.connection_id) == (1, 2)
    assert second.connect_ns is not None
    assert len(heads) == 3


def test_a_request_that_may_not_be_sent_twice_is_not() -> None:
    heads: list[bytes] = []
    _, second = outcomes(closing_kept_connections(heads), GET, Request("POST", "/"))
    assert second.error == "wait: closed without an answer"
    assert len(heads) == 2


def test_the_connection_used_last_is_used_first_and_all_are_counted() -> None:
    answer = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def main() -> None:
        async with serving(answer) as target, HttpTransport(target, 30) as transport:
            callers = [Awaited() for _ in range(3)]
            for caller in callers:
                transport.send(prepare(GET, target), caller)
            assert {(await caller.ended).connection_id for caller in callers} == {1, 2, 3}
            used = [(await exchanged(transport, GET, target)).connection_id for _ in range(4)]
            assert len(set(used)) == 1
            assert (transport.opened, transport.most_open) == (3, 3)

    asyncio.run(main())


def test_an_abort_ends_what_is_under_way_and_what_is_being_opened() -> None:
    async def main() -> list[Outcome]:
        arrived = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            arrived.set()
            await reader.read()

        async with serving(serve) as target, HttpTransport(target, 30) as transport:
            callers = [Awaited(), Awaited()]
            transport.send(prepare(GET, target), callers[0])
            await arrived.wait()
            transport.send(prepare(GET, target), callers[1])
            transport.abort()
            return [await caller.ended for caller in callers]

    assert [one.error for one in asyncio.run(main())] == [ABORTED] * 2
