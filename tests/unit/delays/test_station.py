"""Stations against queueing theory, against an independent recursion, and step by step."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mockforge.delays.station import QUEUE_FULL, Fifo, LimitedSharing, Sharing, Station
from mockforge.delays.station_simulation import simulate

MS = 1_000_000
Floats = NDArray[np.float64]
Factory = Callable[[], Station]


def poisson(count: int, load: float, seed: int, servers: int = 1) -> tuple[Floats, np.random.Generator]:
    """Arrivals, in units of the mean demand, that keep `servers` busy for the share `load` of the time."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.exponential(1 / (servers * load), count)), rng


def scaled(mean_ms: float, values: Floats) -> NDArray[np.int64]:
    return np.rint(values * mean_ms * MS).astype(np.int64)


def lognormal(rng: np.random.Generator, count: int, sigma: float = 0.6) -> Floats:
    """Demands of mean 1."""
    return rng.lognormal(-(sigma**2) / 2, sigma, count)


def erlang_c(servers: int, load: float) -> float:
    """P(wait) in M/M/c at a load of each server; E[R]/E[S] is then 1 + P(wait) / (c (1 - load))."""
    offered = servers * load
    waiting = offered**servers / math.factorial(servers) / (1 - load)
    return waiting / (sum(offered**n / math.factorial(n) for n in range(servers)) + waiting)


@pytest.mark.parametrize(
    ("servers", "load", "mean"),
    [(1, 0.8, 5.0), (4, 0.5, 1.0870), (4, 0.8, 1.7455), (16, 0.8, 1.0953), (16, 0.95, 1.9752)],
)
def test_fifo_waits_as_long_as_erlang_says(servers: int, load: float, mean: float) -> None:
    count = 150_000
    arrived, rng = poisson(count, load, seed=servers, servers=servers)
    demands = scaled(10, rng.exponential(1.0, count))
    responses = simulate(lambda: Fifo(servers), scaled(10, arrived), demands)
    assert 1 + erlang_c(servers, load) / (servers * (1 - load)) == pytest.approx(mean, abs=5e-5)
    assert responses.mean() / demands.mean() == pytest.approx(mean, rel=0.06)
    waited = np.mean(responses > demands)
    assert waited == pytest.approx(erlang_c(servers, load), abs=0.02)


@pytest.mark.parametrize(
    ("demands_of", "mean"),
    [
        pytest.param(lambda rng, count: np.ones(count), 3.0, id="M/D/1"),
        pytest.param(lognormal, 1 + 0.8 / 0.2 * math.exp(0.36) / 2, id="M/G/1, Pollaczek-Khinchine"),
    ],
)
def test_fifo_with_one_server_depends_on_the_service_law_as_pollaczek_and_khinchine_say(
    demands_of: Callable[[np.random.Generator, int], Floats], mean: float
) -> None:
    count = 150_000
    arrived, rng = poisson(count, 0.8, seed=3)
    demands = scaled(10, demands_of(rng, count))
    responses = simulate(lambda: Fifo(1), scaled(10, arrived), demands)
    assert responses.mean() / demands.mean() == pytest.approx(mean, rel=0.05)


@pytest.mark.parametrize("law", ["exponential", "lognormal"])
def test_sharing_does_not_care_about_the_service_law(law: str) -> None:
    count, load = 120_000, 0.8
    arrived, rng = poisson(count, load, seed=7)
    demands = scaled(10, rng.exponential(1.0, count) if law == "exponential" else lognormal(rng, count))
    responses = simulate(lambda: Sharing([1.0]), scaled(10, arrived), demands)
    assert responses.mean() / demands.mean() == pytest.approx(1 / (1 - load), rel=0.06)
    for lower, upper in [(0.3, 0.5), (0.9, 1.1), (1.8, 2.2)]:
        alike = (demands > lower * 10 * MS) & (demands < upper * 10 * MS)
        slowdown = (responses[alike] / demands[alike]).mean()
        assert slowdown == pytest.approx(1 / (1 - load), rel=0.08), f"E[R|x] = x / (1 - load) near {lower}"


def earliest_starts(arrived: list[int], departed: list[int], servers: int) -> list[int]:
    """When each began: at its arrival, or at the c-th latest departure of those ahead, if that is later."""
    latest: list[int] = []
    starts = []
    for at, end in zip(arrived, departed, strict=True):
        starts.append(at if len(latest) < servers else max(at, latest[0]))
        heapq.heappush(latest, end)
        if len(latest) > servers:
            heapq.heappop(latest)
    return starts


