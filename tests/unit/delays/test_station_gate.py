"""A gate lets one job through each gap, and delays nobody by more than that."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from mockforge.delays.station import QUEUE_FULL, Fifo
from mockforge.delays.station_gate import Gate
from mockforge.delays.station_of import station_of
from mockforge.delays.station_simulation import simulate
from mockforge.model.service import Capacity

MS = 1_000_000


def test_jobs_that_come_together_pass_one_gap_apart_and_take_their_own_time_behind() -> None:
    gate = Gate(Fifo(None), 10 * MS)
    for job in range(3):
        assert gate.arrive(0, 2 * MS, job) is None
    assert (gate.in_flight, gate.waiting) == (3, 2)
    assert gate.advance(100 * MS) == [(2 * MS, 0), (12 * MS, 1), (22 * MS, 2)]
    assert gate.in_flight == 0
    assert gate.next_ns() is None


def test_a_job_soon_after_one_that_is_done_waits_for_the_gate() -> None:
    gate = Gate(Fifo(None), 10 * MS)
    gate.arrive(0, 1 * MS, "first")
    assert gate.advance(4 * MS) == [(1 * MS, "first")]
    gate.arrive(4 * MS, 1 * MS, "second")
    assert gate.advance(20 * MS) == [(11 * MS, "second")]
    gate.arrive(30 * MS, 1 * MS, "after a quiet time")
    assert gate.advance(40 * MS) == [(31 * MS, "after a quiet time")]


def test_it_is_woken_when_a_job_passes_and_when_one_completes() -> None:
    gate = Gate(Fifo(None), 10 * MS)
    gate.arrive(0, 25 * MS, "a")
    gate.arrive(0, 1 * MS, "b")
    assert gate.next_ns() == 10 * MS
    assert gate.advance(10 * MS) == []
    assert gate.next_ns() == 11 * MS
    assert gate.advance(11 * MS) == [(11 * MS, "b")]
    assert gate.next_ns() == 25 * MS


def test_more_than_may_wait_are_refused() -> None:
    gate = Gate(Fifo(None), 10 * MS, queue_limit=2)
    assert [gate.arrive(0, 0, job) for job in range(4)] == [None, None, None, QUEUE_FULL]
    assert gate.arrive(10 * MS, 0, 4) is None


def test_who_leaves_the_queue_is_not_served_and_gives_nobody_an_earlier_turn() -> None:
    gate = Gate(Fifo(None), 10 * MS)
    for job in "abc":
        gate.arrive(0, 0, job)
    gate.leave(5 * MS, "b")
    assert gate.advance(30 * MS) == [(0, "a"), (20 * MS, "c")]


def test_waits_are_those_of_one_server_with_a_constant_demand() -> None:
    """M/D/1 at 0.8: the mean wait is rho / (2 (1 - rho)) of the demand (Pollaczek and Khinchine)."""
    count = 200_000
    arrived = np.cumsum(np.random.default_rng(2).exponential(10 * MS / 0.8, count))
    waits = simulate(lambda: Gate(Fifo(None), 10 * MS), arrived, np.zeros(count))
    assert waits.mean() / (10 * MS) == pytest.approx(0.8 / (2 * 0.2), rel=0.03)
    served = simulate(lambda: Fifo(1), arrived, np.full(count, 10 * MS))
    assert np.abs(waits - (served - 10 * MS)).max() <= 1


def test_a_capacity_with_a_pace_is_a_gate_before_its_servers() -> None:
    capacity = Capacity(pace_per_second=100.0, servers=1, queue_limit=1)
    station = station_of(capacity, Random(1))
    assert [station.arrive(0, 30 * MS, job) for job in range(3)] == [None, None, QUEUE_FULL]
    assert station.advance(100 * MS) == [(30 * MS, 0), (60 * MS, 1)]


def test_the_time_scale_scales_the_gap() -> None:
    station = station_of(Capacity(pace_per_second=100.0), Random(1), time_scale=0.5)
    station.arrive(0, 0, "a")
    station.arrive(0, 0, "b")
    assert station.advance(100 * MS) == [(0, "a"), (5 * MS, "b")]
