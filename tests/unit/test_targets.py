"""Targets are read from the command line, and looked at before a run begins."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from mockforge.errors import TargetError, UsageError
from mockforge.targets import Target, check_target, parse_target


@pytest.mark.parametrize(
    ("url", "target", "written"),
    [
        ("http://127.0.0.1:9000", Target("http", "127.0.0.1", 9000), "http://127.0.0.1:9000"),
        ("http://orders", Target("http", "orders", 80), "http://orders"),
        (
            "HTTPS://Orders.Example.com/",
            Target("https", "orders.example.com", 443),
            "https://orders.example.com",
        ),
        (
            "https://orders:8443/api/v1/",
            Target("https", "orders", 8443, "/api/v1"),
            "https://orders:8443/api/v1",
        ),
        ("http://[::1]:9000", Target("http", "::1", 9000), "http://[::1]:9000"),
        ("http://[::1]", Target("http", "::1", 80), "http://[::1]"),
        ("http://h:80/a%2Fb", Target("http", "h", 80, "/a%2Fb"), "http://h/a%2Fb"),
    ],
)
def test_an_address_is_read_and_written_back(url: str, target: Target, written: str) -> None:
    assert parse_target(url) == target
    assert str(parse_target(url)) == written


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "does not begin with"),
        ("localhost:9000", "does not begin with"),
        ("127.0.0.1", "does not begin with"),
        ("ftp://h", "does not begin with"),
        ("http://", "does not begin with"),
        ("http://:9000", "names no host"),
        ("http://h:0", "port 0"),
        ("http://h:99999", "not an address"),
        ("http://h:x", "not an address"),
        ("http://[::1", "not an address"),
        ("http://user:pw@h", "credentials"),
        ("http://h/?a=1", "query"),
        ("http://h/#a", "fragment"),
        ("http://h/a b", "blank"),
        ("http://h\r\nX: 1", "blank"),
    ],
)
def test_an_impossible_address_is_refused_in_one_line_that_shows_it(url: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        parse_target(url)
    assert repr(url) in str(caught.value)
    assert "http://HOST:PORT" in str(caught.value)
    assert "\n" not in str(caught.value)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def checked(serve: Serve, *, scheme: str = "http", timeout_s: float = 10.0) -> None:
    """Check a target at which `serve` handles the connection."""

    async def main() -> None:
        handled: list[asyncio.Task[None]] = []

        async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            current = asyncio.current_task()
            assert current is not None
            handled.append(current)
            try:
                await serve(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(closing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            await check_target(Target(scheme, "127.0.0.1", port), timeout_s)
        finally:
            server.close()
            for task in handled:
                task.cancel()
            await asyncio.gather(*handled, return_exceptions=True)
            await server.wait_closed()

    asyncio.run(main())


def answering(answer: bytes, asked: list[bytes] | None = None) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(65_536)
        if asked is not None:
            asked.append(request)
        writer.write(answer)
        await writer.drain()

    return serve


@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found", b"503 Busy", b"400 Bad Request"])
def test_any_http_answer_will_do(status: bytes) -> None:
    asked: list[bytes] = []
    checked(answering(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n", asked))
    assert asked[0].startswith(b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:")


def test_another_protocol_is_named_by_what_it_said() -> None:
    with pytest.raises(
        TargetError, match=r"does not speak HTTP: it answered '-ERR unknown command"
    ) as caught:
        checked(answering(b"-ERR unknown command\r\n"))
    assert "\n" not in str(caught.value)


def test_a_binary_answer_without_a_line_end_is_no_http() -> None:
    with pytest.raises(TargetError, match="does not speak HTTP"):
        checked(answering(b"\x15\x03\x03" * 50_000))


def test_a_connection_closed_without_a_word_is_no_http() -> None:
    with pytest.raises(TargetError, match="answered nothing"):
        checked(answering(b""))


def test_plain_http_behind_an_https_address_is_said() -> None:
    with pytest.raises(TargetError, match="does not speak TLS"):
        checked(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), scheme="https")


def test_a_target_that_stays_silent_is_given_up() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with pytest.raises(TargetError, match=r"no answer in 0\.05 s"):
        checked(silent, timeout_s=0.05)


def test_where_nothing_listens_is_said() -> None:
    with socket.socket() as taken:  # bound and not listening: nothing else can take the port meanwhile
        taken.bind(("127.0.0.1", 0))
        target = Target("http", "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(TargetError, match="nothing listens at the target") as caught:
            asyncio.run(check_target(target))
    assert str(target) in str(caught.value)
