"""One connection without a socket: bytes in at given times, the answer out."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from mockforge.clock import ManualClock
from mockforge.replay.connection import Connection, Ended, Read
from mockforge.replay.wire import PreparedRequest

GET = PreparedRequest(b"GET / HTTP/1.1\r\n\r\n", idempotent=True)
HEAD = PreparedRequest(b"HEAD / HTTP/1.1\r\n\r\n", head_only=True)


class Wire:
    """A transport that keeps what is written, and reports its end as asyncio does."""

    def __init__(self) -> None:
        self.written = b""
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborted = True


class Conversation:
    """A connection, whose reads come a microsecond after another; hears of its ends."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.wire = Wire()
        self.ended: list[tuple[Ended, bool]] = []
        self.closed = 0
        self.connection = Connection(self, 1, self.clock.now_ns)
        self.connection.connection_made(cast(asyncio.Transport, cast(Any, self.wire)))

    def on_ended(self, connection: Connection, ended: Ended, *, reusable: bool) -> None:
        self.ended.append((ended, reusable))

    def on_closed(self, connection: Connection) -> None:
        self.closed += 1

    def read(self, *parts: bytes) -> None:
        for part in parts:
            self.clock.advance(1000)
            self.connection.data_received(part)


ANSWER = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nX-Twice: 1\r\nx-twice: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"
)


@given(st.lists(st.integers(1, len(ANSWER) - 1), max_size=12, unique=True).map(sorted))
def test_however_the_bytes_are_split_the_answer_is_the_same(cuts: list[int]) -> None:
    talk = Conversation()
    talk.connection.send(GET)
    bounds = [0, *cuts, len(ANSWER)]
    talk.read(*(ANSWER[first:last] for first, last in itertools.pairwise(bounds)))
    ((ended, reusable),) = talk.ended
    assert ended.error is None
    assert ended.response is not None
    assert (ended.response.status, ended.response.reason, ended.response.body) == (200, "OK", b"abcde")
    assert ended.response.headers.pairs[:2] == (("X-Twice", "1"), ("x-twice", "2"))
    assert ended.response.trailers.pairs == (("X-Sum", "5"),)
    assert reusable
    assert sum(read.size for read in ended.reads) in (0, 5)


def test_the_first_byte_is_that_of_the_final_answer() -> None:
    talk = Conversation()
    talk.connection.send(GET)
    talk.read(b"HTTP/1.1 102 Processing\r\n\r\n", b"HT", b"TP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert talk.ended[0][0].first_byte_at_ns == 2000


def test_a_streamed_answer_has_its_timeline() -> None:
    talk = Conversation()
    talk.connection.send(GET)
    talk.read(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", b"ab", b"cdef")
    assert talk.ended[0][0].reads == (Read(2000, 2), Read(3000, 4))


def test_a_body_that_came_in_one_read_has_no_timeline() -> None:
    talk = Conversation()
    talk.connection.send(GET)
    talk.read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ab")
    assert talk.ended[0][0].reads == ()


def test_an_answer_to_head_ends_with_its_head_and_the_next_request_is_served() -> None:
    talk = Conversation()
    talk.connection.send(HEAD)
    talk.read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    talk.connection.send(GET)
    talk.read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    (head, kept), (whole, _) = talk.ended
    assert kept
    assert head.response is not None
    assert whole.response is not None
    assert (head.response.body, whole.response.body) == (b"", b"hello")
    assert talk.wire.written == HEAD.data + GET.data


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    talk = Conversation()
    talk.connection.send(GET)
    talk.read(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n")
    assert talk.wire.aborted
    assert len(talk.ended) == 1


def test_a_loss_is_stale_only_on_a_reused_connection_that_brought_nothing() -> None:
    def lost(*, reused: bool, got: bytes) -> bool:
        talk = Conversation()
        if reused:
            talk.connection.send(GET)
            talk.read(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        talk.connection.send(GET)
        if got:
            talk.read(got)
        talk.connection.connection_lost(None)
        assert talk.closed == 1
        return talk.ended[-1][0].stale

    assert lost(reused=True, got=b"")
    assert not lost(reused=False, got=b"")
    assert not lost(reused=True, got=b"HTTP/1.1 2")


def test_a_loss_has_its_phase_and_its_reason() -> None:
    def error(got: bytes, loss: Exception | None) -> str | None:
        talk = Conversation()
        talk.connection.send(GET)
        talk.read(got)
        talk.connection.connection_lost(loss)
        return talk.ended[-1][0].error

    reset = ConnectionResetError(104, "Connection reset by peer")
    assert error(b"HTTP/1.1 2", reset) == "wait: reset"
    assert error(b"HTTP/1.1 103 Early\r\n\r\n", None) == "wait: closed before the answer's end"
    assert error(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", reset) == "body: reset"
    assert error(b"HTTP/1.1 200 OK\r\n\r\nab", reset) == "body: reset"
    assert error(b"HTTP/1.1 200 OK\r\n\r\nab", None) is None


def test_a_request_on_a_connection_that_is_gone_already_fails_as_one_that_got_no_answer() -> None:
    talk = Conversation()
    talk.connection.connection_lost(None)
    talk.connection.send(GET)
    assert talk.ended[0][0].error == "wait: closed without an answer"
