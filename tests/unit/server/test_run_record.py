"""What the mock served, as exchanges of a run."""

from __future__ import annotations

from mockforge.model.event import ServeEvent
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse
from mockforge.server.run_record import exchange_of

MS = 1_000_000


def event(
    first_byte_ns: int | None,
    end_ns: int,
    stub: str | None = "POST /orders",
    *,
    caller_left: bool = False,
) -> ServeEvent:
    return ServeEvent(
        wall_ns=1_700_000_000 * 10**9,
        request=RequestView("POST", "/orders?dry=1", [(b"X-Tenant", b"acme")], b"{}"),
        response=RenderedResponse(201, ((b"ETag", b"7"),), b"made"),
        plan=DelayPlan(arrived_ns=500 * MS, first_byte_ns=520 * MS),
        stub=stub,
        first_byte_ns=first_byte_ns,
        end_ns=end_ns,
        in_flight=3,
        caller_left=caller_left,
    )


def test_a_served_request_is_an_exchange_with_the_times_that_were_observed() -> None:
    assert exchange_of(event(521 * MS, 522 * MS), started_ns=400 * MS) == Exchange(
        wall_ns=1_700_000_000 * 10**9,
        arrived_ns=100 * MS,
        request=Request("POST", "/orders?dry=1", Headers((("X-Tenant", "acme"),)), b"{}"),
        response=Response(201, Headers((("ETag", "7"),)), b"made"),
        total_ns=22 * MS,
        ttfb_ns=21 * MS,
        in_flight=3,
        lateness_ns=1 * MS,
        operation="POST /orders",
    )


def test_a_caller_that_left_is_a_failed_exchange_without_an_answer() -> None:
    exchange = exchange_of(event(None, 510 * MS, caller_left=True), started_ns=500 * MS)
    assert exchange.failed
    assert (exchange.response, exchange.error) == (None, "caller: left")
    assert (exchange.arrived_ns, exchange.total_ns) == (0, 10 * MS)
    assert (exchange.ttfb_ns, exchange.lateness_ns) == (None, None)


def test_a_caller_that_left_in_the_middle_of_its_answer_has_seen_its_first_byte() -> None:
    exchange = exchange_of(event(521 * MS, 700 * MS, caller_left=True), started_ns=500 * MS)
    assert exchange.failed
    assert (exchange.response, exchange.error) == (None, "caller: left")
    assert (exchange.total_ns, exchange.ttfb_ns, exchange.lateness_ns) == (200 * MS, 21 * MS, 1 * MS)


def test_a_miss_belongs_to_no_operation() -> None:
    assert exchange_of(event(520 * MS, 520 * MS, stub=None), started_ns=0).operation is None
