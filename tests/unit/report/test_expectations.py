"""Expressions about a report hold, are broken, or cannot be told, by the whole interval."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mockforge.report.comparing import compare_runs
from mockforge.report.expectations import Expectation
from mockforge.report.metrics.kinds import Unit
from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import Metric, Verdict
from tests.unit.report.runs import drawn_run

P95 = Metric("p95", Unit.MS, True, 100.0, 88.0, -0.12, -0.15, -0.09)
ERRORS = Metric("error_rate", Unit.SHARE, False, 0.01, 0.02, 0.01, 0.004, 0.016)
RATE = Metric("throughput", Unit.PER_S, True, 50.0, 49.0, -0.02, -0.03, -0.01)
GAP = Metric("gap", Unit.SHARE, False, 0.0, 0.08, 0.08, 0.05, 0.09)


@pytest.mark.parametrize(
    ("text", "metric", "verdict"),
    [
        ("p95.deviation<20%", P95, Verdict.WITHIN),
        ("p95.deviation<5%", P95, Verdict.OUTSIDE),
        ("p95.deviation<10%", P95, Verdict.INCONCLUSIVE),
        ("p99.9.deviation<20%", replace(P95, name="p99.9"), Verdict.WITHIN),
        ("p95<20%", P95, Verdict.WITHIN),
        ("p95.deviation>-5%", P95, Verdict.OUTSIDE),
        ("p95.deviation>-20%", P95, Verdict.WITHIN),
        ("p95.delta<8ms", P95, Verdict.OUTSIDE),
        ("p95.delta<16 ms", P95, Verdict.WITHIN),
        ("p95.mock<90ms", P95, Verdict.WITHIN),
        ("p95.real<0.09s", P95, Verdict.OUTSIDE),
        ("error_rate.delta<2pp", ERRORS, Verdict.WITHIN),
        ("error_rate.delta<1pp", ERRORS, Verdict.INCONCLUSIVE),
        ("error_rate.mock<=1%", ERRORS, Verdict.OUTSIDE),
        ("throughput.ratio>0.95", RATE, Verdict.WITHIN),
        ("throughput.ratio>=0.995", RATE, Verdict.OUTSIDE),
        ("gap<0.1", GAP, Verdict.WITHIN),
        ("gap<4%", GAP, Verdict.OUTSIDE),
    ],
)
def test_the_whole_interval_decides(text: str, metric: Metric, verdict: Verdict) -> None:
    assert Expectation.parse(text, "").judge("GET /", metric).verdict is verdict


def test_an_interval_around_nothing_reaches_as_far_as_its_longer_side() -> None:
    found = Expectation.parse("p95.deviation<10%", "").judge("GET /", replace(P95, low=-0.05, high=0.08))
    assert (found.low, found.high) == (0.0, 0.08)


def test_what_is_unknown_cannot_be_told() -> None:
    unknown = replace(P95, deviation=math.nan, low=math.nan, high=math.nan)
    assert Expectation.parse("p95<10%", "").judge("GET /", unknown).verdict is Verdict.INCONCLUSIVE
    assert Expectation.parse("p95<10%", "").judge("GET /none", None).verdict is Verdict.INCONCLUSIVE


def test_expectations_are_of_all_operations_one_or_each() -> None:
    tolerances = Tolerances.parse(["p50<10%", "GET /: p50<10%", "*: p50<10%", "GET /none: p50<10%"])
    report = compare_runs(drawn_run(1), drawn_run(2), tolerances=tolerances)
    assert [one.operation for one in report.expected] == ["all operations", "GET /", "GET /", "GET /none"]
    assert [one.verdict for one in report.expected] == [Verdict.WITHIN] * 3 + [Verdict.INCONCLUSIVE]
    assert report.decisive == ()
    assert report.verdict is Verdict.INCONCLUSIVE


def test_a_broken_expectation_makes_the_report_outside() -> None:
    tolerances = Tolerances.parse(["p50.deviation<5%"])
    report = compare_runs(drawn_run(1), drawn_run(2, median_ms=25), tolerances=tolerances)
    assert report.verdict is Verdict.OUTSIDE
