"""The journal keeps the latest events and counts all of them."""

from __future__ import annotations

import pytest

from mockforge.model.event import ServeEvent
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse
from mockforge.state.journal import Journal

MS = 1_000_000


def event(number: int = 0, *, stub: str | None = "a", late_ns: int | None = 0) -> ServeEvent:
    return ServeEvent(
        wall_ns=number,
        request=RequestView("GET", f"/{number}"),
        response=RenderedResponse(200, (), b""),
        plan=DelayPlan(0, 20 * MS),
        stub=stub,
        first_byte_ns=None if late_ns is None else 20 * MS + late_ns,
        end_ns=30 * MS,
        in_flight=0,
    )


def test_it_keeps_the_latest_oldest_first_and_counts_all() -> None:
    journal = Journal(limit=3)
    for number in range(10):
        journal.add(event(number))
    assert [each.wall_ns for each in journal.latest()] == [7, 8, 9]
    assert journal.served == 10


def test_misses_and_callers_that_left_are_counted() -> None:
    journal = Journal()
    journal.add(event())
    journal.add(event(stub=None))
    journal.add(event(late_ns=None))
    journal.add(event(stub=None, late_ns=None))
    assert (journal.served, journal.unmatched, journal.callers_left) == (4, 2, 2)


def test_lateness_is_of_what_was_sent_and_in_milliseconds() -> None:
    journal = Journal()
    for late_ns in (MS, 2 * MS, 3 * MS, None):
        journal.add(event(late_ns=late_ns))
    assert journal.lateness_ms.count == 3
    assert journal.lateness_ms.maximum == 3
    assert journal.lateness_ms.quantile(0.5) == pytest.approx(2, rel=0.01)


def test_listeners_hear_every_event_in_order() -> None:
    journal = Journal(limit=1)
    heard: list[tuple[str, int]] = []
    journal.listeners.append(lambda each: heard.append(("first", each.wall_ns)))
    journal.listeners.append(lambda each: heard.append(("second", each.wall_ns)))
    journal.add(event(1))
    journal.add(event(2))
    assert heard == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]
