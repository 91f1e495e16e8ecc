"""Latency by load, and runs of different loads compared at the same one."""

from __future__ import annotations

import numpy as np
import pytest

from mockforge.model.sample import Run
from mockforge.report.comparing import Side, compare_runs, compare_sides
from mockforge.report.load import load_response, matched
from tests.unit.report.runs import run_of


def loaded(seed: int, count: int, most: int, rate: float = 100) -> Run:
    """A service whose latency grows by 10 ms for each other request in flight, whatever the run."""
    random = np.random.default_rng(seed)
    in_flight = random.integers(0, most, count).astype(np.int32)
    latency = 10 * (1 + in_flight) * random.uniform(0.9, 1.1, count)
    return run_of(latency, start_s=np.arange(count) / rate, in_flight=in_flight)


def test_latencies_are_grouped_by_doubling_loads() -> None:
    bins = load_response(loaded(1, 4_000, 8), loaded(2, 4_000, 8))
    assert [(one.low, one.high) for one in bins] == [(0, 0), (1, 1), (2, 3), (4, 7)]
    assert [one.p50_ms[0] for one in bins] == pytest.approx([10, 20, 35, 65], rel=0.1)
    assert all(one.p50_ms[1] == pytest.approx(one.p50_ms[0], rel=0.1) for one in bins)


def test_rare_loads_are_left_out() -> None:
    rare = run_of(np.full(100, 5.0), in_flight=np.array([9] * 3 + [0] * 97, dtype=np.int32))
    assert [(one.low, one.high) for one in load_response(rare, rare)] == [(0, 0)]


def test_the_mock_is_weighted_to_the_real_load() -> None:
    found = matched([loaded(1, 4_000, 6)], [loaded(2, 4_000, 4)])
    assert found is not None
    _, (mock,), parts = found
    assert parts == pytest.approx((2 / 3, 1.0), abs=0.03)
    assert mock.weight is not None
    assert np.average(mock.in_flight, weights=mock.weight) == pytest.approx(1.5, abs=0.1)


def test_loads_without_a_counterpart_cannot_be_matched() -> None:
    idle = run_of(np.full(100, 5.0))
    assert matched([idle], [run_of(np.full(100, 5.0), in_flight=np.full(100, 64, dtype=np.int32))]) is None


def test_runs_of_different_loads_are_compared_at_the_same_load() -> None:
    real, mock = loaded(1, 8_000, 4, rate=100), loaded(2, 8_000, 6, rate=140)
    overall = compare_runs(real, mock).overall
    assert overall.matched is not None
    assert overall.p50_ms.deviation == pytest.approx(0, abs=0.05)
    assert overall.gap < 0.05
    assert np.median(mock.total_ns) > 1.3 * np.median(real.total_ns)


def test_runs_of_one_load_are_compared_as_they_are() -> None:
    assert compare_runs(loaded(1, 500, 4), loaded(2, 500, 4)).overall.matched is None


def test_a_repetition_without_a_load_in_common_says_nothing() -> None:
    idle = [loaded(seed, 2_000, 1, rate=100) for seed in (1, 2)]
    busy = run_of(np.full(400, 9.0), in_flight=np.full(400, 50, dtype=np.int32), start_s=np.arange(400) / 100)
    report = compare_sides(Side([*idle, busy]), Side([loaded(3, 4_000, 1, rate=150)]))
    assert report.overall.matched is not None
    assert report.overall.p50_ms.deviation == pytest.approx(0, abs=0.05)
