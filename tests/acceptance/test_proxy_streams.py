"""What takes its time passes as it comes: streams, uploads, switched protocols, and bodies of any size."""

from __future__ import annotations

import asyncio
import resource

from mockforge.model.exchange import Piece
from mockforge.proxy.recorder import ProxyOptions
from tests.acceptance.tapping import Reader, Writer, backend, run, tapped

GET = b"GET /feed HTTP/1.1\r\nHost: proxy\r\n\r\n"
MIB = 2**20
LARGE = 192 * MIB


def peak_mib() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_events_pass_one_by_one() -> None:
    async def main() -> None:
        got = asyncio.Event()

        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for number in range(5):
                await got.wait()
                got.clear()
                writer.write(b"data: %d\n\n" % number)

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            reader, writer = await tap.connect()
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\n")
            for number in range(5):
                got.set()
                assert await reader.readuntil(b"\n\n") == b"data: %d\n\n" % number
            assert await reader.read() == b""
            writer.close()
            (exchange,) = await tap.told()
        assert [piece.size for piece in exchange.pieces] == [9] * 5
        times = [piece.at_ns for piece in exchange.pieces]
        assert times == sorted(times)
        assert exchange.ttfb_ns is not None
        assert exchange.ttfb_ns < times[-1] <= exchange.total_ns

    run(main)


def test_a_body_of_any_size_passes_both_ways_and_is_not_held_in_memory() -> None:
    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            left = LARGE
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
            while left and (data := await reader.read(MIB)):
                left -= len(data)
                writer.write(data)
                await writer.drain()

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            reader, writer = await tap.connect()
            before_mib = peak_mib()
            writer.write(b"PUT / HTTP/1.1\r\nHost: proxy\r\nContent-Length: %d\r\n\r\n" % LARGE)

            async def upload() -> None:
                for number in range(LARGE // MIB):
                    writer.write(bytes([number % 256]) * MIB)
                    await writer.drain()

            uploading = asyncio.create_task(upload())
            await reader.readuntil(b"\r\n\r\n")
            for number in range(LARGE // MIB):
                assert await reader.readexactly(MIB) == bytes([number % 256]) * MIB
            await uploading
            assert peak_mib() - before_mib < LARGE / MIB / 2
            writer.close()
            (exchange,) = await tap.told()
        assert exchange.request.body == b""
        assert exchange.response
        assert (exchange.response.body, exchange.response.omitted) == (b"", LARGE)
        assert exchange.error is None

    run(main)


def test_a_held_back_body_is_asked_for_end_to_end() -> None:
    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"Expect: 100-continue" in head
            writer.write(b"HTTP/1.1 100 Go on\r\nX-From: backend\r\n\r\n")
            body = await reader.readexactly(3)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + body)
            await reader.read()

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            reader, writer = await tap.connect()
            writer.write(b"PUT / HTTP/1.1\r\nHost: p\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            asked = await reader.readuntil(b"\r\n\r\n")
            assert asked == b"HTTP/1.1 100 Go on\r\nX-From: backend\r\n\r\n"
            writer.write(b"abc")
            assert (await reader.readuntil(b"abc")).startswith(b"HTTP/1.1 200 OK\r\n")
            writer.close()
        (exchange,) = tap.exchanges
        assert exchange.request.body == b"abc"

    run(main)


def test_an_answer_to_half_an_upload_reaches_a_caller_that_is_still_sending() -> None:
    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
            await reader.read()

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            reader, writer = await tap.connect()
            writer.write(b"PUT / HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n" % LARGE)
            writer.write(bytes(8 * MIB))
            assert (await reader.read()).endswith(b"\r\n\r\nno")
            writer.close()
            (exchange,) = await tap.told()
        assert exchange.response
        assert (exchange.response.status, exchange.error) == (413, None)

    run(main)


def test_a_switched_connection_is_raw_both_ways_until_either_end_closes() -> None:
    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            switch = b"HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            writer.write(switch + b"\x81\x02hi")
            while data := await reader.read(MIB):
                writer.write(data)
            writer.write(b"\x88\x00")  # its last frame, after the caller's end

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            reader, writer = await tap.connect()
            writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
            assert (await reader.readuntil(b"\x81\x02hi")).startswith(b"HTTP/1.1 101 Go\r\n")
            writer.write(b"\x82\x83\0\0\0\0abc")
            assert await reader.readexactly(9) == b"\x82\x83\0\0\0\0abc"
            writer.write_eof()
            assert await reader.read() == b"\x88\x00"
            writer.close()
            (exchange,) = await tap.told()
        assert exchange.error is None
        assert [(piece.kind, piece.size) for piece in exchange.pieces] == [
            ("frame-out", 2),
            ("frame-in", 3),
            ("frame-out", 3),
            ("frame-out", 0),
        ]
        assert isinstance(exchange.pieces[0], Piece)

    run(main)


def test_a_switched_connection_does_not_hold_up_the_end() -> None:
    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n")
            await reader.read()

        async with backend(serve) as port:
            async with tapped(f"http://127.0.0.1:{port}") as tap:
                reader, writer = await tap.connect()
                writer.write(GET.replace(b"\r\n\r\n", b"\r\nUpgrade: websocket\r\n\r\n"))
                await reader.readuntil(b"\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
        assert [exchange.error for exchange in tap.exchanges] == ["proxy: stopped"]

    run(main)


def test_only_the_start_of_a_body_that_is_over_the_limit_costs_memory() -> None:
    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + bytes(2000))
            await reader.read()

        options = ProxyOptions(keep_body=1999)
        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}", options) as tap:
            reader, writer = await tap.connect()
            writer.write(GET)
            assert (await reader.readuntil(b"\r\n\r\n")).endswith(b"2000\r\n\r\n")
            assert await reader.readexactly(2000) == bytes(2000)
            writer.close()
        (exchange,) = tap.exchanges
        assert exchange.response
        assert (exchange.response.body, exchange.response.size) == (b"", 2000)

    run(main)
