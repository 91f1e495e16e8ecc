"""Time limits: who is late, by closed forms, and what becomes of the places."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mockforge.delays.station import QUEUE_FULL, Fifo, Sharing
from mockforge.delays.station_simulation import simulate
from mockforge.delays.time_limit import TimeLimited

MS = 1_000_000
COUNT = 60_000


def late_share(load: float, limit: float, *, frees: bool, servers: int | None = 1) -> float:
    """Of Poisson arrivals with exponential demands of 10 ms; `limit` in demands."""
    random = np.random.default_rng(4)
    arrived = np.cumsum(random.exponential(10 * MS / load, COUNT))
    demands = random.exponential(10 * MS, COUNT)
    limit_ns = round(limit * 10 * MS)
    took = simulate(lambda: TimeLimited(Fifo(servers), limit_ns, frees=frees), arrived, demands)
    return float(np.isnan(took).mean())


@pytest.mark.parametrize(("load", "limit"), [(0.5, 2.0), (0.8, 5.0)])
def test_where_places_are_kept_as_many_are_late_as_would_have_stayed_longer(
    load: float, limit: float
) -> None:
    """In M/M/1 a stay is exponential at rate μ - λ, and who is late holds up the others no less."""
    assert late_share(load, limit, frees=False) == pytest.approx(math.exp(-(1 - load) * limit), rel=0.12)


@pytest.mark.parametrize(("load", "limit"), [(0.8, 3.0), (1.3, 3.0), (2.0, 6.0)])
def test_where_places_are_freed_the_work_is_that_of_a_dam_that_runs_over(load: float, limit: float) -> None:
    """The work that waits is cut at the limit: a finite dam, whose law is the endless one's below it (Cohen,
    The Single Server Queue, III.5). With it P(late) = (1 - ρ) e^-aT / (1 - ρ e^-aT), a = μ - λ, at any ρ."""
    decay = math.exp(-(1 - load) * limit)
    assert late_share(load, limit, frees=True) == pytest.approx(
        (1 - load) * decay / (1 - load * decay), rel=0.05
    )


def test_beyond_capacity_nearly_all_are_late_unless_places_are_freed() -> None:
    assert late_share(1.3, 5.0, frees=False) > 0.95
    assert late_share(1.3, 5.0, frees=True) < 0.35


def test_with_nothing_to_wait_for_those_are_late_that_ask_for_too_much() -> None:
    assert late_share(0.5, 3.0, frees=False, servers=None) == pytest.approx(math.exp(-3.0), rel=0.05)


def test_one_that_is_late_is_given_at_its_limit_and_its_place_is_kept_or_freed() -> None:
    for frees, done, late in ((False, [], [(45 * MS, "next")]), (True, [(45 * MS, "next")], [])):
        station = TimeLimited(Fifo(1), 25 * MS, frees=frees)
        station.arrive(0, 40 * MS, "late")
        station.arrive(20 * MS, 20 * MS, "next")
        assert station.next_ns() == 25 * MS
        assert (station.advance(25 * MS), station.expired(25 * MS)) == ([], [(25 * MS, "late")])
        assert station.in_flight == (1 if frees else 2)
        assert (station.advance(100 * MS), station.expired(100 * MS)) == (done, late)


def test_one_that_is_done_just_in_time_is_in_time() -> None:
    station = TimeLimited(Fifo(1), 10 * MS, frees=True)
    station.arrive(0, 10 * MS, "a")
    assert station.advance(10 * MS) == [(10 * MS, "a")]
    assert station.expired(10 * MS) == []
    assert station.next_ns() is None


def test_time_after_the_station_counts() -> None:
    station = TimeLimited(Fifo(1), 30 * MS, frees=False)
    station.arrive(0, 20 * MS, "a", after_ns=15 * MS)
    assert station.expired(30 * MS) == [(15 * MS, "a")]


def test_one_that_left_is_not_late() -> None:
    station = TimeLimited(Sharing([1.0]), 50 * MS, frees=True)
    station.arrive(0, 60 * MS, "left")
    station.arrive(0, 20 * MS, "stays")
    station.leave(20 * MS, "left")
    assert station.advance(100 * MS) == [(30 * MS, "stays")]
    assert station.expired(100 * MS) == []


def test_the_same_job_may_come_again_while_its_place_is_kept() -> None:
    station = TimeLimited(Fifo(1), 10 * MS, frees=False)
    station.arrive(0, 15 * MS, "a")
    assert station.expired(10 * MS) == [(10 * MS, "a")]
    station.arrive(10 * MS, 4 * MS, "a")
    assert station.advance(50 * MS) == [(19 * MS, "a")]


def test_a_full_queue_refuses_as_without_a_limit() -> None:
    station = TimeLimited(Fifo(1, queue_limit=0), 10 * MS, frees=False)
    assert [station.arrive(0, 20 * MS, job) for job in "ab"] == [None, QUEUE_FULL]
    assert station.arrive(15 * MS, 20 * MS, "c") is QUEUE_FULL  # the place is kept
