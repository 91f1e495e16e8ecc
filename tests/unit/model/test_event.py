"""A serve event knows the mock's own error."""

from __future__ import annotations

from mockforge.model.event import ServeEvent
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse


def event(first_byte_ns: int | None, *, caller_left: bool = False) -> ServeEvent:
    return ServeEvent(
        wall_ns=0,
        request=RequestView("GET", "/"),
        response=RenderedResponse(200, (), b""),
        plan=DelayPlan(arrived_ns=1_000, first_byte_ns=3_000),
        stub="a",
        first_byte_ns=first_byte_ns,
        end_ns=5_000,
        in_flight=0,
        caller_left=caller_left,
    )


def test_lateness_is_the_first_byte_behind_its_plan() -> None:
    assert event(3_040).lateness_ns == 40
    assert event(3_040).last_byte_ns == 5_000


def test_an_answer_that_its_caller_did_not_wait_for_is_not_late() -> None:
    assert event(None, caller_left=True).lateness_ns is None
    assert event(None, caller_left=True).last_byte_ns is None


def test_an_answer_that_its_caller_left_in_the_middle_was_as_late_as_it_began() -> None:
    assert event(3_040, caller_left=True).lateness_ns == 40
    assert event(3_040, caller_left=True).last_byte_ns is None
