"""Two levels: what a dependency explains of its caller's shift, on a service whose calls are known."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.deviation import CallerLevel, DeviationReport
from mockforge.report.explained import Explained, Shift
from mockforge.report.levels import explain
from mockforge.report.nesting import Calls, calls_within
from mockforge.report.render_json import json_schema, render_json
from mockforge.report.render_junit import render_junit
from mockforge.report.render_markdown import render_markdown
from mockforge.report.render_prometheus import render_prometheus
from mockforge.report.render_terminal import render_text

EPOCH_NS = 1_763_683_200_000_000_000


def run_from(rows: list[tuple[str, float, float]], name: str) -> Run:
    """Rows of (operation, start in s, latency in ms)."""
    rows = sorted(rows, key=lambda row: row[1])
    names = tuple(sorted({row[0] for row in rows}))
    count = len(rows)
    return Run(
        name=name,
        kind="recording",
        operations=names,
        operation=np.array([names.index(row[0]) for row in rows], dtype=np.int32),
        start_ns=np.array([row[1] * 1e9 for row in rows]).astype(np.int64),
        total_ns=np.array([row[2] * 1e6 for row in rows]).astype(np.int64),
        ttfb_ns=np.full(count, -1, dtype=np.int64),
        status=np.full(count, 200, dtype=np.int32),
        failed=np.zeros(count, dtype=np.bool_),
        in_flight=np.zeros(count, dtype=np.int32),
        lateness_ns=np.full(count, -1, dtype=np.int64),
    )


def simulated(seed: int, *, slower_ms: float = 0.0, own_ms: float = 0.0) -> tuple[Run, Run]:
    """The caller and its dependency: a page asks for prices twice and stock once, a ping for prices once."""
    random = np.random.default_rng(seed)
    caller, dependency = [], []
    for start in np.cumsum(random.exponential(1 / 60, 3_000)):
        page = random.random() < 0.5
        at = float(start) + 0.002
        for call in ("GET /prices", "GET /prices", "GET /stock") if page else ("GET /prices",):
            latency = (slower_ms if call == "GET /prices" else 0.0) + 8 * random.lognormal(0, 0.3)
            dependency.append((call, at, latency))
            at += latency / 1e3 + 0.001
        at += own_ms / 1e3 if page else 0.0
        caller.append(("GET /page" if page else "GET /ping", float(start), (at - float(start)) * 1e3))
    return run_from(caller, f"caller-{seed}"), run_from(dependency, f"dependency-{seed}")


@pytest.fixture(scope="module")
def real() -> tuple[Run, Run]:
    return simulated(1)


def two_levels(real: tuple[Run, Run], mock: tuple[Run, Run], *, nested: bool = True) -> DeviationReport:
    calls = [
        calls_within(caller, EPOCH_NS if nested else 0, dependency, EPOCH_NS)
        for caller, dependency in (real, mock)
    ]
    report = compare_runs(real[1], mock[1])
    return replace(report, caller=explain(report, compare_runs(real[0], mock[0]), *calls))


def level(report: DeviationReport) -> CallerLevel:
    assert report.caller is not None
    return report.caller


def of(report: DeviationReport, name: str) -> Explained:
    return next(one for one in level(report).operations if one.name == name)


def test_calls_are_given_to_the_requests_that_made_them(real: tuple[Run, Run]) -> None:
    found = calls_within(real[0], EPOCH_NS, real[1], EPOCH_NS)
    assert isinstance(found, Calls)
    assert found.within == 1.0
    assert found.per_request["GET /page", "GET /prices"] == pytest.approx(2, abs=0.1)
    assert found.per_request["GET /page", "GET /stock"] == pytest.approx(1, abs=0.05)
    assert found.per_request["GET /ping", "GET /prices"] == pytest.approx(1, abs=0.1)
    assert found.per_request.get(("GET /ping", "GET /stock"), 0.0) < 0.05


def test_files_of_another_time_are_not_nested(real: tuple[Run, Run]) -> None:
    hour_ns = 3_600 * 10**9
    assert calls_within(real[0], EPOCH_NS, real[1], EPOCH_NS + hour_ns) is None
    assert calls_within(real[0], 0, real[1], EPOCH_NS) is None


def test_a_slower_dependency_explains_the_callers_shift(real: tuple[Run, Run]) -> None:
    page = of(two_levels(real, simulated(2, slower_ms=5)), "GET /page")
    assert page.shift.ms == pytest.approx(10, abs=1)
    assert page.dependency.ms == pytest.approx(10, abs=1.5)
    assert page.share == pytest.approx(1, abs=0.12)
    assert page.left.low < 0 < page.left.high
    assert page.parts[0].name == "GET /prices"


def test_what_the_caller_itself_takes_longer_is_left_over(real: tuple[Run, Run]) -> None:
    page = of(two_levels(real, simulated(2, own_ms=6)), "GET /page")
    assert page.left.ms == pytest.approx(6, abs=1)
    assert page.left.low > 0
    assert abs(page.share) < 0.2


def test_no_shift_has_no_share(real: tuple[Run, Run]) -> None:
    assert math.isnan(of(two_levels(real, simulated(2)), "GET /ping").share)


def test_without_common_clocks_requests_are_taken_to_call_alike(real: tuple[Run, Run]) -> None:
    report = two_levels(real, simulated(2, slower_ms=5), nested=False)
    assert not level(report).nested
    assert level(report).overall.dependency.ms == pytest.approx(7.5, abs=1)
    assert of(report, "GET /page").dependency.ms == of(report, "GET /ping").dependency.ms
    assert "every request is taken to make as many calls" in " ".join(render_text(report).split())


def test_every_rendering_tells_of_the_caller(real: tuple[Run, Run]) -> None:
    report = two_levels(real, simulated(2, slower_ms=5))
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(render_json(report)))
    assert "At the caller the gap is" in render_text(report)
    assert "| caller's operation |" in render_markdown(report)
    assert 'name="caller: GET /page"' in render_junit(report)
    assert 'mockforge_deviation_caller_explained_seconds{operation="GET /page"}' in render_prometheus(report)


def test_the_worse_level_is_the_verdict(real: tuple[Run, Run]) -> None:
    report = two_levels(real, simulated(2, own_ms=30))
    assert level(report).report.verdict.value == "outside"
    assert report.verdict.value == "outside"


def test_shifts_subtract_with_their_half_widths_in_quadrature() -> None:
    assert Shift(10, 7, 13).less(Shift(4, 0, 8)) == Shift(6, 1, 11)