@pytest.mark.parametrize("servers", [1, 4, 16])
def test_fifo_read_backwards_gives_the_demands_that_went_in(servers: int) -> None:
    arrived, rng = poisson(5_000, 0.95, seed=11, servers=servers)
    at, demands = scaled(10, arrived), scaled(10, rng.exponential(1.0, 5_000))
    departed = at + simulate(lambda: Fifo(servers), at, demands)
    starts = earliest_starts(at.tolist(), departed.astype(np.int64).tolist(), servers)
    assert (departed - np.array(starts) == demands).all()


STATIONS: dict[str, Factory] = {
    "fifo of one": lambda: Fifo(1),
    "fifo of four": lambda: Fifo(4),
    "all at once": lambda: Fifo(None),
    "shared": lambda: Sharing([1.0]),
    "shared, with a curve": lambda: Sharing([1, 1.4, 1.7, 1.6]),
    "three share": lambda: LimitedSharing([1.0], 3),
}


@pytest.mark.parametrize("station", STATIONS.values(), ids=STATIONS)
def test_littles_law_holds_to_counting_precision(station: Factory) -> None:
    arrived, rng = poisson(3_000, 0.9, seed=13)
    at, demands = scaled(10, arrived).tolist(), scaled(10, rng.exponential(1.0, 3_000)).tolist()
    running, area, spent, last = station(), 0, 0, 0
    for job, now in enumerate([*at, None]):
        while (due := running.next_ns()) is not None and (now is None or due <= now):
            inside = running.in_flight
            ended = running.advance(due)
            area += inside * (due - last)
            last = due
            spent += sum(end - at[number] for end, number in ended)
            assert running.in_flight == inside - len(ended)
        if now is not None:
            area += running.in_flight * (now - last)
            last = now
            assert running.arrive(now, demands[job], job) is None
    assert running.in_flight == 0
    assert area == spent


def busy_ends(at: NDArray[np.int64], responses: Floats) -> list[int]:
    """When the last job of each busy time ends."""
    ends, latest = [], 0
    for arrived, ended in zip(at.tolist(), (at + responses).tolist(), strict=True):
        if latest and arrived >= latest:
            ends.append(latest)
        latest = max(latest, ended)
    return [*ends, latest]


def test_one_server_is_done_with_the_work_at_the_same_times_in_whatever_order_it_works() -> None:
    arrived, rng = poisson(4_000, 0.8, seed=17)
    at, demands = scaled(10, arrived), scaled(10, rng.exponential(1.0, 4_000))
    fifo, shared, some = (
        busy_ends(at, simulate(station, at, demands))
        for station in (lambda: Fifo(1), lambda: Sharing([1.0]), lambda: LimitedSharing([1.0], 3))
    )
    assert len(fifo) > 100
    assert np.abs(np.array(shared) - fifo).max() <= 1
    assert np.abs(np.array(some) - fifo).max() <= 1


def shared_one_by_one(at: list[int], demands: list[int], servers: int) -> Floats:
    """Response times where n jobs get min(n, c) / n each: all that is left is worked out at every event."""
    left: dict[int, float] = {}
    responses, now, job = np.zeros(len(at)), 0.0, 0
    while left or job < len(at):
        pace = min(1.0, servers / len(left)) if left else 1.0
        first = min(left, key=left.__getitem__, default=None)
        ends = math.inf if first is None else now + left[first] / pace
        upto = min(ends, at[job]) if job < len(at) else ends
        left = {each: rest - (upto - now) * pace for each, rest in left.items()}
        now = upto
        if now == ends and first is not None:
            del left[first]
            responses[first] = now - at[first]
        else:
            left[job] = demands[job]
            job += 1
    return responses


@pytest.mark.parametrize("servers", [1, 2, 5])
def test_sharing_by_a_rising_curve_is_as_many_shared_servers(servers: int) -> None:
    arrived, rng = poisson(500, 0.95, seed=19, servers=servers)
    at, demands = scaled(10, arrived), scaled(10, lognormal(rng, 500))
    expected = shared_one_by_one(at.tolist(), demands.tolist(), servers)
    responses = simulate(lambda: Sharing(list(range(1, servers + 1))), at, demands)
    assert np.abs(responses - expected).max() <= 1


