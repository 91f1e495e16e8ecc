"""What is said before the figures may be leaned on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from mockforge.model.sample import OperationSummary, Run, SummaryRun
from mockforge.report.comparing import Side, compare_runs, compare_sides
from mockforge.report.deviation import DeviationReport, Origin
from mockforge.report.remarks import Remark, remarks
from mockforge.report.summaries import SummarySide, compare_summaries
from mockforge.report.tolerances import Tolerances
from mockforge.report.warmup import WarmUp
from tests.unit.report.runs import drawn_run

MakeRun = Callable[..., Run]
MANY = {"GET /a": [10.0] * 200}


def told(report: DeviationReport) -> dict[str, Remark]:
    return {remark.code: remark for remark in remarks(report)}


def said(real: Run, mock: Run, notes: Mapping[str, str] | None = None) -> dict[str, Remark]:
    origin = Origin("real.mfrec", "http://a", "mockforge 1", 0, notes or {})
    return told(compare_runs(real, mock, origin))


def test_two_plain_runs_need_no_remark(make_run: MakeRun) -> None:
    assert said(make_run(MANY), make_run(MANY)) == {}


def test_operations_of_one_run_alone_are_named(make_run: MakeRun) -> None:
    found = said(make_run({**MANY, "GET /b": [1]}), make_run({**MANY, "GET /c": [1]}))
    assert "GET /b" in found["only_real"].text
    assert "GET /c" in found["only_mock"].text


def test_few_samples_are_counted(make_run: MakeRun) -> None:
    found = said(make_run({"GET /a": [1] * 99}), make_run(MANY))
    assert "GET /a (99 real, 200 mock)" in found["few_samples"].text


@pytest.mark.parametrize(("every_ms", "remarked"), [(10.0, False), (10.4, False), (10.6, True), (9.4, True)])
def test_offered_loads_more_than_5_percent_apart_are_grave(
    make_run: MakeRun, every_ms: float, remarked: bool
) -> None:
    found = said(make_run(MANY), make_run(MANY, every_ms=every_ms))
    assert ("load_mismatch" in found) is remarked
    if remarked:
        assert found["load_mismatch"].grave
        assert "100.0/s real" in found["load_mismatch"].text


@pytest.mark.parametrize(
    ("note", "why"), [("true", "generator-limited:"), ("send lag p99 3 ms", "(send lag p99 3 ms)")]
)
def test_a_run_stamped_generator_limited_is_grave(make_run: MakeRun, note: str, why: str) -> None:
    remark = said(make_run(MANY), make_run(MANY), {"generator_limited": note})["generator_limited"]
    assert remark.grave
    assert why in remark.text


@pytest.mark.parametrize("note", ["", "false", "0", "No"])
def test_a_stamp_that_denies_is_no_stamp(make_run: MakeRun, note: str) -> None:
    assert "generator_limited" not in said(make_run(MANY), make_run(MANY), {"generator_limited": note})


def test_an_interrupted_run_is_said(make_run: MakeRun) -> None:
    found = said(make_run(MANY), make_run(MANY), {"interrupted": "after 200 of 900 requests"})
    assert found["interrupted"].text == "the real run was interrupted after 200 of 900 requests"


def test_the_mocks_own_lateness_is_said_and_grave_where_it_is_half_a_median(make_run: MakeRun) -> None:
    slight = said(make_run(MANY), make_run(MANY, kind="serve", lateness_ms=0.1))["own_lateness"]
    heavy = said(make_run(MANY), make_run(MANY, kind="serve", lateness_ms=6))["own_lateness"]
    assert slight.text == "mock run: the mock answered behind its plan by 0.10 ms (p50) and 0.10 ms (p99)"
    assert (slight.grave, heavy.grave) == (False, True)
    assert "60.0 % of the median latency" in heavy.text


def test_grave_remarks_come_first(make_run: MakeRun) -> None:
    real, mock = make_run({**MANY, "GET /b": [1]}), make_run(MANY, every_ms=20)
    found = remarks(compare_runs(real, mock))
    assert [remark.grave for remark in found] == sorted((remark.grave for remark in found), reverse=True)
    assert found[0].code == "load_mismatch"


def test_medians_a_thousand_times_apart_look_like_two_units(make_run: MakeRun) -> None:
    found = told(compare_runs(make_run({"GET /a": [12.0] * 9}), make_run({"GET /a": [12_500.0] * 9})))
    assert "does one file give another unit" in found["mixed_units"].text
    assert found["mixed_units"].grave
    slow = compare_runs(make_run({"GET /a": [12.0] * 9}), make_run({"GET /a": [240.0] * 9}))
    assert "mixed_units" not in told(slow)


def test_clocks_that_lie_far_apart_are_told(make_run: MakeRun) -> None:
    day = 86_400 * 10**9
    run = make_run({"GET /a": [1.0]})
    origins = [Origin("a", "", "", at * day) for at in (100, 140, 101)]
    assert "40 days apart" in told(compare_runs(run, run, origins[0], origins[1]))["clocks_apart"].text
    assert "clocks_apart" not in told(compare_runs(run, run, origins[0], origins[2]))


def test_a_tolerance_for_an_operation_that_is_not_there_is_told_with_a_near_name(make_run: MakeRun) -> None:
    run = make_run({"GET /orders/{id}": [1.0]})
    tolerances = Tolerances.parse(["GET /order/{id}: p95=10%"])
    found = told(compare_runs(run, run, tolerances=tolerances))["unknown_operation"]
    assert found.text.endswith("GET /order/{id}; did you mean GET /orders/{id}?")


def test_a_mock_that_is_late_is_told_from_a_bad_model() -> None:
    real = drawn_run(1)
    late = replace(
        real,
        kind="serve",
        total_ns=real.total_ns + 20_000_000,
        lateness_ns=np.full(len(real), 20_000_000, dtype=np.int64),
    )
    found = told(compare_runs(real, late))["overload"]
    assert "without the mock's own lateness by +0.0 %" in found.text


def test_a_run_of_percentiles_alone_is_told_with_its_rounding() -> None:
    one = OperationSummary("GET /a", 100, 0, 10.0, {0.5: 10.0})
    side = SummarySide([SummaryRun("locust", "locust", (one,), resolution_ns=1_000_000, precision=0.05)])
    text = told(compare_summaries(side, side))["no_samples"].text
    assert "no interval; it rounds to 1.00 ms and within 5.0 %" in text


def test_repetitions_and_a_warm_up_are_told() -> None:
    run = drawn_run(1, 2_000)
    found = told(compare_sides(Side([run, run], warmup=WarmUp(seconds=1.0)), Side([run])))
    assert "2 real and 1 mocked runs" in found["repetitions"].text
    assert "first 1.0 s" in found["warm_up"].text
