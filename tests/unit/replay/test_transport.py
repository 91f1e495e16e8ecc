"""What goes on the wire for a recorded request, and what is made of what comes back."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Awaitable, Callable

import pytest

from mockforge.model.exchange import Request
from mockforge.model.headers import Headers
from mockforge.replay.transport import HttpTransport, Outcome, prepare
from mockforge.targets import Target, parse_target

TARGET = parse_target("http://127.0.0.1:9000")


def headers_sent(request: Request, target: Target = TARGET) -> list[tuple[str, str]]:
    return list(prepare(request, target).headers.items())


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/orders/17?sort=-id&q=%20+%zz",
        "//twice//",
        "/a/../b/./c",
        "/a%2Fb%2fc",
        "/empty?",
        "/a?b?c",
        "/fragment#not",
        '/"<>|{}[]^`\\',
        "/semi;colon=1,2",
        "*",
    ],
)
def test_the_request_target_is_untouched(target: str) -> None:
    assert prepare(Request("GET", target), TARGET).url.raw_path_qs == target


def test_the_targets_prefix_stands_before_the_path() -> None:
    prepared = prepare(Request("GET", "/orders?x=1"), parse_target("http://h:1/api/"))
    assert prepared.url.raw_path_qs == "/api/orders?x=1"


def test_an_absolute_request_target_loses_its_origin() -> None:
    prepared = prepare(Request("GET", "http://old:8080/orders?next=http://x/y"), TARGET)
    assert prepared.url.raw_path_qs == "/orders?next=http://x/y"
    assert prepared.url.port == 9000


def test_headers_keep_order_case_and_repetition() -> None:
    pairs = (("Host", "old:1"), ("X-b", "2"), ("x-A", "1"), ("X-b", "3"), ("Cookie", "a=1; b=2"))
    sent = headers_sent(Request("GET", "/", Headers(pairs)))
    assert sent == [("Host", "127.0.0.1:9000"), *pairs[1:]]


def test_what_speaks_of_the_old_connection_is_not_sent() -> None:
    pairs = (
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Transfer-Encoding", "chunked"),
        ("TE", "trailers"),
        ("Expect", "100-continue"),
        ("X-Stays", "1"),
    )
    assert headers_sent(Request("POST", "/", Headers(pairs), b"body")) == [("X-Stays", "1")]


def test_the_content_length_is_that_of_the_body() -> None:
    pairs = (("Content-Length", "99"), ("X", "1"))
    assert headers_sent(Request("POST", "/", Headers(pairs), b"four")) == [
        ("Content-Length", "4"),
        ("X", "1"),
    ]


def test_an_empty_body_is_sent_only_where_one_was_announced() -> None:
    assert prepare(Request("GET", "/"), TARGET).body is None
    assert prepare(Request("GET", "/", Headers((("content-length", "0"),))), TARGET).body == b""


def test_utf8_bytes_of_a_header_stay_the_same_bytes() -> None:
    on_the_wire = "Zürich €".encode()
    pairs = (("X-City", on_the_wire.decode("latin-1")),)
    assert headers_sent(Request("GET", "/", Headers(pairs)))[0][1].encode() == on_the_wire


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def outcomes(serve: Serve, *requests: Request, timeout_s: float = 30) -> list[Outcome]:
    """What becomes of the requests, one after another, at a server that handles connections so."""

    async def main() -> list[Outcome]:
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
        target = Target("http", "127.0.0.1", server.sockets[0].getsockname()[1])
        try:
            async with HttpTransport(timeout_s) as transport:
                return [await transport.exchange(prepare(one, target)) for one in requests]
        finally:
            server.close()
            await asyncio.wait_for(asyncio.gather(*handled), 10)
            await server.wait_closed()

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
    body = gzip.compress(b"x" * 100)
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
        async with HttpTransport(30) as transport:
            return await transport.exchange(prepare(GET, Target("http", "127.0.0.1", port)))

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
