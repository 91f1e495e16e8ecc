"""Rates of two runs: told apart second by second where they had one schedule, and as rightly where not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.metrics.throughput import per_second
from mockforge.report.verdicts import Metric
from tests.unit.report.runs import drawn_run, run_of


def rate(a: Run, b: Run, name: str = "throughput") -> Metric:
    found = compare_runs(a, b).overall.metric(name)
    assert found is not None
    return found


def scheduled(seed: int, lost: float = 0.0, schedule: int = 7) -> Run:
    """3,000 Poisson arrivals of one schedule over 15 s, of which some fail."""
    start_s = np.cumsum(np.random.default_rng(schedule).exponential(1 / 200, 3_000))
    random = np.random.default_rng(seed)
    latency_ms = 20 * random.lognormal(0, 0.5, 3_000)
    return run_of(latency_ms, start_s=start_s, failed=random.random(3_000) < lost)


def test_events_are_counted_in_whole_seconds_while_requests_came() -> None:
    run = run_of(np.full(5, 10.0), start_s=np.array([0.0, 0.5, 1.2, 1.9, 2.5]))
    assert per_second(run, run.start_ns).tolist() == [2.0, 2.0]


def test_one_schedule_tells_a_small_loss_that_independent_arrivals_hide() -> None:
    one, independent = (
        rate(scheduled(1), scheduled(2, lost=0.05)),
        rate(drawn_run(1, 3_000), drawn_run(2, 3_000)),
    )
    assert one.high < -0.02
    assert one.high - one.low < 0.5 * (independent.high - independent.low)


def test_the_same_schedule_answered_well_is_the_same_throughput() -> None:
    found = rate(scheduled(1), scheduled(2))
    assert -0.02 < found.low <= 0 <= found.high < 0.02


def test_the_interval_holds_for_runs_that_have_nothing_in_common() -> None:
    found = [rate(drawn_run(seed, 3_000), drawn_run(900 + seed, 3_000)) for seed in range(60)]
    assert sum(one.low <= 0 <= one.high for one in found) >= 55


def test_a_run_of_a_few_seconds_has_a_rate_without_bounds() -> None:
    found = rate(drawn_run(1, 600), drawn_run(2, 600))
    assert found.a == pytest.approx(200, rel=0.15)
    assert found.low <= -1
    assert math.isinf(found.high)
