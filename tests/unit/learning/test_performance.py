"""What a capacity fit comes to in a stub file, and what it makes of each exchange."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from numpy.typing import NDArray

from mockforge.learning.capacity_trace import Trace
from mockforge.learning.performance import fit_performance
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.model.service import Timeout
from mockforge.model.stub import Body, ResponseDefinition

MS = 1_000_000


def queued(servers: int, load: float, count: int = 4_000, places: int | None = None, cold: int = 0) -> Trace:
    """First come, first served; lognormal demands of 10 ms; beyond `places` inside, a quick 503.

    The first `cold` ones demand four times as much.
    """
    random = np.random.default_rng(3)
    demands = random.lognormal(np.log(10), 0.5, count) * MS
    arrived = np.cumsum(random.exponential(demands.mean() / servers / load, count))
    demands[:cold] *= 4
    ends: list[float] = []
    inside: list[float] = []
    total, status = np.zeros(count), np.full(count, 200)
    for number in range(count):
        now = arrived[number]
        inside = [end for end in inside if end > now]
        if places is not None and len(inside) >= places:
            total[number], status[number] = 0.3 * MS, 503
            continue
        while len(ends) > servers:
            heapq.heappop(ends)
        start = now if len(ends) < servers else max(now, heapq.heappop(ends))
        heapq.heappush(ends, start + demands[number])
        inside.append(start + demands[number])
        total[number] = start + demands[number] - now
    return trace(arrived, total, status)


def trace(arrived: NDArray[np.float64], total: NDArray[np.float64], status: NDArray[np.int64]) -> Trace:
    count = arrived.size
    return Trace(
        arrived_ns=arrived.astype(np.int64),
        total_ns=total.astype(np.int64),
        ttfb_ns=total.astype(np.int64),
        operation=np.zeros(count, np.int64),
        status=status.astype(np.int64),
        failed=status >= 400,
        aborted=np.zeros(count, np.bool_),
        retry_after_s=np.zeros(0),
    )


def exchange(total_ms: float, ttfb_ms: float) -> Exchange:
    response = Response(200, Headers(), b"{}")
    return Exchange(0, 0, Request("GET", "/"), response, round(total_ms * MS), round(ttfb_ms * MS))


def test_servers_are_found_and_demands_are_without_the_wait() -> None:
    performance = fit_performance(queued(4, 0.85))
    capacity = performance.capacity([])
    assert capacity is not None
    assert (capacity.servers, capacity.discipline) == (4, "fifo")
    assert capacity.recorded_up_to == performance.fit.recorded_up_to.most
    assert float(np.nanmedian(performance.demand_ns)) == pytest.approx(10 * MS, rel=0.05)


def test_an_exchange_is_as_it_would_have_been_alone_and_keeps_its_transfer() -> None:
    performance = fit_performance(queued(4, 0.85))
    number = int(np.nanargmin(performance.demand_ns))
    alone = performance.unloaded(number, exchange(500, 450))
    assert alone is not None
    assert alone.ttfb_ns == int(performance.demand_ns[number])
    assert alone.total_ns - alone.ttfb_ns == 50 * MS


def test_without_load_nothing_is_claimed_and_exchanges_stay_as_they_were() -> None:
    performance = fit_performance(queued(64, 0.05, 1_000))
    capacity = performance.capacity([])
    assert capacity is None or capacity.servers is None
    assert performance.unloaded(5, exchange(20, 10)) == exchange(20, 10)
    assert any("not known" in sentence for sentence in performance.sentences())


def test_what_a_full_queue_turned_away_is_left_to_the_capacity() -> None:
    recorded = queued(4, 1.2, places=12)
    performance = fit_performance(recorded)
    body = Response(503, Headers((("Content-Type", "text/plain"), ("Date", "now"))), b"too busy")
    capacity = performance.capacity([body, body])
    assert capacity is not None
    assert capacity.queue_limit == 8
    assert (capacity.when_full.status, capacity.when_full.headers.pairs) == (
        503,
        (("Content-Type", "text/plain"),),
    )
    assert performance.turned_away.tolist() == (recorded.status == 503).tolist()
    assert performance.unloaded(int(np.flatnonzero(performance.turned_away)[0]), exchange(1, 1)) is None


def test_a_retry_after_that_never_changes_is_kept_and_one_that_does_is_not() -> None:
    performance = fit_performance(queued(4, 1.2, places=12))
    for told, kept in ((("3", "3"), (("Retry-After", "3"),)), (("3", "2"), ())):
        refusals = [Response(503, Headers((("Retry-After", each),)), b"") for each in told]
        capacity = performance.capacity(refusals)
        assert capacity is not None
        assert capacity.when_full.headers.pairs == kept


def timed(load: float, limit_ms: float, *, frees: bool, count: int = 6_000) -> Trace:
    """Three servers in order; who is not done in time gets a 504 then, and its server goes on or is free."""
    random = np.random.default_rng(6)
    demands = random.exponential(10.0, count) * MS
    arrived = np.cumsum(random.exponential(demands.mean() / 3 / load, count))
    free, limit = [0.0] * 3, limit_ms * MS
    total, status = np.zeros(count), np.full(count, 200)
    for number, now in enumerate(arrived.tolist()):
        begin = max(now, free[0])
        end = begin + demands[number]
        if not frees or begin < now + limit:
            heapq.heapreplace(free, min(end, now + limit) if frees else end)
        total[number] = min(end - now, limit)
        status[number] = 504 if end - now > limit else 200
    return trace(arrived, total, status)


@pytest.mark.parametrize(("load", "limit_ms", "frees"), [(0.9, 60, True), (0.8, 60, False)])
def test_timeouts_that_the_station_brings_about_are_left_to_it(
    load: float, limit_ms: float, frees: bool
) -> None:
    recorded = timed(load, limit_ms, frees=frees)
    performance = fit_performance(recorded)
    late = Response(504, Headers((("Date", "now"),)), b"too late")
    capacity = performance.capacity([], [late, late])
    assert capacity is not None
    assert capacity.servers == 3
    assert capacity.timeout == Timeout(limit_ms, ResponseDefinition(504, body=Body("body", "too late")))
    assert performance.timed_out.tolist() == (recorded.status == 504).tolist()
    least = performance.demand_ns[performance.timed_out]
    assert (least <= limit_ms * MS).all()
    assert least.mean() > 10 * MS  # of those that are longer than what is left of the limit


def test_timeouts_that_the_station_does_not_explain_stay_answers_of_their_share() -> None:
    recorded = queued(4, 0.7)
    status, total = recorded.status.copy(), recorded.total_ns.copy()
    status[::50], total[::50] = 504, 300 * MS
    performance = fit_performance(trace(recorded.arrived_ns.astype(float), total.astype(float), status))
    capacity = performance.capacity([])
    assert capacity is not None
    assert capacity.timeout is None
    assert not performance.timed_out.any()


def test_a_station_that_does_not_bring_about_the_timeouts_of_load_is_not_served() -> None:
    performance = fit_performance(timed(1.2, 60, frees=True))
    capacity = performance.capacity([])
    assert capacity is not None
    assert (capacity.servers, capacity.timeout) == (None, None)
    assert "time-outs" in (performance.refused_station or "")


def test_a_cold_start_is_left_to_the_capacity_and_its_demands_are_as_if_warm() -> None:
    performance = fit_performance(queued(4, 0.15, cold=80))
    capacity = performance.capacity([])
    assert capacity is not None
    assert capacity.cold_start is not None
    assert capacity.cold_start.factor == pytest.approx(4, rel=0.2)
    assert capacity.cold_start.requests == 80
    alone = [performance.unloaded(number, exchange(50, 50)) for number in range(80)]
    assert np.median([each.ttfb_ns for each in alone if each and each.ttfb_ns]) == pytest.approx(
        10 * MS, rel=0.25
    )


def test_requests_after_a_pause_are_left_to_the_capacity_too() -> None:
    random = np.random.default_rng(2)
    after = np.arange(2_000) % 100 == 99
    arrived = np.cumsum(np.where(after, 3_000.0, random.exponential(20, 2_000))) * MS
    total = random.lognormal(np.log(10), 0.3, 2_000) * MS * np.where(after, 4, 1)
    performance = fit_performance(trace(arrived, total, np.full(2_000, 200)))
    capacity = performance.capacity([])
    assert capacity is not None
    assert capacity.after_idle is not None
    assert (capacity.after_idle.idle_ms, capacity.after_idle.requests) == (3_000, 1)
    assert capacity.after_idle.factor == pytest.approx(4, rel=0.15)
    alone = performance.unloaded(99, exchange(40, total[99] / MS))
    assert alone is not None
    assert alone.ttfb_ns == pytest.approx(total[99] / capacity.after_idle.factor, rel=0.01)


def test_nothing_makes_it_fail() -> None:
    for count in (0, 1, 5):
        empty = trace(np.arange(count, dtype=np.float64) * 1e6, np.full(count, 1e6), np.full(count, 200))
        performance = fit_performance(empty)
        capacity = performance.capacity([])
        assert capacity is None or capacity.servers is None
        assert performance.sentences()
