"""The journal keeps the latest events and counts all of them."""

from __future__ import annotations

from uuid import UUID

import pytest

from mockforge.model.event import Forwarded, ServeEvent, SubEvent
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse
from mockforge.state.journal import DROPPED_AT_ONCE, Journal

MS = 1_000_000


def event(
    number: int = 0, *, stub: str | None = "a", late_ns: int | None = 0, body: bytes = b""
) -> ServeEvent:
    return ServeEvent(
        wall_ns=number,
        request=RequestView("GET", f"/{number}", body=body),
        response=RenderedResponse(200, (), b""),
        plan=DelayPlan(0, 20 * MS),
        stub=stub,
        first_byte_ns=None if late_ns is None else 20 * MS + late_ns,
        end_ns=30 * MS,
        in_flight=0,
        caller_left=late_ns is None,
    )


@pytest.mark.parametrize("count", [0, 1, 1_000, 1_001, DROPPED_AT_ONCE * 7 + 3])
def test_it_keeps_the_latest_oldest_first_and_counts_all(count: int) -> None:
    journal = Journal(limit=1_000)
    for number in range(count):
        journal.add(event(number))
    kept = [each.wall_ns for each in journal.latest()]
    assert kept == list(range(count - len(kept), count))
    assert min(count, 1_000) <= len(kept) < 1_000 + DROPPED_AT_ONCE
    assert (journal.served, journal.evicted) == (count, count - len(kept))


def test_a_count_is_up_to_date_whenever_it_is_read() -> None:
    journal = Journal(limit=10)
    for number in range(1, 50):
        journal.add(event(number, stub=None))
        assert (journal.served, journal.unmatched, journal.lateness.total_ms.count) == (number,) * 3
        assert journal.latest()[-1].wall_ns == number
    assert 10 <= len(journal.latest()) < 10 + DROPPED_AT_ONCE


def test_large_bodies_push_older_events_out_and_give_their_room_back() -> None:
    journal = Journal(limit=1_000, most_bytes=10_000_000)
    for number in range(100):
        journal.add(event(number, body=b"x" * 400_000))
    kept = [each.wall_ns for each in journal.latest()]
    assert kept == list(range(100 - len(kept), 100))
    assert len(kept) == 25
    for number in range(3_000):
        journal.add(event(number))
    assert len(journal.latest()) >= 1_000
    assert journal.evicted + len(journal.latest()) == journal.served == 3_100


def test_a_body_beyond_all_bounds_is_counted_and_not_kept() -> None:
    journal = Journal(most_bytes=10_000)
    journal.add(event(body=b"x" * 20_000))
    assert (journal.served, journal.evicted, journal.latest()) == (1, 1, [])


def test_misses_and_callers_that_left_are_counted() -> None:
    journal = Journal()
    journal.add(event())
    journal.add(event(stub=None))
    journal.add(event(late_ns=None))
    journal.add(event(stub=None, late_ns=None))
    journal.add(event(late_ns=None))
    assert (journal.served, journal.unmatched, journal.callers_left) == (5, 2, 3)


def test_lateness_is_of_what_was_sent_and_in_milliseconds() -> None:
    journal = Journal()
    for late_ns in (MS, 2 * MS, 3 * MS, None):
        journal.add(event(late_ns=late_ns))
    assert journal.lateness.total_ms.count == 3
    assert journal.lateness.total_ms.maximum == pytest.approx(3, rel=0.01)
    assert journal.lateness.total_ms.quantile(0.5) == pytest.approx(2, rel=0.01)


def test_listeners_hear_every_event_in_order() -> None:
    journal = Journal(limit=1)
    heard: list[tuple[str, int]] = []
    journal.listeners.append(lambda each: heard.append(("first", each.wall_ns)))
    journal.listeners.append(lambda each: heard.append(("second", each.wall_ns)))
    journal.add(event(1))
    journal.add(event(2))
    assert heard == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]


