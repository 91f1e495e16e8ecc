"""The report's definitions, on runs whose figures are known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockforge.errors import ComparisonError
from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.deviation import Origin, Pair

MakeRun = Callable[..., Run]
LATENCIES = st.lists(st.integers(1, 10_000).map(lambda value: value / 10), min_size=1, max_size=40)


def test_a_run_is_no_gap_from_itself(make_run: MakeRun) -> None:
    run = make_run({"GET /a": [1, 2, 3], "GET /b": [40, 50]})
    report = compare_runs(run, run)
    assert report.gap == 0
    assert report.overall.p99_ms.deviation == 0
    assert (report.only_a, report.only_b) == ((), ())


def test_a_mock_half_as_slow_again_has_a_gap_of_a_half(make_run: MakeRun) -> None:
    real, mock = make_run({"GET /a": [10, 20, 30]}), make_run({"GET /a": [15, 30, 45]})
    report = compare_runs(real, mock)
    assert report.gap == pytest.approx(0.5)
    assert report.overall.p50_ms == Pair(20.0, 30.0)
    assert report.overall.p50_ms.deviation == pytest.approx(0.5)


def test_faster_and_slower_requests_do_not_cancel_in_the_gap(make_run: MakeRun) -> None:
    real, mock = make_run({"GET /a": [10, 10, 10]}), make_run({"GET /a": [5, 10, 15]})
    assert compare_runs(real, mock).gap == pytest.approx(1 / 3)


def test_the_runs_gap_weighs_operations_by_their_share_of_the_real_requests(make_run: MakeRun) -> None:
    real = make_run({"GET /a": [10, 10, 10], "GET /b": [10]})
    mock = make_run({"GET /a": [10], "GET /b": [20, 20, 20]})
    report = compare_runs(real, mock)
    assert report.gap == pytest.approx(0.25)
    assert [(one.name, one.share) for one in report.operations] == [("GET /a", 0.75), ("GET /b", 0.25)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(LATENCIES, LATENCIES), st.tuples(LATENCIES, LATENCIES))
def test_the_operations_contributions_sum_up_to_the_gap(
    make_run: MakeRun, real: tuple[list[float], list[float]], mock: tuple[list[float], list[float]]
) -> None:
    names = ("GET /a", "GET /b")
    report = compare_runs(
        make_run(dict(zip(names, real, strict=True))), make_run(dict(zip(names, mock, strict=True)))
    )
    assert sum(one.contribution for one in report.operations) == pytest.approx(report.gap)


def test_what_hurts_most_comes_first_in_the_ranking(make_run: MakeRun) -> None:
    real = make_run({"GET /often": [10] * 9, "GET /rare": [10]})
    mock = make_run({"GET /often": [10] * 9, "GET /rare": [20]})
    report = compare_runs(real, mock)
    assert [one.name for one in report.operations] == ["GET /often", "GET /rare"]
    assert [one.name for one in report.ranked] == ["GET /rare", "GET /often"]


def test_operations_that_one_run_lacks_are_named_and_left_out(make_run: MakeRun) -> None:
    real = make_run({"GET /a": [10], "GET /old": [99]})
    mock = make_run({"GET /a": [10], "GET /new": [99]})
    report = compare_runs(real, mock)
    assert (report.only_a, report.only_b) == (("GET /old",), ("GET /new",))
    assert report.overall.count == Pair(1.0, 1.0)
    assert report.a.count == 2


def test_error_rates_are_shares_of_failed_requests(make_run: MakeRun) -> None:
    real = make_run({"GET /a": [1, 1, 1, 1]}, statuses={"GET /a": [200, 404, 503, 0]})
    mock = make_run({"GET /a": [1, 1, 1, 1]})
    rates = compare_runs(real, mock).overall.error_rate
    assert (rates.a, rates.b, rates.difference) == (0.75, 0.0, -0.75)


def test_throughput_counts_answers_and_offered_load_counts_requests(make_run: MakeRun) -> None:
    real = make_run({"GET /a": [100] * 11}, statuses={"GET /a": [200] * 5 + [0] * 6}, every_ms=90)
    report = compare_runs(real, real)
    assert report.overall.throughput.a == pytest.approx(5.0)
    assert report.a.offered_per_s == pytest.approx(10 / 0.9)


def test_lateness_is_known_where_a_run_has_a_plan(make_run: MakeRun) -> None:
    report = compare_runs(make_run({"GET /a": [1]}), make_run({"GET /a": [1]}, lateness_ms=0.5))
    assert math.isnan(report.a.lateness_p50_ms)
    assert report.b.lateness_p99_ms == 0.5


def test_one_sample_a_run_is_compared_and_marked_as_few(make_run: MakeRun) -> None:
    report = compare_runs(make_run({"GET /a": [10]}), make_run({"GET /a": [12]}))
    assert report.overall.few
    assert report.gap == pytest.approx(0.2)
    assert math.isnan(report.a.offered_per_s)


def test_origins_come_along(make_run: MakeRun) -> None:
    origin = Origin("a.mfrec", "http://a", "mockforge 1", 0, {"seed": "1"})
    report = compare_runs(make_run({"GET /a": [1]}), make_run({"GET /a": [1]}), origin)
    assert (report.a.origin, report.b.origin) == (origin, None)


def test_a_latency_of_nothing_at_all_has_no_gap(make_run: MakeRun) -> None:
    assert math.isnan(compare_runs(make_run({"GET /a": [0]}), make_run({"GET /a": [1]})).gap)


def test_an_empty_run_is_refused_by_its_name(make_run: MakeRun) -> None:
    with pytest.raises(ComparisonError, match=r"empty\.mfrec: the run is empty"):
        compare_runs(make_run({"GET /a": [1]}), make_run({}, name="empty.mfrec"))


def test_runs_without_a_common_operation_are_refused_with_near_names(make_run: MakeRun) -> None:
    real = make_run({"GET /orders/{id}": [1], "GET /health": [1]})
    mock = make_run({"GET /order/{id}": [1]}, name="mock.mfrec")
    with pytest.raises(ComparisonError) as caught:
        compare_runs(real, mock)
    line = str(caught.value)
    assert "\n" not in line
    assert "no operation in common" in line
    assert "near names: GET /orders/{id} and GET /order/{id}" in line


def test_a_pair_of_unknowns_deviates_by_an_unknown() -> None:
    assert math.isnan(Pair(math.nan, 1.0).deviation)
    assert math.isnan(Pair(0.0, 1.0).deviation)
    assert np.isnan(Pair(1.0, math.nan).difference)
