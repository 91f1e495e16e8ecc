"""Curves by load and over time: thin, and of the calls that they say."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.report.curves import MOST_POINTS
from mockforge.report.fit import Calls
from mockforge.report.fit_curves import load_curves, timeline

MS = 1_000_000


def pairs(count: int) -> Calls:
    """Two calls at a time, far apart: the first finds nobody and takes 10 ms, the second finds it, 30 ms."""
    arrived = np.repeat(np.arange(count, dtype=np.int64) * 100, 2) * MS
    arrived[1::2] += MS
    latency = np.tile([10.0, 30.0], count)
    return Calls(arrived, latency, np.zeros(2 * count, dtype=np.int64))


def test_latency_stands_at_the_number_of_others_that_a_call_finds() -> None:
    recorded, model = load_curves(pairs(60))
    assert model is None
    assert recorded.in_flight.tolist() == [0, 1]
    assert recorded.p50_ms.tolist() == [10, 30]
    assert recorded.calls.tolist() == [60, 60]


def test_the_models_load_is_its_own() -> None:
    calls = pairs(60)
    served = np.full(120, 0.5)
    served[0] = np.nan
    _, model = load_curves(Calls(calls.arrived_ns, calls.latency_ms, calls.operation, served))
    assert model is not None
    assert model.in_flight.tolist() == [0]
    assert model.calls.tolist() == [119]


def test_no_call_is_left_out_and_rare_numbers_in_flight_are_taken_together() -> None:
    random = np.random.default_rng(1)
    arrived = np.cumsum(random.exponential(MS, 5_000)).astype(np.int64)
    recorded, _ = load_curves(Calls(arrived, random.exponential(90, 5_000), np.zeros(5_000, dtype=np.int64)))
    assert recorded.calls.sum() == 5_000
    assert recorded.calls.min() >= 40
    assert 4 < recorded.calls.size <= 48
    assert (np.diff(recorded.in_flight) > 0).all()


@pytest.mark.parametrize("count", [1, 2, 30])
def test_few_calls_are_one_point(count: int) -> None:
    calls = Calls(
        np.arange(count, dtype=np.int64), np.full(count, 7.0), np.zeros(count, dtype=np.int64), np.ones(count)
    )
    recorded, model = load_curves(calls)
    assert recorded.p95_ms.tolist() == [7.0]
    assert model is not None
    assert model.calls.tolist() == [count]


def test_a_model_that_says_nothing_of_any_call_has_no_curve() -> None:
    calls = pairs(5)
    assert (
        load_curves(Calls(calls.arrived_ns, calls.latency_ms, calls.operation, np.full(10, np.nan)))[1]
        is None
    )


def test_latencies_over_time_are_relative_to_their_operation() -> None:
    count = 4_000
    operation = np.arange(count, dtype=np.int64) % 2
    latency = np.where(operation == 0, 10.0, 1_000.0)
    latency[2_000:2_200] *= 5
    slow = np.zeros(count, dtype=np.bool_)
    slow[2_000:2_200] = True
    found = timeline(Calls(np.arange(count, dtype=np.int64) * 10 * MS, latency, operation), slow)
    assert found.at_s.size <= MOST_POINTS
    assert set(np.round(found.median, 9)) == {1.0, 5.0}
    assert found.spells == ((20.0, 22.0),)


def test_a_time_without_calls_is_a_gap() -> None:
    arrived = np.concatenate([np.arange(100), np.arange(10_000, 10_100)]).astype(np.int64) * MS
    found = timeline(Calls(arrived, np.ones(200), np.zeros(200, dtype=np.int64)), None)
    assert np.isnan(found.median[1:-1]).all()
    assert found.spells == ()


def test_a_spell_may_last_to_the_end() -> None:
    slow = np.array([False, False, True, True])
    calls = Calls(np.arange(4, dtype=np.int64) * 1_000 * MS, np.ones(4), np.zeros(4, dtype=np.int64))
    assert timeline(calls, slow).spells == ((2.0, 3.0),)
