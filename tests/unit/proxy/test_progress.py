"""From monotonic times under way to the durations of an Exchange."""

from __future__ import annotations

from mockforge.clock import ManualClock
from mockforge.model.exchange import Request, Response
from mockforge.proxy.progress import ExchangeInProgress, RunStart

REQUEST = Request("GET", "/")
START = RunStart(now_ns=1_000, wall_ns=50_000)


def test_all_times_count_from_the_arrival_and_the_arrival_from_the_start() -> None:
    under_way = ExchangeInProgress(REQUEST, arrived_ns=1_700, in_flight=2, connection_id=5)
    under_way.first_byte_ns = 1_900
    under_way.connect_ns = 33
    exchange = under_way.ended(START, 2_000, Response(200))
    assert exchange.arrived_ns == 700
    assert exchange.wall_ns == 50_700
    assert exchange.ttfb_ns == 200
    assert exchange.total_ns == 300
    assert exchange.connect_ns == 33
    assert (exchange.in_flight, exchange.connection_id) == (2, 5)
    assert exchange.error is None
    assert exchange.lateness_ns is None


def test_an_exchange_of_which_nothing_was_sent_has_no_first_byte() -> None:
    exchange = ExchangeInProgress(REQUEST, 1_700, 0, 1).ended(START, 1_800, None, "caller: left")
    assert exchange.ttfb_ns is None
    assert exchange.response is None
    assert exchange.failed
    assert exchange.total_ns == 100


def test_a_run_starts_on_both_clocks_at_once() -> None:
    assert RunStart.of(ManualClock(77)) == RunStart(77, 77)
