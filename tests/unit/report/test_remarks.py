"""What is said before the figures may be leaned on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.deviation import Origin
from mockforge.report.remarks import Remark, remarks

MakeRun = Callable[..., Run]
MANY = {"GET /a": [10.0] * 200}


def said(real: Run, mock: Run, notes: Mapping[str, str] | None = None) -> dict[str, Remark]:
    origin = Origin("real.mfrec", "http://a", "mockforge 1", 0, notes or {})
    return {remark.code: remark for remark in remarks(compare_runs(real, mock, origin))}


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
