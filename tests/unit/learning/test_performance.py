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

MS = 1_000_000


def queued(servers: int, load: float, count: int = 4_000, places: int | None = None) -> Trace:
    """First come, first served; lognormal demands of 10 ms; beyond `places` inside, a quick 503."""
    random = np.random.default_rng(3)
    demands = random.lognormal(np.log(10), 0.5, count) * MS
    arrived = np.cumsum(random.exponential(demands.mean() / servers / load, count))
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


def test_nothing_makes_it_fail() -> None:
    for count in (0, 1, 5):
        empty = trace(np.arange(count, dtype=np.float64) * 1e6, np.full(count, 1e6), np.full(count, 200))
        performance = fit_performance(empty)
        capacity = performance.capacity([])
        assert capacity is None or capacity.servers is None
        assert performance.sentences()