def test_a_job_alone_takes_its_demand_to_the_nanosecond() -> None:
    for station in (Fifo(1), Sharing([1.0]), LimitedSharing([1.0, 1.5], 2)):
        late = 10**17 + 1
        station.arrive(late, 12_345_679, "a")
        assert station.next_ns() == late + 12_345_679
        assert station.advance(late + 12_345_678) == []
        assert station.advance(late + 12_345_679) == [(late + 12_345_679, "a")]
        assert station.next_ns() is None


def test_two_that_share_one_server_take_twice_as_long_until_one_is_done() -> None:
    station = Sharing([1.0])
    station.arrive(0, 10 * MS, "short")
    station.arrive(0, 30 * MS, "long")
    assert station.advance(100 * MS) == [(20 * MS, "short"), (40 * MS, "long")]


def test_those_beyond_the_most_wait_in_the_order_in_which_they_came() -> None:
    station = LimitedSharing([1.0], 2)
    for job in "abcd":
        station.arrive(0, 10 * MS, job)
    assert (station.in_flight, station.waiting) == (4, 2)
    assert station.advance(20 * MS) == [(20 * MS, "a"), (20 * MS, "b")]
    assert station.waiting == 0
    assert station.advance(40 * MS) == [(40 * MS, "c"), (40 * MS, "d")]


def test_a_full_queue_refuses_and_counts_only_those_that_wait() -> None:
    station = Fifo(2, queue_limit=1)
    assert [station.arrive(0, 10 * MS, job) for job in "abcd"] == [None, None, None, QUEUE_FULL]
    assert station.arrive(10 * MS, 10 * MS, "e") is None, "places are free again"
    assert station.in_flight == 2


def test_sharing_refuses_at_its_most_in_progress() -> None:
    station = Sharing([1.0], queue_limit=2)
    assert [station.arrive(0, 10 * MS, job) for job in "abc"] == [None, None, QUEUE_FULL]
    assert station.waiting == 0


@pytest.mark.parametrize("station", [Fifo(1), LimitedSharing([1.0], 1)], ids=["fifo", "limited sharing"])
def test_one_that_leaves_frees_its_place_at_once(station: Station) -> None:
    for job in "abc":
        station.arrive(0, 10 * MS, job)
    station.leave(2 * MS, "b")
    assert station.in_flight == 2
    station.leave(4 * MS, "a")
    assert station.advance(100 * MS) == [(14 * MS, "c")]
    station.leave(100 * MS, "c")
    assert station.next_ns() is None


def test_the_others_go_on_faster_when_one_that_shared_leaves() -> None:
    station = Sharing([1.0])
    station.arrive(0, 10 * MS, "a")
    station.arrive(0, 1000 * MS, "b")
    station.leave(10 * MS, "b")
    assert station.advance(100 * MS) == [(15 * MS, "a")]


def test_one_that_comes_back_after_it_left_is_a_new_job() -> None:
    for station in (Fifo(1), Sharing([1.0])):
        station.arrive(0, 10 * MS, "a")
        station.leave(1 * MS, "a")
        station.arrive(2 * MS, 20 * MS, "a")
        assert station.advance(100 * MS) == [(22 * MS, "a")]


@pytest.mark.parametrize("station", STATIONS.values(), ids=STATIONS)
def test_callers_that_always_leave_do_not_pile_up(station: Factory) -> None:
    running = station()
    running.arrive(0, 10**15, "stays")
    for number in range(5_000):
        running.arrive(number, 10**15, number)
        running.leave(number, number)
    assert running.in_flight == 1
    assert len(running._heap) < 200  # type: ignore[attr-defined]


def test_what_completed_before_an_arrival_is_kept_for_whoever_asks_next() -> None:
    station = Fifo(1)
    station.arrive(0, 10 * MS, "a")
    station.arrive(50 * MS, 10 * MS, "b")
    assert station.next_ns() == 10 * MS
    assert station.advance(50 * MS) == [(10 * MS, "a")]
    assert station.next_ns() == 60 * MS


def test_a_curve_that_does_not_let_anything_complete_is_refused() -> None:
    for curve in ([], [1.0, 0.0], [1.0, -1.0]):
        with pytest.raises(ValueError, match="values above 0"):
            Sharing(curve)
