"""Verdicts are right as often as they should be, on runs whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import (
    Metric,
    Samples,
    Verdict,
    judge,
    metrics_of,
    noise_floor,
    overall_verdict,
)

TOLERANCES = Tolerances()


def run(seed: int, count: int = 10_000, scale: float = 20, errors: float = 0.0, rate: float = 200) -> Samples:
    random = np.random.default_rng(seed)
    start = np.cumsum(random.exponential(1e9 / rate, count)).astype(np.int64)
    return Samples(start, random.lognormal(math.log(scale), 0.6, count), random.random(count) < errors)


def metric(name: str, a: Samples, b: Samples) -> Metric:
    return next(each for each in metrics_of("GET /", a, b, TOLERANCES) if each.name == name)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.05, 0.09, Verdict.WITHIN),
        (0.11, 0.30, Verdict.OUTSIDE),
        (-0.30, -0.11, Verdict.OUTSIDE),
        (0.05, 0.15, Verdict.INCONCLUSIVE),
        (-math.inf, math.inf, Verdict.INCONCLUSIVE),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, verdict: Verdict) -> None:
    assert judge("p95", (low + high) / 2 if math.isfinite(low) else 0.0, low, high, 0.1).verdict is verdict


def test_what_is_unknown_is_inconclusive() -> None:
    assert judge("p95", math.nan, math.nan, math.nan, 0.1).verdict is Verdict.INCONCLUSIVE


def test_an_inconclusive_metric_says_how_many_samples_would_decide() -> None:
    found = judge("p95", 0.0, -0.2, 0.2, 0.1)
    assert found.needed == pytest.approx(4)
    assert judge("p95", 0.1, 0.0, 0.2, 0.1).needed is None


def test_two_runs_of_one_law_are_hardly_ever_outside() -> None:
    outside = 0
    for seed in range(40):
        found = metrics_of("GET /", run(seed, 2_000), run(1_000 + seed, 2_000), TOLERANCES)
        outside += any(each.verdict is Verdict.OUTSIDE for each in found)
    assert outside <= 2


@pytest.mark.parametrize(
    ("name", "changed"),
    [("p50", {"scale": 23.0}), ("error_rate", {"errors": 0.03}), ("throughput", {"rate": 180.0})],
)
def test_what_has_changed_is_found(name: str, changed: dict[str, float]) -> None:
    found = [metric(name, run(seed), run(500 + seed, **changed)) for seed in range(10)]  # type: ignore[arg-type]
    assert sum(each.verdict is Verdict.OUTSIDE for each in found) >= 9


def test_exactly_on_the_margin_is_hardly_ever_within() -> None:
    within = sum(
        metric("p50", run(seed, 3_000), run(700 + seed, 3_000, scale=21)).verdict is Verdict.WITHIN
        for seed in range(60)
    )
    assert within <= 5


def test_a_difference_below_the_floor_is_no_deviation() -> None:
    fast = run(1, scale=0.4)
    slower = Samples(fast.start_ns, fast.latency_ms + 0.2, fast.failed)
    assert metric("p50", fast, slower).verdict is Verdict.WITHIN


def test_a_tail_of_few_samples_is_left_out_or_inconclusive_where_it_was_asked_for() -> None:
    real, mock = run(1, 500), run(2, 500)
    assert "p99.9" not in {each.name for each in metrics_of("GET /", real, mock, TOLERANCES)}
    asked = metrics_of("GET /", real, mock, Tolerances.parse(["p99.9=50%"]))
    assert next(each for each in asked if each.name == "p99.9").verdict is Verdict.INCONCLUSIVE


def test_the_noise_floor_is_what_two_real_runs_differ_by() -> None:
    floors = [noise_floor(run(seed, 5_000), 5_000) for seed in range(8)]
    assert float(np.mean(floors)) == pytest.approx(0.013, abs=0.005)
    assert math.isnan(noise_floor(run(1, 20), 20))


def test_the_worst_metric_is_the_verdict() -> None:
    within, outside = judge("p50", 0, 0, 0, 0.1), judge("p95", 1, 1, 1, 0.1)
    unknown = judge("p99", math.nan, 0, 0, 0.1)
    assert overall_verdict([within, unknown, outside]) is Verdict.OUTSIDE
    assert overall_verdict([within, unknown]) is Verdict.INCONCLUSIVE
    assert overall_verdict([within]) is Verdict.WITHIN


def test_empty_samples_are_inconclusive() -> None:
    empty = Samples(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool))
    assert all(
        each.verdict is Verdict.INCONCLUSIVE for each in metrics_of("GET /", empty, run(1), TOLERANCES)
    )
