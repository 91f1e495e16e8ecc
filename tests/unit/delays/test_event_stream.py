"""Server-sent events as bytes and times."""

from __future__ import annotations

import itertools

from mockforge.delays.event_stream import compile_stream
from mockforge.delays.pacing import Finish
from mockforge.model.sending import EventStream, ServerSentEvent

MS = 1_000_000
TWO = (ServerSentEvent("a", delay_ms=10), ServerSentEvent("b", delay_ms=5))


def text(event: ServerSentEvent) -> str:
    return compile_stream(EventStream((event,))).events[0][1].decode()


def test_an_event_has_a_line_a_field_and_ends_with_an_empty_one() -> None:
    event = ServerSentEvent("hello", event="greeting", id="7", retry_ms=500, comment="why")
    assert text(event) == ": why\nid: 7\nevent: greeting\nretry: 500\ndata: hello\n\n"


def test_each_line_of_the_data_is_a_field_whatever_ends_it() -> None:
    assert text(ServerSentEvent("a\nb\r\nc\rd\n")) == "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"


def test_data_that_is_no_text_goes_as_json_on_one_line() -> None:
    assert text(ServerSentEvent({"n": [1, "x"]})) == 'data: {"n":[1,"x"]}\n\n'


def test_delays_count_from_the_event_before_over_all_rounds() -> None:
    answer = compile_stream(EventStream(TWO, rounds=2)).answer(b"H", b"", chunked=False)
    assert [at_ns // MS for at_ns, _ in answer.body] == [10, 15, 25, 30]
    assert answer.finish is Finish.CLOSES


def test_a_chunked_stream_ends_with_its_last_chunk_and_the_connection_stays() -> None:
    answer = compile_stream(EventStream(TWO)).answer(b"H\r\n", b"\r\n", chunked=True)
    assert answer.head == b"H\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b"".join(bytes(data) for _, data in answer.body) == (
        b"9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n0\r\n\r\n"
    )
    assert answer.finish is Finish.STAYS


def test_a_stream_that_stays_open_has_no_last_chunk() -> None:
    answer = compile_stream(EventStream(TWO, stays_open=True)).answer(b"H", b"", chunked=True)
    assert not any(bytes(data).startswith(b"0\r\n") for _, data in answer.body)
    assert answer.finish is Finish.HOLDS


def test_a_stream_for_ever_has_no_end() -> None:
    answer = compile_stream(EventStream(TWO, rounds=None)).answer(b"H", b"", chunked=True)
    assert [at_ns // MS for at_ns, _ in itertools.islice(answer.body, 7)] == [10, 15, 25, 30, 40, 45, 55]
