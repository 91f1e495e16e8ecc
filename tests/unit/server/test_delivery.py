"""Answers leave when they are due, in order, and no faster than their caller reads."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from mockforge.engine import Decision
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse
from mockforge.server.delivery import Outbox
from mockforge.server.wire import CLOSES, KEEPS_ALIVE
from tests.unit.server.harness import MS, START, Mock, Transport, bodies, get, statuses

LARGE = 3_000_000


class Box:
    """An outbox on a transport, without a protocol; answers are named by their targets."""

    def __init__(self, mock: Mock | None = None) -> None:
        self.mock = mock or Mock()
        self.transport = Transport()
        self.drained = 0
        self.outbox = Outbox(self.mock.lane, self.mock.loop, self.transport, self._on_drained)  # type: ignore[arg-type]
        self.transport.protocol = self  # type: ignore[assignment]

    def _on_drained(self) -> None:
        self.drained += 1

    def pause_writing(self) -> None:
        self.outbox.pause()

    def resume_writing(self) -> None:
        self.outbox.resume()

    def answer(
        self, name: str, delay_ms: int = 0, *, size: int | None = None, method: str = "GET", **ending: bytes
    ) -> int:
        now_ns = self.mock.clock.now_ns()
        body = name.encode() if size is None else b"x" * size
        plan = DelayPlan(now_ns, now_ns + delay_ms * MS)
        decision = Decision(name, RenderedResponse(200, (), body), plan)
        return self.outbox.answer(RequestView(method, name), decision, **ending)

    def received(self) -> bytes:
        data = b"".join(self.transport.written)
        self.transport.written.clear()
        return data


# When


def test_what_is_due_on_arrival_leaves_at_once() -> None:
    box = Box()
    assert box.answer("a") == 0
    assert box.received() == b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
    (event,) = box.mock.events()
    assert (event.first_byte_ns, event.last_byte_ns, event.lateness_ns) == (START, START, 0)
    assert (event.stub, event.in_flight, event.caller_left) == ("a", 0, False)


def test_a_delayed_answer_leaves_at_its_due_time_and_not_before() -> None:
    box = Box()
    assert box.answer("slow", 20) == 1
    box.mock.loop.advance(20 * MS - 1)
    assert box.received() == b""
    box.mock.loop.advance(1)
    assert bodies(box.received()) == [b"slow"]
    assert box.mock.served() == [("slow", 20, 20)]
    assert (box.outbox.owed, box.drained, box.mock.lane.in_flight) == (0, 1, 0)


def test_an_answer_that_is_overdue_when_it_is_decided_leaves_at_once_and_is_late() -> None:
    box = Box()
    arrived_ns = box.mock.clock.now_ns()
    box.mock.clock.advance(5 * MS)
    plan = DelayPlan(arrived_ns, arrived_ns + 2 * MS)
    box.outbox.answer(RequestView("GET", "a"), Decision("a", RenderedResponse(200, (), b""), plan))
    assert box.mock.events()[0].lateness_ns == 3 * MS


@pytest.mark.parametrize("ending", [CLOSES, KEEPS_ALIVE])
@pytest.mark.parametrize("delay_ms", [0, 20])
def test_the_head_says_what_becomes_of_the_connection(ending: bytes, delay_ms: int) -> None:
    box = Box()
    box.answer("a", delay_ms, ending=ending)
    box.mock.advance(delay_ms)
    assert box.received() == b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + ending + b"a"


@pytest.mark.parametrize("size", [1, LARGE])
def test_the_answer_to_head_has_the_length_and_no_body(size: int) -> None:
    box = Box()
    box.answer("a", size=size, method="HEAD")
    assert box.received() == b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size


# In order


def test_a_faster_answer_waits_for_a_slower_one_ahead_and_is_not_late() -> None:
    box = Box()
    assert [box.answer("slow", 20), box.answer("fast", 5), box.answer("at once")] == [1, 2, 3]
    box.mock.advance(19)
    assert box.received() == b""
    box.mock.advance(1)
    assert bodies(box.received()) == [b"slow", b"fast", b"at once"]
    assert box.mock.served() == [("slow", 20, 20), ("fast", 20, 20), ("at once", 20, 20)]
    assert box.drained == 1


def test_an_answer_behind_a_faster_one_keeps_its_own_time() -> None:
    box = Box()
    box.answer("fast", 5)
    box.answer("slow", 20)
    box.mock.advance(5)
    assert bodies(box.received()) == [b"fast"]
    box.mock.advance(15)
    assert bodies(box.received()) == [b"slow"]
    assert [event.lateness_ns for event in box.mock.events()] == [0, 0]


def test_in_flight_counts_the_others_under_way_on_all_connections() -> None:
    mock = Mock()
    one, other = Box(mock), Box(mock)
    one.answer("1", 20)
    other.answer("2", 10)
    one.answer("3")
    mock.advance(50)
    one.answer("4")
    assert {event.request.target: event.in_flight for event in mock.events()} == {
        "1": 0,
        "2": 1,
        "3": 2,
        "4": 0,
    }


def test_what_is_deferred_waits_for_its_turn_and_holds_up_what_follows() -> None:
    box = Box()
    started: list[int] = []

    def start() -> bool:
        started.append(box.mock.clock.now_ns())
        return False

    box.answer("slow", 20)
    box.outbox.defer(start)
    box.answer("behind")
    assert started == []
    box.mock.advance(30)
    assert started == [START + 20 * MS]
    assert bodies(box.received()) == [b"slow"]
    box.outbox.resume()
    assert len(started) == 1
    box.outbox.finished()
    assert bodies(box.received()) == [b"behind"]
    assert box.mock.served() == [("slow", 20, 20), ("behind", 30, 30)]


def test_what_is_deferred_and_done_at_once_holds_up_nothing() -> None:
    box = Box()
    box.outbox.defer(lambda: True)
    assert (box.outbox.owed, box.drained) == (0, 1)


def test_thousands_of_turns_may_come_at_once() -> None:
    box = Box()
    box.answer("slow", 20)
    for number in range(5_000):
        if number % 2:
            box.answer("fast")
        else:
            box.outbox.defer(lambda: True)
    box.mock.advance(20)
    assert len(bodies(box.received())) == 2_501
    assert box.outbox.owed == 0


def test_an_ending_can_still_be_given_to_the_last_answer_while_it_waits() -> None:
    box = Box()
    box.outbox.end_with(CLOSES)
    box.answer("1", 10)
    box.answer("2", 20)
    box.outbox.end_with(CLOSES)
    box.mock.advance(20)
    assert [b"Connection: close" in part for part in box.received().split(b"HTTP/1.1 ")[1:]] == [False, True]


# No faster than it is read


def test_a_large_body_goes_out_as_the_caller_reads_it() -> None:
    box = Box()
    box.transport.room = 100_000
    assert box.answer("large", size=LARGE) == 1
    received = box.received()
    assert len(received) < 600_000
    while box.outbox.owed:
        box.mock.advance(1)
        box.transport.drain(100_000)
        piece = box.received()
        assert 0 < len(piece) < 600_000
        received += piece
    assert received == b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * LARGE
    (event,) = box.mock.events()
    assert event.first_byte_ns == START
    assert event.last_byte_ns is not None
    assert event.last_byte_ns > START
    assert event.lateness_ns == 0


def test_a_large_body_to_a_fast_reader_lets_others_have_their_turn() -> None:
    box = Box()
    box.answer("large", size=LARGE)
    assert len(box.received()) < LARGE / 2
    assert box.outbox.owed == 1
    box.mock.advance(0)
    box.answer("behind")
    assert len(box.received()) > LARGE / 2
    assert [event.stub for event in box.mock.events()] == ["large", "behind"]


def test_nothing_is_sent_to_a_caller_that_does_not_read_and_it_is_not_late_for_that() -> None:
    box = Box()
    box.transport.room = 0
    box.answer("1")
    assert box.answer("2") == 1
    box.answer("3", 5)
    assert bodies(box.received()) == [b"1"]
    box.mock.advance(30)
    assert box.received() == b""
    box.transport.drain()
    assert bodies(box.received()) == [b"2", b"3"]
    assert box.mock.served() == [("1", 0, 0), ("2", 30, 30), ("3", 30, 30)]


# Callers that leave, and connections that break


def test_a_caller_that_leaves_is_an_event_and_frees_its_place() -> None:
    box = Box()
    box.answer("slow", 20)
    box.answer("behind")
    box.mock.advance(5)
    box.outbox.abandon()
    assert box.mock.lane.in_flight == 0
    box.mock.advance(100)
    assert box.received() == b""
    left = box.mock.events()
    assert [(event.stub, event.first_byte_ns, event.end_ns) for event in left] == [
        ("slow", None, START + 5 * MS),
        ("behind", None, START + 5 * MS),
    ]
    assert [event.plan.first_byte_ns for event in left] == [START + 20 * MS, START]
    assert box.mock.journal.callers_left == 2
    assert box.drained == 0


def test_a_caller_that_leaves_in_the_middle_of_a_body_has_seen_its_begin() -> None:
    box = Box()
    box.transport.room = 0
    box.answer("large", size=LARGE)
    box.mock.advance(7)
    box.outbox.abandon()
    (event,) = box.mock.events()
    assert (event.first_byte_ns, event.last_byte_ns, event.end_ns) == (START, None, START + 7 * MS)
    assert event.caller_left
    assert event.lateness_ns == 0
    assert box.mock.lane.in_flight == 0


def test_an_application_that_ends_after_its_caller_left_disturbs_nothing() -> None:
    box = Box()
    box.outbox.defer(lambda: False)
    box.outbox.abandon()
    box.outbox.finished()
    assert box.outbox.owed == 0


def test_an_answer_whose_write_fails_was_left_by_its_caller() -> None:
    box = Box()
    box.answer("slow", 20)
    box.transport.write = lambda data: box.transport.close()  # type: ignore[method-assign]
    box.mock.advance(20)
    (event,) = box.mock.events()
    assert event.caller_left
    assert event.first_byte_ns == START + 20 * MS


def test_a_connection_that_breaks_never_stops_the_timer_for_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    mock = Mock()
    boxes = [Box(mock) for _ in range(5)]
    for box in boxes:
        box.answer("slow", 20)
    boxes[2].transport.broken = RuntimeError("this transport is broken")
    with caplog.at_level(logging.ERROR):
        mock.advance(20)
    assert [bodies(box.received()) for box in boxes] == [[b"slow"], [b"slow"], [], [b"slow"], [b"slow"]]
    assert [box.transport.aborted for box in boxes] == [False, False, True, False, False]
    assert "this transport is broken" in caplog.text
    boxes[2].outbox.abandon()
    assert mock.lane.in_flight == 0
    assert mock.journal.callers_left == 1


@pytest.mark.parametrize("leave", [Outbox.abandon, lambda outbox: None], ids=["left", "stayed"])
def test_every_request_that_was_decided_is_one_event(leave: Callable[[Outbox], None]) -> None:
    box = Box()
    for number in range(20):
        box.answer(str(number), number % 7)
    box.mock.advance(3)
    leave(box.outbox)
    box.mock.advance(100)
    assert sorted(int(event.request.target) for event in box.mock.events()) == list(range(20))
    assert box.mock.lane.in_flight == 0


def test_a_stub_that_never_has_a_body_sends_none() -> None:
    wire = Mock().connect()
    wire.send(get("/empty"), get("/unchanged"), get("/a"))
    data = wire.received()
    assert statuses(data) == [204, 304, 200]
    assert bodies(data) == [b"", b"", b"/a"]
    assert data.count(b"Content-Length") == 1