def test_entries_have_ids_that_lead_back_to_them() -> None:
    journal = Journal(limit=10)
    for number in range(30):
        journal.add(event(number))
    entries = journal.entries()
    assert [entry.event for entry in entries] == journal.latest()
    assert len({entry.id for entry in entries}) == len(entries)
    assert all(journal.find(entry.id) == entry for entry in entries)
    assert UUID(entries[0].id).version == 8


def test_an_evicted_or_foreign_id_finds_nothing() -> None:
    journal, other = Journal(limit=10), Journal()
    journal.add(event(0))
    (first,) = journal.entries()
    other.add(event(5))
    assert journal.find(other.entries()[0].id) is None
    for number in range(1, 100):
        journal.add(event(number))
    assert journal.find(first.id) is None


def test_removed_entries_are_left_out_and_stay_counted() -> None:
    journal = Journal(limit=100)
    for number in range(5):
        journal.add(event(number))
    removed = journal.entries()[2]
    journal.remove([removed.number, 99])
    assert [each.wall_ns for each in journal.latest()] == [0, 1, 3, 4]
    assert journal.find(removed.id) is None
    assert journal.served == 5
    for number in range(5, 300):
        journal.add(event(number))
    assert journal.latest()[-1].wall_ns == 299


def test_a_cleared_journal_is_empty_and_misses_nothing_and_its_counts_go_on() -> None:
    journal = Journal(limit=10)
    for number in range(100):
        journal.add(event(number, stub=None, body=b"x"))
    assert journal.missing == journal.evicted > 0
    before = {entry.id for entry in journal.entries()}
    journal.clear()
    assert (journal.latest(), journal.missing, journal.served) == ([], 0, 100)
    journal.add(event(7))
    assert (journal.served, journal.unmatched, len(journal.latest())) == (101, 100, 1)
    assert journal.entries()[0].id not in before


def forwarded(body: bytes) -> ServeEvent:
    response = RenderedResponse(200, (), body)
    told = Forwarded("http://real", 1, body_bytes=len(body))
    return ServeEvent(1, RequestView("GET", "/"), response, DelayPlan(1, 2), None, 3, 4, 0, False, told)


def test_bodies_of_proxied_answers_count_towards_the_bound() -> None:
    journal = Journal(limit=1_000, most_bytes=100_000)
    for _ in range(20):
        journal.add_apart(forwarded(b"x" * 10_000))
    assert len(journal.latest()) == 10
    assert journal.evicted == 10


def test_what_happened_after_an_event_goes_with_it() -> None:
    journal = Journal(limit=1_000, most_bytes=100_000)
    journal.add_apart(forwarded(b"x"))
    journal.note(0, SubEvent("ERROR", 5, "first"))
    journal.note(0, SubEvent("ERROR", 6, "y" * 60_000))
    journal.note(7, SubEvent("ERROR", 5, "of an event that is not there"))
    assert [note.offset_ns for note in journal.notes(0)] == [5, 6]
    assert journal.notes(7) == ()
    journal.add_apart(forwarded(b"x" * 60_000))
    assert journal.evicted == 1
    assert journal.notes(0) == ()
    journal.add_apart(forwarded(b"x" * 39_000))
    assert len(journal.latest()) == 2, "what went with the first event takes no room any more"
    journal.note(1, SubEvent("ERROR", 5, "second"))
    journal.clear()
    assert journal.notes(1) == ()


def test_what_is_missing_of_the_events_from_a_number_on() -> None:
    journal = Journal(limit=100)
    for number in range(10):
        journal.add(event(number))
    journal.clear()
    for number in range(50):
        journal.add(event(number))
    start = journal.served
    for number in range(200):
        journal.add(event(number))
    gone = journal.missing
    assert gone > 50
    assert journal.missing_since(0) == gone
    assert journal.missing_since(start) == max(0, gone - 50)
    assert journal.missing_since(journal.served) == 0
