"""A target that fails: the caller gets what it would have got, and the recording says how it failed."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

import mockforge.proxy.recorder
from mockforge.proxy.recorder import ProxyOptions
from tests.acceptance.tapping import Reader, Writer, backend, run, tapped

GET = b"GET /a HTTP/1.1\r\nHost: proxy\r\n\r\n"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"


def reset(writer: Writer) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return int(gone.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "error"), [("127.0.0.1", "connect: refused"), ("orders.invalid", "connect: unknown host")]
)
@pytest.mark.parametrize("on_uvloop", [True, False], ids=["uvloop", "asyncio"])
def test_a_target_that_is_not_there_is_a_502_with_the_reason(host: str, error: str, on_uvloop: bool) -> None:
    async def main() -> None:
        async with tapped(f"http://{host}:{free_port()}") as tap:
            answer = await tap.ask(GET)
        assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert answer.endswith(f"mockforge: the target failed: {error}\n".encode())
        (exchange,) = tap.exchanges
        assert (exchange.error, exchange.connect_ns) == (error, None)
        assert exchange.response
        assert exchange.response.status == 502

    run(main, on_uvloop=on_uvloop)


def test_a_reset_before_the_answer_is_a_502() -> None:
    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            reset(writer)

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            assert (await tap.ask(GET)).startswith(b"HTTP/1.1 502 ")
        assert [exchange.error for exchange in tap.exchanges] == ["wait: reset"]

    run(main)


@pytest.mark.parametrize("on_uvloop", [True, False], ids=["uvloop", "asyncio"])
@pytest.mark.parametrize("by_reset", [True, False], ids=["reset", "close"])
def test_an_answer_is_cut_as_the_target_cut_it(by_reset: bool, on_uvloop: bool) -> None:
    async def main() -> None:
        passed = asyncio.Event()

        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(BEGUN)
            await passed.wait()
            if by_reset:
                reset(writer)

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            reader, writer = await tap.connect()
            writer.write(GET)
            assert await reader.readexactly(len(BEGUN)) == BEGUN
            passed.set()
            if by_reset:
                with pytest.raises(ConnectionResetError):
                    await reader.read()
            else:
                assert await reader.read() == b""
            writer.close()
        (exchange,) = tap.exchanges
        assert exchange.error == ("body: reset" if by_reset else "body: closed before its end")
        assert exchange.response
        assert exchange.response.body == b"abc"

    run(main, on_uvloop=on_uvloop)


@pytest.mark.parametrize(("said", "phase"), [(b"", "wait"), (BEGUN, "body")])
def test_a_target_that_stalls_is_given_up_where_a_timeout_says_so(said: bytes, phase: str) -> None:
    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            await reader.read()

        options = ProxyOptions(timeout_s=0.05)
        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}", options) as tap:
            answer = await tap.ask(GET)
        assert answer == said or answer.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
        assert [exchange.error for exchange in tap.exchanges] == [f"{phase}: timeout"]

    run(main)


def test_a_caller_that_leaves_lets_the_target_go() -> None:
    async def main() -> None:
        asked, let_go = asyncio.Event(), asyncio.Event()

        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            try:
                await reader.read()
            finally:
                let_go.set()

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            _, writer = await tap.connect()
            writer.write(GET)
            await asked.wait()
            writer.close()
            (exchange,) = await tap.told()
            await let_go.wait()
        assert (exchange.error, exchange.response) == ("caller: left", None)
        assert exchange.total_ns > 0

    run(main)


def test_what_takes_longer_than_the_grace_is_told_as_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mockforge.proxy.recorder, "GRACE_S", 0.05)

    async def main() -> None:
        asked = asyncio.Event()

        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            await reader.read()

        async with backend(serve) as port:
            async with tapped(f"http://127.0.0.1:{port}") as tap:
                _, idle = await tap.connect()
                _, waiting = await tap.connect()
                waiting.write(GET)
                await asked.wait()
            idle.close()
            waiting.close()
        assert [exchange.error for exchange in tap.exchanges] == ["proxy: stopped"]

    run(main)


def test_a_target_that_closes_between_two_requests_costs_the_caller_nothing() -> None:
    async def main() -> None:
        connections = 0

        async def serve(reader: Reader, writer: Writer) -> None:
            nonlocal connections
            connections += 1
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            reader, writer = await tap.connect()
            for number in range(1, 6):
                writer.write(GET)
                assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 OK\r\n")
                assert connections == number
            writer.close()
        assert [exchange.error for exchange in tap.exchanges] == [None] * 5

    run(main)
