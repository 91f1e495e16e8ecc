"""What is written to a caller, byte for byte, over a transport that only remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest
from aiohttp import HttpVersion10, HttpVersion11, web

from mockforge.clock import ManualClock
from mockforge.model.exchange import Response
from mockforge.model.headers import Headers
from mockforge.proxy.caller import AnswerWriter


class Transport:
    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.ended = ""

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"


class Incoming:
    """As much of an aiohttp request as an answer needs."""

    def __init__(self, method: str = "GET", modern: bool = True, keep_alive: bool = True) -> None:
        self.method = method
        self.version = HttpVersion11 if modern else HttpVersion10
        self.keep_alive = keep_alive
        self.transport: Transport | None = Transport()
        self.writer = self

    async def drain(self) -> None:
        pass


def writing(incoming: Incoming, clock: ManualClock | None = None) -> AnswerWriter:
    return AnswerWriter(cast("web.BaseRequest", incoming), clock or ManualClock())


def written(incoming: Incoming) -> bytes:
    assert incoming.transport is not None
    return b"".join(incoming.transport.writes)


def run(*steps: Coroutine[Any, Any, object]) -> None:
    async def all_of_them() -> None:
        for step in steps:
            await step

    asyncio.run(all_of_them())


SIZED = Headers((("X-A", "1"), ("content-length", "4"), ("x-a", "caf\u00e9")))
UNSIZED = Headers((("X-A", "1"),))


def test_nothing_is_added_to_an_answer_of_known_length() -> None:
    incoming = Incoming()
    answer = writing(incoming)
    answer.head(200, "Fine", SIZED)
    run(answer.send(b"ab"), answer.finish(b"cd"))
    assert written(incoming) == (
        b"HTTP/1.1 200 Fine\r\nX-A: 1\r\ncontent-length: 4\r\nx-a: caf\xe9\r\n\r\nabcd"
    )
    assert answer.response == Response(200, SIZED, b"abcd")
    assert answer.keep_alive


def test_a_short_answer_is_one_write() -> None:
    incoming = Incoming()
    answer = writing(incoming)
    answer.head(200, "OK", SIZED)
    run(answer.finish(b"abcd"))
    assert incoming.transport
    assert len(incoming.transport.writes) == 1


def test_a_body_of_unknown_length_is_chunked_as_it_comes() -> None:
    incoming = Incoming()
    answer = writing(incoming)
    answer.head(200, "OK", UNSIZED)
    run(answer.send(b""), answer.send(b"x" * 16), answer.finish(b""))
    assert incoming.transport
    assert incoming.transport.writes == [
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"10\r\n" + b"x" * 16 + b"\r\n",
        b"0\r\n\r\n",
    ]


def test_an_old_caller_gets_a_body_of_unknown_length_until_the_end() -> None:
    incoming = Incoming(modern=False)
    answer = writing(incoming)
    answer.head(200, "OK", UNSIZED)
    run(answer.finish(b"abc"))
    assert written(incoming) == b"HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: close\r\n\r\nabc"
    assert not answer.keep_alive


def test_an_old_caller_that_keeps_its_connection_is_told_so() -> None:
    incoming = Incoming(modern=False)
    answer = writing(incoming)
    answer.head(200, "OK", SIZED)
    run(answer.finish(b"abcd"))
    assert b"\r\nConnection: keep-alive\r\n\r\n" in written(incoming)


def test_a_caller_that_closes_is_answered_with_close() -> None:
    incoming = Incoming(keep_alive=False)
    answer = writing(incoming)
    answer.head(200, "OK", SIZED)
    run(answer.finish(b"abcd"))
    assert b"\r\nConnection: close\r\n\r\n" in written(incoming)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_a_body_keeps_its_length_field(method: str, status: int) -> None:
    incoming = Incoming(method)
    answer = writing(incoming)
    answer.head(status, "OK", SIZED)
    run(answer.finish(b""))
    assert written(incoming).endswith(b"content-length: 4\r\nx-a: caf\xe9\r\n\r\n")
    assert answer.keep_alive


def test_the_first_byte_is_stamped_once_and_the_end_when_it_is_out() -> None:
    clock = ManualClock(10)
    answer = writing(Incoming(), clock)
    answer.head(200, "OK", SIZED)
    assert not answer.begun
    assert answer.response is None
    clock.advance(5)
    run(answer.send(b"ab"))
    clock.advance(5)
    assert answer.response == Response(200, SIZED, b"ab")
    assert asyncio.run(answer.finish(b"cd")) == 20
    assert answer.first_byte_ns == 15


def test_an_answer_of_which_nothing_was_sent_is_begun_anew() -> None:
    incoming = Incoming()
    answer = writing(incoming)
    answer.head(200, "OK", UNSIZED)
    answer.head(502, "Bad Gateway", SIZED)
    run(answer.finish(b"abcd"))
    assert written(incoming).startswith(b"HTTP/1.1 502 Bad Gateway\r\nX-A: 1\r\ncontent-length: 4\r\n")
    assert answer.response == Response(502, SIZED, b"abcd")


def test_a_caller_that_left_is_a_connection_error() -> None:
    incoming = Incoming()
    incoming.transport = None
    answer = writing(incoming)
    answer.head(200, "OK", SIZED)
    assert answer.caller_left
    with pytest.raises(ConnectionError):
        run(answer.finish(b"abcd"))
    assert answer.response is None


@pytest.mark.parametrize(
    ("modern", "headers", "ended"), [(True, SIZED, "closed"), (False, UNSIZED, "aborted")]
)
def test_a_cut_answer_can_be_seen_to_be_incomplete(modern: bool, headers: Headers, ended: str) -> None:
    incoming = Incoming(modern=modern)
    answer = writing(incoming)
    answer.head(200, "OK", headers)
    run(answer.send(b"ab"))
    answer.cut()
    assert incoming.transport
    assert incoming.transport.ended == ended
    assert not answer.keep_alive
