"""Refusals: which they are, and by what rule."""

from __future__ import annotations

import heapq
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.identifiability import trace_of
from mockforge.learning.capacity_trace import Trace
from mockforge.learning.load_shedding import find_shedding, refused

_COUNT = 4_000


def with_refusals(
    trace: Trace, no: NDArray[np.bool_], status: int, retry_after_s: float | None = None
) -> Trace:
    asked = np.zeros(0) if retry_after_s is None else np.where(no, retry_after_s, np.nan)
    return replace(trace, failed=no, status=np.where(no, status, 200), retry_after_s=asked)


def full_queue(limit: int) -> tuple[Trace, NDArray[np.bool_]]:
    """Four servers in order, overloaded, that let in no more than `limit`."""
    generator = np.random.default_rng(1)
    arrived = np.cumsum(generator.exponential(20e6 / 4.4, _COUNT))
    demands = 20e6 * generator.gamma(4.0, 0.25, _COUNT)
    free, inside = [0.0] * 4, list[float]()
    departed, no = np.empty(_COUNT), np.zeros(_COUNT, dtype=np.bool_)
    for job, (at, demand) in enumerate(zip(arrived.tolist(), demands.tolist(), strict=True)):
        while inside and inside[0] <= at:
            heapq.heappop(inside)
        no[job] = len(inside) >= limit
        departed[job] = at + 0.3e6 if no[job] else max(at, free[0]) + demand
        if not no[job]:
            heapq.heapreplace(free, float(departed[job]))
            heapq.heappush(inside, float(departed[job]))
    return with_refusals(trace_of(arrived, departed), no, 503), no


def limited(per_second: float, burst: int) -> tuple[Trace, NDArray[np.bool_]]:
    """A quick service behind a token bucket, asked a fifth more than that allows."""
    generator = np.random.default_rng(2)
    arrived = np.cumsum(generator.exponential(1e9 / (1.2 * per_second), _COUNT))
    tokens, last, no = float(burst), 0.0, np.zeros(_COUNT, dtype=np.bool_)
    for job, at in enumerate(arrived.tolist()):
        tokens, last = min(float(burst), tokens + (at - last) / 1e9 * per_second), at
        no[job] = tokens < 1.0
        tokens -= 0.0 if no[job] else 1.0
    took = np.where(no, 0.2e6, 1e6 * generator.gamma(4.0, 0.25, _COUNT))
    return with_refusals(trace_of(arrived, arrived + took), no, 429, 2.0), no


def test_a_queue_limit_is_told_by_the_number_in_flight() -> None:
    trace, no = full_queue(20)
    found = find_shedding(trace, no)
    assert found.queue_limit is not None
    assert found.queue_limit.in_flight == 20
    assert found.queue_limit.right > 0.99
    assert found.rate_limit is None
    assert (found.status, found.count) == (503, int(no.sum()))
    assert found.refusal_ms == pytest.approx(0.3)
    assert "20 were in flight" in found.reason


def test_a_rate_limit_is_told_by_the_rate_and_the_burst() -> None:
    trace, no = limited(400.0, 40)
    found = find_shedding(trace, no)
    assert found.rate_limit is not None
    assert found.rate_limit.per_second == pytest.approx(400.0, rel=0.01)
    assert abs(found.rate_limit.burst - 40) <= 1
    assert found.queue_limit is None
    assert found.retry_after_s == 2.0


def test_refusals_by_neither_rule_are_called_so() -> None:
    trace, _ = full_queue(20)
    no = np.random.default_rng(3).random(_COUNT) < 0.1
    found = find_shedding(with_refusals(trace, no, 503), no)
    assert found.queue_limit is None
    assert found.rate_limit is None
    assert "neither" in found.reason


def test_nothing_refused_is_not_seen() -> None:
    trace, no = full_queue(20)
    found = find_shedding(trace, np.zeros_like(no))
    assert (found.count, found.status) == (0, None)
    assert found.reason.startswith("not seen")


def test_few_refusals_say_nothing_of_a_rule() -> None:
    trace, _ = full_queue(20)
    no = np.arange(_COUNT) < 3
    assert "too few" in find_shedding(with_refusals(trace, no, 503), no).reason


def test_a_refusal_is_quick_or_a_429() -> None:
    trace = trace_of(np.zeros(6), np.array([10e6, 12e6, 1e6, 90e6, 90e6, 1e6]))
    status = np.array([200, 200, 503, 503, 429, 500])
    assert refused(replace(trace, status=status, failed=status > 200)).tolist() == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]


def test_a_caller_that_left_was_not_refused() -> None:
    trace = trace_of(np.zeros(3), np.array([10e6, 12e6, 1e6]))
    left = np.array([False, False, True])
    assert not refused(replace(trace, status=np.array([200, 200, 0]), failed=left, aborted=left)).any()
