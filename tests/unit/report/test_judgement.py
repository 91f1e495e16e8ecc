"""Verdicts are told in words, with their figures, and alike in every rendering."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.deviation import DeviationReport
from mockforge.report.judgement import allowed, judged, judgement, sentence
from mockforge.report.render_junit import render_junit
from mockforge.report.render_markdown import render_markdown
from mockforge.report.render_prometheus import render_prometheus
from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import Verdict


def run(name: str, seed: int, slower: float, operation: str = "GET /orders/{id}") -> Run:
    random = np.random.default_rng(seed)
    count = 4_000
    return Run(
        name=name,
        kind="recording",
        operations=(operation, "GET /fast|*path*"),
        operation=(np.arange(count) % 2).astype(np.int32),
        start_ns=np.arange(count, dtype=np.int64) * 5_000_000,
        total_ns=(random.lognormal(3, 0.4, count) * slower * 1e6).astype(np.int64),
        ttfb_ns=np.full(count, -1, dtype=np.int64),
        status=np.full(count, 200, dtype=np.int32),
        failed=np.zeros(count, dtype=np.bool_),
        in_flight=np.zeros(count, dtype=np.int32),
        lateness_ns=np.full(count, -1, dtype=np.int64),
    )


def report(slower: float = 1.0, *written: str) -> DeviationReport:
    tolerances = Tolerances.parse(written)
    return compare_runs(run("real", 1, 1.0), run("mock", 2, slower), tolerances=tolerances)


def test_a_mock_that_is_alike_is_within() -> None:
    found = report(1.0, "p50=15%", "p95=25%")
    assert found.verdict is Verdict.WITHIN
    assert judgement(found) == "within tolerance: all 6 metrics are within"


def test_a_slower_mock_is_outside_with_its_interval_and_what_is_allowed() -> None:
    found = report(1.5, "p50=5%")
    assert found.verdict is Verdict.OUTSIDE
    assert judgement(found) == "outside tolerance: 3 of 3 metrics are outside"
    told = sentence(next(judged(found)))
    assert re.fullmatch(
        r"GET \S+ p50 \+\d\d\.\d % \(\+\d\d\.\d % to \+\d\d\.\d %\), \+\d+\.\d+ ms, 5\.\d % allowed", told
    )


def test_only_metrics_with_a_given_tolerance_decide() -> None:
    assert report(1.5, "throughput=50%").verdict is Verdict.WITHIN


def test_an_inconclusive_metric_says_how_many_samples_would_tell() -> None:
    found = report(1.04, "p99=6%")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("samples would tell" in sentence(one) for one in judged(found))


def test_markdown_has_a_row_an_operation_and_escapes_names() -> None:
    text = render_markdown(report(1.5, "p50=5%"))
    assert text.startswith("### ❌ performance deviation gap")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 3
    assert all(row.replace("\\|", "").count("|") == 9 for row in rows)


def test_junit_fails_what_is_outside_and_skips_what_is_inconclusive() -> None:
    tree = ElementTree.fromstring(render_junit(report(1.5, "p50=5%", "p99=49%")).partition("?>")[2].strip())
    suites = tree.findall("testsuite")
    assert [suite.get("name") for suite in suites][-1] == "all operations"
    for suite in suites:
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases)) == "2"
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert cases[0].find("failure") is not None
        assert "allowed" in str(cases[0].find("failure").get("message"))  # type: ignore[union-attr]


def test_junit_survives_names_that_xml_cannot_hold() -> None:
    odd = compare_runs(run("real", 1, 1.0, "GET /\x01<&"), run("mock", 2, 1.0, "GET /\x01<&"))
    ElementTree.fromstring(render_junit(odd).partition("?>")[2].strip())


def test_prometheus_has_every_metric_and_the_exit_code_as_verdict() -> None:
    lines = render_prometheus(report(1.5, "p50=5%")).splitlines()
    assert 'mockforge_deviation_verdict{operation="run",metric="all"} 1' in lines
    assert any(
        line.startswith('mockforge_deviation_gap_ratio{operation="all operations"} 0.') for line in lines
    )
    assert all(re.fullmatch(r"# (HELP|TYPE) .*|\w+\{[^}]*\}? ?.*", line) for line in lines)
    names = {line.partition("{")[0] for line in lines if not line.startswith("#")}
    declared = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert names == declared


@pytest.mark.parametrize("render", [render_markdown, render_junit, render_prometheus])
def test_a_report_without_metrics_is_rendered(render) -> None:  # type: ignore[no-untyped-def]
    found = report()
    bare = [replace(operation, metrics=()) for operation in found.operations]
    assert render(replace(found, operations=tuple(bare), overall=replace(found.overall, metrics=())))


def test_a_latency_of_nothing_may_be_off_by_any_share(make_run: Callable[..., Run]) -> None:
    report = compare_runs(make_run({"GET /a": [0.0] * 200}), make_run({"GET /a": [0.5] * 200}))
    metric = report.overall.metric("p50")
    assert metric is not None
    assert allowed(metric) == "any"
