"""The capacity learned from simulated recordings, by simulators that share nothing with the stations."""

from __future__ import annotations

import heapq
import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.identifiability import Outcome, Truth, served_in_order, served_shared, trace_of
from mockforge.learning.capacity import CapacityFit, fit_capacity, predicted_ns
from mockforge.learning.capacity_inversion import in_flight
from mockforge.learning.capacity_station import (
    FifoStation,
    GateStation,
    LimitedStation,
    NoLoadDependence,
    PoolStation,
    SharingStation,
)
from mockforge.learning.capacity_trace import Trace

Times = NDArray[np.float64]


def poisson(gap_ns: float, count: int, seed: int = 5) -> Times:
    return np.cumsum(np.random.default_rng(seed).exponential(gap_ns, count))


def demands(count: int, seed: int = 6) -> Times:
    return np.asarray(20e6 * np.exp(np.random.default_rng(seed).normal(-0.18, 0.6, count)))


@pytest.mark.parametrize(
    "truth",
    [
        Truth("fifo", 1, 0.8, "exponential"),
        Truth("fifo", 4, 0.8, "lognormal 1.0"),
        Truth("fifo", 16, 0.95, "gamma 4"),
        Truth("ps", 1, 0.5, "lognormal 0.6"),
        Truth("ps", 4, 0.8, "gamma 4"),
        Truth("ps", 16, 0.95, "exponential"),
    ],
    ids=lambda truth: f"{truth.discipline}-{truth.servers}-{truth.load}-{truth.law}",
)
def test_discipline_and_servers_are_found(truth: Truth) -> None:
    arrived, asked, departed = truth.recorded(3_000)
    fit = fit_capacity(trace_of(arrived, departed), seed=1)
    outcome = Outcome(truth, float((in_flight(arrived, departed) >= truth.servers).mean()), fit, 0.0)
    assert outcome.right, fit.reason
    assert fit.identifiable
    assert fit.offset_ns == 0.0
    assert fit.servers_interval is not None
    low, high = fit.servers_interval
    assert low - 1 <= truth.servers <= high + 1
    if fit.station.servers == truth.servers:
        assert np.quantile(np.abs(fit.demands_ns - asked), 0.9) < 1e6


def test_it_predicts_a_load_that_was_not_recorded() -> None:
    count = 40_000
    fit = fit_capacity(recorded_in_order(4, 0.7, 5_000), seed=1)
    arrived = poisson(20e6 / (4 * 0.9), count, seed=11)
    truth = served_in_order(arrived, demands(count, seed=12), 4) - arrived
    learned, wanted = np.zeros(5_000, dtype=np.int64), np.zeros(count, dtype=np.int64)
    predicted = predicted_ns(fit, learned, np.rint(arrived).astype(np.int64), wanted, seed=3)
    assert np.quantile(predicted, 0.95) == pytest.approx(np.quantile(truth, 0.95), rel=0.15)


def recorded_in_order(servers: int, load: float, count: int = 3_000) -> Trace:
    arrived = poisson(20e6 / (servers * load), count)
    return trace_of(arrived, served_in_order(arrived, demands(count), servers))


def test_a_fixed_part_of_the_latency_is_told_from_the_demand() -> None:
    arrived = poisson(20e6 / 0.8, 4_000)
    departed = served_shared(arrived, demands(4_000), [1.0]) + 8e6
    fit = fit_capacity(trace_of(arrived, departed), seed=1)
    assert fit.station == SharingStation.of(1)
    assert fit.offset_ns == pytest.approx(8e6, rel=0.25)


def test_a_curve_is_learned_where_servers_do_not_explain_it() -> None:
    curve = [1.0, 1.3, 1.42, 1.5]
    arrived = poisson(20e6 / (1.5 * 0.8), 6_000)
    fit = fit_capacity(trace_of(arrived, served_shared(arrived, demands(6_000), curve)), seed=1)
    assert isinstance(fit.station, SharingStation)
    assert fit.identifiable
    assert np.interp([2, 4], np.arange(1, len(fit.station.curve) + 1), fit.station.curve) == pytest.approx(
        [1.3, 1.5], rel=0.1
    )
    assert fit.servers_interval is None


def test_few_workers_that_share_a_processor_are_told_from_a_queue() -> None:
    arrived = poisson(20e6 / (2.5 * 0.8), 6_000)
    departed = served_shared(arrived, demands(6_000), [1.0, 1.7, 2.2, 2.5], most=4)
    fit = fit_capacity(trace_of(arrived, departed), seed=1)
    assert isinstance(fit.station, LimitedStation)
    assert fit.station.most == 4
    assert fit.station.curve[-1] == pytest.approx(2.5, rel=0.1)


