"""Verdicts are right as often as they should be, on runs whose truth is known."""

from __future__ import annotations

import math

import pytest

from mockforge.report.comparing import compare_runs
from mockforge.report.metrics.estimates import Estimate
from mockforge.report.metrics.registry import KINDS
from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import Metric, Verdict, judge, judge_points, overall_verdict, step_down
from tests.unit.report.runs import drawn_run


def estimate(low: float, high: float, name: str = "error_rate") -> Estimate:
    centre = (low + high) / 2 if math.isfinite(low + high) else 0.0
    return Estimate(KINDS[name], 0.0, centre, centre, centre - low, high - centre)


def metric(name: str, seed: int, *written: str, count: int = 10_000, **changed: float) -> Metric:
    tolerances = Tolerances.parse(written)
    mock = drawn_run(500 + seed, count, **changed)
    report = compare_runs(drawn_run(seed, count), mock, tolerances=tolerances)
    found = report.overall.metric(name)
    assert found is not None
    return found


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
    assert judge(estimate(low, high), 0.1).verdict is verdict


def test_what_is_unknown_is_inconclusive() -> None:
    unknown = Estimate(KINDS["p95"], math.nan, 1.0, math.nan, math.inf, math.inf)
    assert judge(unknown, 0.1).verdict is Verdict.INCONCLUSIVE


def test_what_nobody_bounds_has_no_verdict() -> None:
    assert judge(estimate(0, 1), None).verdict is None


def test_an_inconclusive_metric_says_how_many_samples_would_decide() -> None:
    assert judge(estimate(-0.2, 0.2), 0.1).needed == pytest.approx(4)
    assert judge(estimate(0.0, 0.2), 0.1).needed is None


def test_points_without_an_interval_say_so() -> None:
    found = judge_points(estimate(0.2, 0.2), 0.1)
    assert found.verdict is Verdict.OUTSIDE
    assert not found.interval


def test_one_of_many_operations_that_is_barely_outside_is_not_outside() -> None:
    barely = judge(estimate(0.101, 0.301), 0.1)
    clearly = judge(estimate(0.30, 0.50), 0.1)
    alone = step_down({"a": barely})
    assert alone["a"].verdict is Verdict.OUTSIDE
    many = step_down({"a": barely, **{f"b{number}": judge(estimate(-0.1, 0.1), 0.2) for number in range(9)}})
    assert many["a"].verdict is Verdict.INCONCLUSIVE
    assert many["a"].needed == pytest.approx((2.807 / 1.97) ** 2, rel=0.02)
    assert step_down({"a": barely, "b": clearly})["b"].verdict is Verdict.OUTSIDE


@pytest.mark.parametrize(
    ("name", "changed"),
    [("p50", {"median_ms": 23.0}), ("error_rate", {"errors": 0.03}), ("throughput", {"rate": 180.0})],
)
def test_what_has_changed_is_found(name: str, changed: dict[str, float]) -> None:
    found = [metric(name, seed, **changed) for seed in range(6)]  # type: ignore[arg-type]
    assert sum(each.verdict is Verdict.OUTSIDE for each in found) >= 5


def test_exactly_on_the_margin_is_hardly_ever_within() -> None:
    found = [metric("p50", seed, count=3_000, median_ms=21) for seed in range(40)]
    assert sum(each.verdict is Verdict.WITHIN for each in found) <= 4


def test_a_difference_below_the_floor_is_no_deviation() -> None:
    report = compare_runs(drawn_run(1, median_ms=0.4), drawn_run(2, median_ms=0.6))
    found = report.overall.metric("p50")
    assert found is not None
    assert found.verdict is Verdict.WITHIN


def test_a_tail_of_few_samples_is_judged_only_where_it_was_asked_for() -> None:
    assert metric("p99.9", 1, count=500).verdict is None
    assert metric("p99.9", 1, "p99.9=50%", count=500).verdict is Verdict.INCONCLUSIVE


def test_the_worst_verdict_counts() -> None:
    assert overall_verdict([Verdict.WITHIN, Verdict.INCONCLUSIVE, Verdict.OUTSIDE]) is Verdict.OUTSIDE
    assert overall_verdict([Verdict.WITHIN, Verdict.INCONCLUSIVE, None]) is Verdict.INCONCLUSIVE
    assert overall_verdict([Verdict.WITHIN, None]) is Verdict.WITHIN


def test_nothing_judged_is_not_within() -> None:
    assert overall_verdict([]) is Verdict.INCONCLUSIVE
