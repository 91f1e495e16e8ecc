"""Answers that take their time, and faults: exact due times on a fake transport."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mockforge.model.forwarding import ProxyDefinition
from mockforge.model.request import RequestView
from mockforge.model.sending import (
    Dribble,
    EventStream,
    FaultDefinition,
    SendingDefinition,
    ServerSentEvent,
)
from mockforge.model.service import Capacity
from mockforge.model.stub import Body, DelayDistribution, RequestPattern, ResponseDefinition, Stub
from mockforge.server.run_record import exchange_of
from mockforge.stubfiles.folder import STREAMED_FROM, Bodies
from tests.unit.server.harness import MS, START, Mock, S, Wire, get, statuses, stub

FIXED = DelayDistribution("fixed", {"milliseconds": 300})
DRIBBLE = SendingDefinition(dribble=Dribble(4, 100))
TICKS = (ServerSentEvent("a", delay_ms=10), ServerSentEvent("b", delay_ms=10))


def paced(path: str, sending: SendingDefinition, delay_ms: float = 0, **response: Any) -> Stub:
    response.setdefault("body", Body("body", "0123456789ab"))
    return stub(path, delay_ms, sending=sending, **response)


def fault(path: str, kind: str, delay_ms: float = 0, **told: Any) -> Stub:
    return paced(path, SendingDefinition(fault=FaultDefinition(kind, **told)), delay_ms)


def events(path: str, *, rounds: int | None = 1, stays_open: bool = False) -> Stub:
    stream = EventStream(TICKS, rounds, stays_open)
    return stub(path, body=None, sending=SendingDefinition(events=stream))


STUBS = (
    stub("/a"),
    paced("/dribble", DRIBBLE, 20),
    paced("/rate", SendingDefinition(bandwidth=100.0)),
    paced("/time", SendingDefinition(body_time=FIXED)),
    paced("/empty", DRIBBLE, status=204),
    events("/events"),
    events("/forever", rounds=None),
    events("/open", stays_open=True),
    fault("/reset", "CONNECTION_RESET_BY_PEER", 20),
    fault("/closed", "EMPTY_RESPONSE", 20),
    fault("/never", "NO_RESPONSE"),
    fault("/limited", "NO_RESPONSE", duration_ms=500.0),
    fault("/cut", "RESET_AFTER_BYTES", after_bytes=9),
    fault("/short", "TRUNCATED_BODY", after_bytes=3),
    fault("/slow-head", "SLOW_HEADERS", duration_ms=1_000.0),
    fault("/sometimes", "EMPTY_RESPONSE", probability=0.25),
)


def connected(**options: Any) -> tuple[Mock, Wire]:
    mock = Mock(STUBS, **options)
    return mock, mock.connect()


def test_each_chunk_leaves_at_its_time_and_not_before() -> None:
    mock, wire = connected()
    wire.send(get("/dribble"))
    mock.loop.advance(20 * MS - 1)
    assert wire.received() == b""
    mock.loop.advance(1)
    assert wire.received().endswith(b"Content-Length: 12\r\n\r\n")
    for chunk in (b"012", b"345", b"678", b"9ab"):
        mock.loop.advance(25 * MS - 1)
        assert wire.received() == b""
        mock.loop.advance(1)
        assert wire.received() == chunk
    assert wire.is_open
    wire.send(get("/a"))
    assert wire.received().endswith(b"/a")


def test_the_event_tells_the_planned_and_the_observed_end() -> None:
    mock, wire = connected()
    wire.send(get("/time"))
    mock.advance(400)
    (event,) = mock.events()
    assert event.paced is not None
    assert (event.plan.first_byte_ns, event.first_byte_ns) == (START, START)
    assert (event.paced.planned_end_ns, event.end_ns) == (START + 300 * MS, START + 300 * MS)
    assert event.paced.sent_bytes == len(wire.received())


def test_a_rate_is_kept() -> None:
    mock, wire = connected()
    wire.send(get("/rate"))
    assert wire.received().endswith(b"\r\n\r\n")
    mock.advance(60)
    assert wire.received() == b"012345"
    mock.advance(60)
    assert wire.received() == b"6789ab"


@pytest.mark.parametrize("time_scale", [0.0, 0.5, 2.0])
def test_the_time_scale_holds_for_chunks_too(time_scale: float) -> None:
    mock, wire = connected(time_scale=time_scale)
    wire.send(get("/time"))
    mock.advance(1_000)
    assert mock.events()[0].end_ns - START == 300 * MS * time_scale


def test_what_comes_behind_a_dribble_waits_for_its_end_and_is_not_late() -> None:
    mock, wire = connected()
    wire.send(get("/dribble") + get("/a"))
    mock.advance(119)
    assert len(mock.events()) == 0
    mock.advance(1)
    assert statuses(wire.received()) == [200, 200]
    assert [event.lateness_ns for event in mock.events()] == [0, 0]


def test_a_dribble_behind_a_slower_answer_counts_from_its_turn() -> None:
    mock, wire = connected()
    wire.send(get("/time") + get("/dribble"))
    mock.advance(300)
    wire.received()
    mock.advance(99)
    assert wire.received().endswith(b"678")
    mock.advance(1)
    assert wire.received() == b"9ab"
    assert mock.events()[1].plan.first_byte_ns == START + 300 * MS


@pytest.mark.parametrize("request_bytes", [get("/dribble", method="HEAD"), get("/empty")])
def test_an_answer_without_a_body_has_nothing_to_dribble(request_bytes: bytes) -> None:
    mock, wire = connected()
    wire.send(request_bytes)
    mock.advance(20)
    assert wire.received().endswith(b"\r\n\r\n")
    assert len(mock.events()) == 1


def test_chunks_wait_while_the_caller_does_not_read_and_then_catch_up() -> None:
    mock, wire = connected()
    wire.send(get("/dribble"))
    wire.transport.room = 1
    mock.advance(20)
    assert wire.received().endswith(b"\r\n\r\n")
    mock.advance(75)
    assert wire.received() == b""
    wire.transport.drain()
    assert wire.received() == b"012345678"
    mock.advance(25)
    assert wire.received() == b"9ab"
    assert mock.events()[0].end_ns == START + 120 * MS


def test_a_caller_that_leaves_in_the_middle_frees_its_place() -> None:
    mock, wire = connected()
    wire.send(get("/dribble"))
    mock.advance(50)
    wire.leave()
    assert mock.lane.in_flight == 0
    mock.advance(500)
    (event,) = mock.events()
    assert event.caller_left
    assert event.paced is not None
    assert event.paced.planned_end_ns is None
    assert event.end_ns == START + 50 * MS


def test_a_station_is_left_before_the_body_begins() -> None:
    mock, wire = connected(capacity=Capacity(servers=1))
    other = mock.connect()
    wire.send(get("/dribble"))
    other.send(get("/dribble"))
    mock.advance(20)
    assert wire.received()
    mock.advance(20)
    assert other.received()


# Events


def test_events_leave_at_their_times_in_chunks_of_their_own_and_the_connection_stays() -> None:
    mock, wire = connected()
    wire.send(get("/events"))
    head = wire.received()
    assert b"Content-Type: text/event-stream\r\n" in head
    assert b"Transfer-Encoding: chunked\r\n" in head
    assert b"Content-Length" not in head
    mock.advance(10)
    assert wire.received() == b"9\r\ndata: a\n\n\r\n"
    mock.advance(10)
    assert wire.received() == b"9\r\ndata: b\n\n\r\n0\r\n\r\n"
    assert wire.is_open


def test_a_caller_of_http_1_0_gets_events_until_the_connection_closes() -> None:
    mock, wire = connected()
    wire.send(get("/events", "Connection: keep-alive", version="1.0"))
    mock.advance(20)
    assert wire.received().partition(b"\r\n\r\n")[2] == b"data: a\n\ndata: b\n\n"
    assert wire.transport.closed


def test_events_for_ever_go_on_until_the_caller_leaves() -> None:
    mock, wire = connected()
    wire.send(get("/forever"))
    mock.advance(1_000)
    assert wire.received().count(b"data: ") == 100
    wire.leave()
    mock.advance(1_000)
    assert wire.received() == b""
    assert mock.events()[0].caller_left


@pytest.mark.parametrize("path", ["/forever", "/open", "/never", "/limited"])
def test_what_only_the_caller_would_end_is_ended_with_the_server(path: str) -> None:
    mock, wire = connected()
    wire.send(get(path))
    mock.advance(100)
    wire.protocol.shutdown()
    assert wire.transport.closed
    assert mock.lane.in_flight == 0
    assert len(mock.events()) == 1


def test_what_would_never_end_does_not_begin_once_the_server_ends() -> None:
    mock, wire = connected()
    wire.send(get("/dribble") + get("/never"))
    wire.protocol.shutdown()
    mock.advance(120)
    assert wire.transport.closed
    assert len(mock.events()) == 2


# Faults


def test_a_fault_comes_after_the_delay() -> None:
    mock, wire = connected()
    wire.send(get("/closed"))
    mock.loop.advance(20 * MS - 1)
    assert wire.is_open
    mock.loop.advance(1)
    assert (wire.received(), wire.transport.closed, wire.transport.aborted) == (b"", True, False)
    (event,) = mock.events()
    assert event.paced is not None
    assert (event.paced.fault, event.first_byte_ns, event.caller_left) == ("EMPTY_RESPONSE", None, False)
    assert event.end_ns == START + 20 * MS


def test_a_reset_ends_the_connection_at_once() -> None:
    mock, wire = connected()
    wire.send(get("/reset"))
    mock.advance(20)
    assert (wire.received(), wire.transport.aborted) == (b"", True)
    wire.leave()
    assert len(mock.events()) == 1


def test_a_reset_waits_until_what_was_sent_before_has_left() -> None:
    mock, wire = connected()
    wire.transport.unsent = 9
    wire.send(get("/cut"))
    mock.advance(5)
    assert (wire.received(), wire.transport.aborted) == (b"HTTP/1.1 ", False)
    wire.transport.unsent = 0
    mock.advance(1)
    assert wire.transport.aborted


def test_a_reset_does_not_wait_for_ever() -> None:
    mock, wire = connected()
    wire.transport.unsent = 9
    wire.send(get("/cut"))
    mock.advance(1_001)
    assert wire.transport.aborted


def test_a_fault_ends_what_was_asked_behind_it_too() -> None:
    mock, wire = connected()
    wire.send(get("/closed") + get("/a"))
    mock.advance(20)
    wire.leave()
    assert [(event.stub, event.caller_left) for event in mock.events()] == [("/closed", False), ("/a", True)]
    assert mock.lane.in_flight == 0


def test_no_response_is_one_and_counts_when_the_caller_leaves() -> None:
    mock, wire = connected()
    wire.send(get("/never"))
    mock.advance(60_000)
    assert (wire.received(), wire.is_open, mock.events()) == (b"", True, [])
    wire.leave()
    (event,) = mock.events()
    assert event.caller_left
    assert mock.journal.faults == {"NO_RESPONSE": 1}


def test_no_response_may_have_a_limit() -> None:
    mock, wire = connected()
    wire.send(get("/limited"))
    mock.advance(499)
    assert wire.is_open
    mock.advance(1)
    assert wire.transport.closed


def test_a_truncated_body_was_promised_in_full() -> None:
    _, wire = connected()
    wire.send(get("/short"))
    assert wire.received() == b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n012"
    assert (wire.transport.closed, wire.transport.aborted) == (True, False)


def test_slow_headers_take_their_time_and_leave_the_answer_whole() -> None:
    mock, wire = connected()
    wire.send(get("/slow-head"))
    mock.advance(999)
    assert not wire.received().endswith(b"\r\n\r\n")
    mock.advance(1)
    assert wire.received().endswith(b"\n0123456789ab")
    assert wire.is_open
    assert exchange_of(mock.events()[0], START).error is None


def test_a_fault_comes_as_often_as_is_written() -> None:
    mock, _ = connected()
    for _ in range(400):
        mock.connect().send(get("/sometimes"))
    assert mock.journal.faults == {"EMPTY_RESPONSE": 100}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/closed", "wait: EMPTY_RESPONSE"),
        ("/short", "body: TRUNCATED_BODY"),
        ("/dribble", None),
    ],
)
def test_a_recorded_run_has_the_fault_as_its_error(path: str, error: str | None) -> None:
    mock, wire = connected()
    wire.send(get(path))
    mock.advance(1_000)
    exchange = exchange_of(mock.events()[0], START)
    assert (exchange.error, exchange.response is None) == (error, error is not None)


def test_a_proxied_answer_gives_way_to_a_fault_that_comes() -> None:
    proxy = ProxyDefinition("http://127.0.0.1:1")
    sending = SendingDefinition(fault=FaultDefinition("EMPTY_RESPONSE", 0.5))
    mock = Mock([stub("/p", body=None, proxy=proxy, sending=sending)])
    decisions = [mock.engine.decide(RequestView("GET", "/p"), START) for _ in range(100)]
    assert sum(each.forward is None for each in decisions) == 50
    assert all((each.forward is None) == (each.sending is not None) for each in decisions)


def test_each_of_several_responses_has_its_own_fault() -> None:
    faulty = ResponseDefinition(sending=SendingDefinition(fault=FaultDefinition("NO_RESPONSE")), share=0.25)
    mock = Mock([Stub("/s", RequestPattern(), (ResponseDefinition(share=0.75), faulty))])
    decisions = [mock.engine.decide(RequestView("GET", "/s"), START) for _ in range(100)]
    assert sum(each.sending is not None for each in decisions) == 25


def test_a_transport_that_breaks_costs_its_own_connection_alone(caplog: pytest.LogCaptureFixture) -> None:
    mock, wire = connected()
    other = mock.connect()
    wire.send(get("/dribble"))
    other.send(get("/dribble"))
    wire.transport.broken = OSError("broken")
    mock.advance(200)
    assert (wire.transport.aborted, other.transport.aborted) == (True, False)
    assert other.received().endswith(b"0123456789ab")
    assert "broken" in caplog.text


# Files


@pytest.fixture
def large(tmp_path: Path) -> Path:
    (tmp_path / "__files").mkdir()
    file = tmp_path / "__files" / "large.bin"
    file.write_bytes(bytes(range(256)) * (STREAMED_FROM // 256 + 1))
    return file


def file_mock(file: Path) -> tuple[Mock, Wire]:
    body = Bodies(file.parent).load(file.name)
    assert body.data is None
    mock = Mock([stub("/file", body=body), stub("/a")])
    return mock, mock.connect()


def test_a_large_file_is_read_as_the_caller_reads(large: Path) -> None:
    mock, wire = file_mock(large)
    wire.transport.room = 1
    wire.send(get("/file"))
    received = wire.received()
    assert len(received) < STREAMED_FROM / 2
    while mock.lane.in_flight:
        wire.transport.drain(1)
        piece = wire.received()
        assert len(piece) < STREAMED_FROM / 2
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % large.stat().st_size in head
    assert body == large.read_bytes()
    wire.transport.drain()
    wire.send(get("/a"))
    assert wire.received().endswith(b"/a")


def test_the_answer_to_head_has_the_file_s_length(large: Path) -> None:
    _, wire = file_mock(large)
    wire.send(get("/file", method="HEAD"))
    assert wire.received() == b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % large.stat().st_size


@pytest.mark.parametrize("what", ["gone", "changed", "link"])
def test_a_file_that_is_not_what_it_was_is_a_500_that_says_so(large: Path, what: str) -> None:
    mock, wire = file_mock(large)
    if what == "changed":
        large.write_bytes(b"x" * large.stat().st_size)
    else:
        moved = large.rename(large.parent / "moved")
        if what == "link":
            large.symlink_to(moved)
    wire.send(get("/file"))
    received = wire.received()
    assert statuses(received) == [500]
    assert b"stub '/file': body file" in received
    (event,) = mock.events()
    assert event.response.status == 500
    assert event.paced is not None
    assert "large.bin" in str(event.paced.failure)
    assert wire.is_open


def test_a_file_that_becomes_shorter_while_it_is_sent_breaks_the_connection(large: Path) -> None:
    mock, wire = file_mock(large)
    wire.transport.room = 1
    wire.send(get("/file"))
    with large.open("r+b") as file:
        file.truncate(10)
    wire.transport.drain()
    assert wire.transport.aborted
    error = exchange_of(mock.events()[0], START).error
    assert error is not None
    assert error.startswith("body: body file")


def test_a_caller_that_leaves_lets_go_of_the_file(large: Path) -> None:
    _, wire = file_mock(large)
    wire.transport.room = 1
    wire.send(get("/file"))
    assert is_open(large)
    wire.leave()
    assert not is_open(large)


def is_open(file: Path) -> bool:
    return str(file) in (str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.exists())


def test_a_recorded_run_has_a_file_s_size_without_its_bytes(large: Path) -> None:
    mock, wire = file_mock(large)
    wire.send(get("/file"))
    mock.loop.advance(S)
    response = exchange_of(mock.events()[0], START).response
    assert response is not None
    assert (response.body, response.size) == (b"", large.stat().st_size)