def test_workers_that_share_one_processor_are_told_with_their_fixed_part() -> None:
    count = 8_000
    arrived = poisson(20e6 / 0.65, count)
    departed = served_shared(arrived, demands(count), [1.0], most=4) + 8e6
    fit = fit_capacity(trace_of(arrived, departed), seed=1)
    assert fit.station == LimitedStation((1.0,), 4)
    assert fit.offset_ns == pytest.approx(8e6, rel=0.3)


def test_a_throttle_that_delays_is_a_gate() -> None:
    arrived = poisson(2.5e6 / 0.7, 4_000)
    generator = np.random.default_rng(3)
    passed = served_in_order(arrived, np.full(4_000, 2.5e6), 1) - 2.5e6
    fit = fit_capacity(trace_of(arrived, passed + generator.uniform(0.2e6, 0.5e6, 4_000)), seed=1)
    assert isinstance(fit.station, GateStation)
    assert fit.identifiable
    assert fit.station.gap_ns == pytest.approx(2.5e6, rel=0.01)
    assert fit.station.alone_ns == pytest.approx(0.35e6, rel=0.1)
    assert np.nanquantile(fit.demands_ns, [0.0, 1.0]) == pytest.approx([0.2e6, 0.5e6], rel=0.1)


def test_servers_whose_waiting_jobs_are_taken_up_in_any_order_are_counted_by_their_pace() -> None:
    count = 6_000
    arrived = poisson(20e6 / (4 * 0.9), count)
    departed = served_in_any_order(arrived, demands(count), 4)
    fit = fit_capacity(trace_of(arrived, departed), seed=1)
    assert fit.station == PoolStation(4)
    assert np.nanmean(fit.demands_ns) == pytest.approx(demands(count).mean(), rel=0.05)


def served_in_any_order(arrived: Times, asked: Times, servers: int) -> Times:
    """Departures from servers that take the job that came last among those that wait."""
    departed = np.empty(arrived.size)
    busy: list[float] = []
    waiting: list[int] = []
    for job, at in enumerate([*arrived.tolist(), math.inf]):
        while waiting and busy[0] <= at:
            begins, taken = heapq.heappop(busy), waiting.pop()
            departed[taken] = begins + asked[taken]
            heapq.heappush(busy, float(departed[taken]))
        while busy and busy[0] <= at:
            heapq.heappop(busy)
        if job < arrived.size and len(busy) < servers:
            departed[job] = at + asked[job]
            heapq.heappush(busy, float(departed[job]))
        elif job < arrived.size:
            waiting.append(job)
    return departed


def test_operations_have_their_own_demands() -> None:
    operation = np.random.default_rng(2).integers(0, 2, 4_000)
    asked = np.where(operation == 0, 0.25, 1.75) * demands(4_000)
    arrived = poisson(20e6 / (4 * 0.75), 4_000)
    fit = fit_capacity(trace_of(arrived, served_in_order(arrived, asked, 4), operation), seed=1)
    assert fit.station == FifoStation(4)
    wanted = np.repeat([0, 1, 7], 500)
    arrived_ns = (np.arange(1_500) * 1_000_000_000).astype(np.int64)
    predicted = predicted_ns(fit, operation, arrived_ns, wanted, seed=1)
    assert np.median(predicted[500:1_000]) == pytest.approx(7 * np.median(predicted[:500]), rel=0.15)
    assert np.isfinite(predicted).all()


def test_a_service_that_was_never_saturated_has_no_capacity_to_learn() -> None:
    fit = fit_capacity(recorded_in_order(16, 0.3), seed=1)
    assert fit.station == NoLoadDependence()
    assert not fit.identifiable
    assert f"recorded at up to {fit.recorded_up_to.most} in flight" in fit.reason
    assert "latency beyond that is not known" in fit.reason
    assert fit.servers_interval is None
    assert len(fit.candidates) > 1


def test_the_same_seed_gives_the_same_fit() -> None:
    trace = recorded_in_order(2, 0.7, 500)
    first, again = fit_capacity(trace, seed=4), fit_capacity(trace, seed=4)
    assert first.candidates == again.candidates
    assert first.self_check == again.self_check


def test_the_self_check_tells_a_model_that_fits_its_own_recording() -> None:
    fit = fit_capacity(recorded_in_order(4, 0.6), seed=1)
    assert [check.probability for check in fit.self_check] == [0.5, 0.95, 0.99]
    assert all(abs(check.error) < 0.15 for check in fit.self_check)


