"""The bytes that a backend sends are the bytes that a caller gets, and the other way round."""

from __future__ import annotations

import asyncio
import gzip
import re

import pytest

from tests.acceptance.tapping import Reader, Writer, backend, run, tapped

GET = b"GET /orders/1?q=%2F HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n"
GZIPPED = gzip.compress(b"hello" * 100, mtime=0)

OK = b"HTTP/1.1 200 OK\r\n"

ANSWERS = {
    "plain": OK + b"Content-Length: 2\r\n\r\nok",
    "chunks": OK + b"Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'3;name="a\tb";x\r\nabc\r\n00B\r\ndefghijklmn\r\n000\r\nX-Sum: 14\r\nx-SUM: again\r\n\r\n',
    "no length": OK + b"X-A: 1\r\n\r\nuntil the end",
    "no content": b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 99\r\n\r\n",
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "repeated fields": OK + b"Vary: a\r\nvary: b\r\nVARY: a\r\nContent-Length: 0\r\n\r\n",
    "cookies": OK + b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nset-cookie: a=3\r\ncontent-LENGTH:0\r\n\r\n",
    "odd blanks": OK + b"X-A:1\r\nX-B:   2  \r\nX-C:\r\nContent-Length:\t0\r\n\r\n",
    "other bytes": b"HTTP/1.1 200 sch\xf6n\r\nX-L: caf\xe9\r\nX-U: caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n",
    "gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(GZIPPED) + GZIPPED,
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n",
    "empty reason": b"HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n",
    "no reason": b"HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n",
    "old": b"HTTP/1.0 200 OK\r\n\r\nold",
    "old with a length": b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold",
    "folded": OK + b"X-A: a\r\n  b\r\nContent-Length: 0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "hop by hop": OK
    + b"Keep-Alive: timeout=5\r\nConnection: close, X-P\r\nX-P: 1\r\nContent-Length: 0\r\n\r\n",
    "long field": OK + b"X-Long: " + b"x" * 60_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "megabyte": OK + b"Content-Length: 1048576\r\n\r\n" + bytes(range(256)) * 4096,
    "failure": b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno",
}

REQUESTS = {
    "plain": b"GET /a HTTP/1.1\r\nHost: proxy\r\n\r\n",
    "odd fields": b"GET /%7e//a/../b?x=%2f&&y HTTP/1.1\r\n"
    b"X-b:1\r\nhOsT: proxy\r\nx-B:  2 \r\nL: caf\xe9\r\nX-b: 1\r\n\r\n",
    "hop by hop": b"GET / HTTP/1.1\r\nHost: proxy\r\nConnection: TE, X-P\r\nTE: trailers\r\nX-P: 1\r\n\r\n",
    "chunked": b"POST / HTTP/1.1\r\nHost: proxy\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
    b"3;a=b\r\n\x1f\x8b\x00\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n",
    "unknown method": b"BREW /pot HTTP/1.1\r\nHost: proxy\r\nContent-Length: 4\r\n\r\nmilk",
    "old": b"GET / HTTP/1.0\r\n\r\n",
    "megabyte": b"PUT / HTTP/1.1\r\nHost: proxy\r\nContent-Length: 1048576\r\n\r\n"
    + bytes(range(256)) * 4096,
}


def direct_and_tapped(request: bytes, answer: bytes, *, on_uvloop: bool) -> None:
    """One request through the proxy; the caller must get `answer`, and the recording be of it."""

    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            assert await tap.ask(request) == answer
        (exchange,) = tap.exchanges
        assert exchange.error is None
        assert exchange.response

    run(main, on_uvloop=on_uvloop)


@pytest.mark.parametrize("on_uvloop", [True, False], ids=["uvloop", "asyncio"])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_passes_byte_for_byte(name: str, on_uvloop: bool) -> None:
    direct_and_tapped(GET, ANSWERS[name], on_uvloop=on_uvloop)


def test_the_head_of_an_answer_to_head_passes_with_its_length() -> None:
    answer = OK + b"Content-Length: 500\r\n\r\n"
    direct_and_tapped(GET.replace(b"GET", b"HEAD"), answer, on_uvloop=True)


@pytest.mark.parametrize("on_uvloop", [True, False], ids=["uvloop", "asyncio"])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_passes_byte_for_byte_but_for_its_host(name: str, on_uvloop: bool) -> None:
    request = REQUESTS[name]

    async def main() -> None:
        got = asyncio.Queue[bytes]()

        async def serve(reader: Reader, writer: Writer) -> None:
            got.put_nowait(await reader.readexactly(len(as_sent(request, port))))
            writer.write(ANSWERS["plain"])
            await reader.read()

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            reader, writer = await tap.connect()
            writer.write(request)
            assert await reader.readexactly(len(ANSWERS["plain"])) == ANSWERS["plain"]
            assert await got.get() == as_sent(request, port)
            writer.close()
        assert [exchange.error for exchange in tap.exchanges] == [None]

    run(main, on_uvloop=on_uvloop)


def as_sent(request: bytes, port: int) -> bytes:
    return request.replace(b"proxy", b"127.0.0.1:%d" % port)


def test_one_connection_carries_every_answer_one_after_the_other() -> None:
    staying = [
        answer
        for answer in ANSWERS.values()
        if b"HTTP/1.0" not in answer
        and b"close" not in answer
        and re.search(rb"ontent-(L|l)ength|hunked|LENGTH| 204", answer)
    ]

    async def main() -> None:
        async def serve(reader: Reader, writer: Writer) -> None:
            for answer in staying:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
            await reader.read()

        async with backend(serve) as port, tapped(f"http://127.0.0.1:{port}") as tap:
            reader, writer = await tap.connect()
            for answer in staying:
                writer.write(GET.replace(b"Connection: close\r\n", b""))
                assert await reader.readexactly(len(answer)) == answer
            writer.close()
            exchanges = await tap.told(len(staying))
        assert {exchange.connection_id for exchange in exchanges} == {1}
        assert [exchange.connect_ns is None for exchange in exchanges] == [False] + [True] * (
            len(staying) - 1
        )

    run(main)
