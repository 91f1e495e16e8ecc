"""What a replay says of itself, and when it says that its figures are its own."""

from __future__ import annotations

import pytest

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.replay.statistics import ReplayStatistics, generator_limit

MS = 1_000_000


def exchange(
    total_ms: float = 10, lag_ms: float | None = 0, *, status: int | None = 200, error: str | None = None
) -> Exchange:
    return Exchange(
        wall_ns=0,
        arrived_ns=0,
        request=Request("GET", "/"),
        response=None if status is None else Response(status),
        total_ns=round(total_ms * MS),
        lateness_ns=None if lag_ms is None else round(lag_ms * MS),
        error=error,
    )


def statistics_of(*exchanges: Exchange) -> ReplayStatistics:
    statistics = ReplayStatistics()
    for one in exchanges:
        statistics.add(one, "GET /")
    return statistics


DROPPED = exchange(0, None, status=None, error="dropped: 2 requests were under way already")


def test_response_and_service_time_differ_by_the_send_lag() -> None:
    one = statistics_of(exchange(10, 4)).by_operation["GET /"]
    assert one.response_ns.quantile(0.5) == pytest.approx(10 * MS, rel=0.01)
    assert one.service_ns.quantile(0.5) == pytest.approx(6 * MS, rel=0.01)


def test_operations_are_counted_apart_and_together() -> None:
    statistics = ReplayStatistics()
    statistics.add(exchange(), "GET /a")
    statistics.add(exchange(status=503), "GET /b")
    statistics.add(exchange(status=None, error="connect: refused"), "GET /b")
    assert (statistics.by_operation["GET /a"].count, statistics.by_operation["GET /a"].errors) == (1, 0)
    assert (statistics.by_operation["GET /b"].count, statistics.by_operation["GET /b"].errors) == (2, 2)
    assert (statistics.overall.count, statistics.overall.errors) == (3, 2)
    assert statistics.failures == {"connect: refused": 1}


def test_a_dropped_request_is_an_error_and_has_no_latency() -> None:
    statistics = statistics_of(exchange(10), DROPPED)
    assert statistics.dropped == 1
    assert statistics.overall.errors == 1
    assert statistics.overall.response_ns.count == 1
    assert statistics.lag_ns.count == 1


@pytest.mark.parametrize(
    ("total_ms", "lag_ms", "limited"),
    [
        (5, 0.9, False),  # below 1 ms
        (5, 1.2, True),
        (100, 4.5, False),  # below 5 % of the median
        (100, 5.5, True),
    ],
)
def test_a_send_lag_that_matters_makes_a_run_generator_limited(
    total_ms: float, lag_ms: float, limited: bool
) -> None:
    limit = generator_limit(statistics_of(*[exchange(total_ms, lag_ms)] * 100))
    assert (limit is not None) is limited
    assert limit is None or limit.startswith("send lag p99")


def test_one_late_request_in_two_hundred_does_not_matter() -> None:
    assert generator_limit(statistics_of(*[exchange()] * 199, exchange(60, 50))) is None


@pytest.mark.parametrize(("dropped", "limited"), [(0, False), (1, False), (2, True)])
def test_more_than_one_drop_in_a_thousand_makes_a_run_generator_limited(dropped: int, limited: bool) -> None:
    limit = generator_limit(statistics_of(*[exchange()] * (1000 - dropped), *[DROPPED] * dropped))
    assert (limit is not None) is limited
    assert limit is None or limit == "2 of 1000 requests were dropped"


def test_a_run_without_requests_is_not_limited_by_anything() -> None:
    assert generator_limit(ReplayStatistics()) is None