def test_a_refused_request_takes_no_server_and_has_no_demand() -> None:
    trace = recorded_in_order(4, 0.8)
    size = trace.arrived_ns.size
    arrived = trace.arrived_ns.astype(np.float64)
    fast = trace_of(arrived + 1.0, arrived + 100_001.0)
    both = Trace(*(np.concatenate([getattr(trace, name), getattr(fast, name)]) for name in Trace.__slots__))
    no = np.arange(2 * size) >= size
    fit = fit_capacity(replace(both, status=np.where(no, 429, 200), failed=no), seed=1)
    assert fit.station == FifoStation(4)
    assert np.isnan(fit.demands_ns[no]).all()
    assert np.isfinite(fit.demands_ns[~no]).all()


def test_callers_that_left_hold_their_place_and_have_no_demand() -> None:
    arrived = poisson(20e6 / (4 * 0.85), 4_000)
    departed = served_in_order(arrived, demands(4_000), 4)
    left = (np.arange(4_000) % 50 == 7) & (departed - arrived > 10e6)
    trace = replace(trace_of(arrived, departed), aborted=left, failed=left, status=np.where(left, 0, 200))
    fit = fit_capacity(trace, seed=1)
    assert fit.station == FifoStation(4)
    assert np.isnan(fit.demands_ns[left]).all()


def test_a_cold_start_is_told_apart_from_the_station() -> None:
    asked = demands(4_000)
    asked[:200] *= 3.0
    arrived = poisson(20e6 / (4 * 0.5), 4_000)
    fit = fit_capacity(trace_of(arrived, served_in_order(arrived, asked, 4)), seed=1)
    assert fit.station == FifoStation(4)
    assert fit.load.cold_start.factor == pytest.approx(3.0, rel=0.2)
    assert np.isnan(fit.demands_ns[:100]).all()


def bad(name: str) -> Trace:
    trace = recorded_in_order(4, 0.8, 600)
    size = trace.arrived_ns.size
    every = np.ones(size, dtype=np.bool_)
    changed: dict[str, Trace] = {
        "nothing": trace.taken(np.zeros(0, dtype=np.int64)),
        "one": trace.taken(np.array([3])),
        "ten": trace.taken(np.arange(10)),
        "all errors": replace(trace, failed=every, status=np.full(size, 500)),
        "all refused": replace(trace, failed=every, status=np.full(size, 503)),
        "all unanswered": replace(trace, failed=every, status=np.zeros(size, dtype=np.int64)),
        "all aborted": replace(trace, failed=every, aborted=every, status=np.zeros(size, dtype=np.int64)),
        "no duration": replace(trace, total_ns=np.zeros(size, dtype=np.int64)),
        "clock steps back": replace(trace, arrived_ns=trace.arrived_ns - 10**10 * (np.arange(size) > 300)),
        "clock steps forward": replace(trace, arrived_ns=trace.arrived_ns + 10**13 * (np.arange(size) > 300)),
        "all at once": replace(trace, arrived_ns=np.zeros(size, dtype=np.int64)),
        "all alike": replace(trace, total_ns=np.full(size, 5_000_000)),
        "begins mid-load": trace.taken(np.arange(200, 600)),
        "an operation each": replace(trace, operation=np.arange(size)),
        "negative durations": replace(trace, total_ns=np.where(np.arange(size) % 3, trace.total_ns, -5)),
        "few answers in many": replace(
            long := recorded_in_order(4, 0.8, 21_000),
            failed=(late := np.arange(21_000) < 20_850),
            aborted=late,
            status=np.where(late, 0, long.status),
        ),
        "in flight for ever": replace(trace, total_ns=trace.total_ns + 10**12),
    }
    return changed[name]


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "one",
        "ten",
        "all errors",
        "all refused",
        "all unanswered",
        "all aborted",
        "no duration",
        "clock steps back",
        "clock steps forward",
        "all at once",
        "all alike",
        "begins mid-load",
        "an operation each",
        "negative durations",
        "few answers in many",
        "in flight for ever",
    ],
)
def test_whatever_a_recording_holds_there_is_an_answer(name: str) -> None:
    trace = bad(name)
    fit: CapacityFit = fit_capacity(trace, seed=1)
    assert fit.reason
    assert fit.demands_ns.shape == trace.arrived_ns.shape
    assert not (fit.demands_ns < 0).any()
    assert all(fit.load.sentences())


@pytest.mark.parametrize("name", ["nothing", "one", "ten", "all aborted", "no duration"])
def test_what_is_too_little_is_called_too_little(name: str) -> None:
    fit = fit_capacity(bad(name), seed=1)
    assert fit.station == NoLoadDependence()
    assert not fit.identifiable
    assert "too few" in fit.reason
