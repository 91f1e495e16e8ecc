"""Runs of which only percentiles are left are compared figure by figure, and nothing is claimed of chance."""

from __future__ import annotations

import math

import pytest

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary, SummaryRun
from mockforge.report.render_json import render_json
from mockforge.report.renderers import RENDERERS
from mockforge.report.summaries import SummarySide, compare_summaries, summarised
from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import Verdict
from tests.unit.report.runs import drawn_run


def summary(scale: float = 1.0, name: str = "GET /a", **more: float) -> SummaryRun:
    levels = {p: ms * scale for p, ms in {0.5: 100.0, 0.9: 200.0, 0.95: 260.0, 0.99: 400.0}.items()}
    one = OperationSummary(name, 1_000, 10, 120.0 * scale, levels, answered_per_s=50.0)
    return SummaryRun("locust", "locust", (one,), duration_s=20.0, **more)  # type: ignore[arg-type]


def verdict(name: str, mock: SummaryRun, *written: str) -> Verdict | None:
    report = compare_summaries(
        SummarySide([summary()]), SummarySide([mock]), Tolerances.parse(written or ("p95=10%",))
    )
    found = report.operations[0].metric(name)
    assert found is not None
    assert not found.interval
    return found.verdict


def test_the_figures_themselves_are_judged() -> None:
    assert verdict("p95", summary(1.05)) is Verdict.WITHIN
    assert verdict("p95", summary(1.15)) is Verdict.OUTSIDE


def test_what_the_tool_rounds_to_is_the_least_margin() -> None:
    assert verdict("p95", summary(1.04), "p95=1%") is Verdict.OUTSIDE
    assert verdict("p95", summary(1.04, precision=0.05), "p95=1%") is Verdict.WITHIN
    assert verdict("p50", summary(1.04, resolution_ns=5_000_000), "p50=1%") is Verdict.WITHIN


def test_the_gap_is_the_area_between_the_percentiles() -> None:
    report = compare_summaries(SummarySide([summary()]), SummarySide([summary(1.2)]))
    assert report.gap == pytest.approx(0.22, abs=0.03)
    assert not report.sampled


def test_samples_are_held_against_a_summary_by_their_percentiles() -> None:
    run = drawn_run(1)
    report = compare_summaries(
        SummarySide([summarised(run)], sampled=[True]), SummarySide([summary(name="GET /")])
    )
    assert report.a.sampled
    assert report.overall.p50_ms.a == pytest.approx(20, rel=0.05)


def test_a_summary_of_all_requests_alone_is_compared_as_a_whole() -> None:
    whole = OperationSummary("all", 500, 0, 10.0, {0.5: 9.0, 0.95: 20.0})
    run = SummaryRun("oha", "oha", (), whole)
    report = compare_summaries(SummarySide([run]), SummarySide([run]))
    assert report.operations == ()
    assert report.overall.metric("p95") is not None
    assert math.isnan(report.gap)


def test_no_common_operation_and_an_empty_run_are_refused() -> None:
    with pytest.raises(ComparisonError, match="near names: GET /a and GET /b"):
        compare_summaries(SummarySide([summary()]), SummarySide([summary(name="GET /b")]))
    with pytest.raises(ComparisonError, match="empty"):
        compare_summaries(SummarySide([summary()]), SummarySide([SummaryRun("x", "x", ())]))


def test_every_rendering_can_show_it() -> None:
    report = compare_summaries(SummarySide([summary()]), SummarySide([summary(1.2)]))
    assert [form for form, render in RENDERERS.items() if "GET /a" not in render(report)] == []
    assert '"sampled": false' in render_json(report)
