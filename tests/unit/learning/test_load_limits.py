"""Time limits and cold starts, with "not seen" as an answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.identifiability import trace_of
from mockforge.learning.capacity_trace import Trace
from mockforge.learning.load_limits import ColdStart, find_cold_start, find_time_limit


def answered(count: int = 400) -> Trace:
    generator = np.random.default_rng(1)
    arrived = np.cumsum(generator.exponential(10e6, count))
    return trace_of(arrived, arrived + 20e6 * generator.gamma(4.0, 0.25, count))


def ended(ages_ns: NDArray[np.float64], *, by_caller: bool, status: int = 0) -> Trace:
    trace = answered()
    those = np.arange(trace.status.size) < ages_ns.size
    total = trace.total_ns.copy()
    total[: ages_ns.size] = np.rint(ages_ns)
    return replace(
        trace,
        total_ns=total,
        failed=those,
        aborted=those & by_caller,
        status=np.where(those, status, 200),
    )


@pytest.mark.parametrize(("by_caller", "status", "by"), [(True, 0, "caller"), (False, 504, "backend")])
def test_a_constant_age_is_a_time_limit(by_caller: bool, status: int, by: str) -> None:
    ages = 200e6 + np.random.default_rng(2).normal(0.0, 0.5e6, 30)
    found = find_time_limit(ended(ages, by_caller=by_caller, status=status))
    assert found.limit_ms == pytest.approx(200.0, rel=0.01)
    assert (found.by, found.count) == (by, 30)


def test_ages_of_all_kinds_are_none() -> None:
    found = find_time_limit(ended(np.linspace(50e6, 900e6, 40), by_caller=True))
    assert found.limit_ms is None
    assert "no common age" in found.reason


def test_failures_quicker_than_answers_are_none() -> None:
    assert find_time_limit(ended(np.full(40, 1e6), by_caller=False)).limit_ms is None


def test_a_few_failures_at_one_age_are_none() -> None:
    assert find_time_limit(ended(np.full(5, 200e6), by_caller=True)).limit_ms is None


def test_where_all_was_answered_there_is_none() -> None:
    assert find_time_limit(answered()).reason == "not seen: every request was answered"


def cold(factors: NDArray[np.float64], gaps_ns: NDArray[np.float64] | None = None) -> ColdStart:
    generator = np.random.default_rng(3)
    took = 20e6 * generator.gamma(4.0, 0.25, factors.size) * factors
    arrived = np.cumsum(np.full(factors.size, 10e6) if gaps_ns is None else gaps_ns)
    return find_cold_start(arrived, took, took, np.arange(factors.size) % 2)


def test_slow_first_requests_are_a_cold_start() -> None:
    found = cold(np.where(np.arange(1_000) < 60, 4.0, 1.0))
    assert found.factor == pytest.approx(4.0, rel=0.2)
    assert found.count == 60
    assert found.lasts_ms == pytest.approx(590.0)


def test_a_queue_at_the_begin_is_none() -> None:
    generator = np.random.default_rng(4)
    arrived = np.arange(1_000, dtype=np.float64) * 10e6
    demands = 20e6 * generator.gamma(4.0, 0.25, 1_000)
    queued = demands + np.where(np.arange(1_000) < 60, 100e6, 0.0)
    assert find_cold_start(arrived, queued, demands, np.zeros(1_000, dtype=np.int64)).factor is None


def test_even_first_requests_are_none() -> None:
    assert cold(np.ones(1_000)).reason == "not seen: the first requests are no slower than the others"


def test_slow_requests_after_pauses_are_found() -> None:
    after = np.arange(1_000) % 100 == 50
    found = cold(np.where(after, 5.0, 1.0), np.where(after, 3e9, 10e6))
    assert found.factor is None
    assert found.after_idle == pytest.approx(5.0, rel=0.4)
    assert found.idle_ms == pytest.approx(3_000.0)


def test_few_answers_say_so() -> None:
    assert "too few" in cold(np.ones(20)).reason
