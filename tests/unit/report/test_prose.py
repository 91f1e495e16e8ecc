"""The report in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.deviation import Origin
from mockforge.report.prose import headline, meaning, paragraph, provenance, requests

MakeRun = Callable[..., Run]


def words(make_run: MakeRun, real: Sequence[float], mock: Sequence[float]) -> str:
    return paragraph(compare_runs(make_run({"GET /a": real}), make_run({"GET /a": mock})).overall)


def test_the_headline_names_the_gap_the_requests_and_the_runs(make_run: MakeRun) -> None:
    report = compare_runs(make_run({"GET /a": [10] * 4}), make_run({"GET /a": [11] * 4}, name="mock.mfrec"))
    assert headline(report) == (
        "performance deviation gap 10.0 % over 4 requests: real real.mfrec vs mock mock.mfrec"
    )
    assert "on average 10.0 % of its operation's mean latency off" in meaning(report)


def test_runs_of_different_sizes_have_both_their_requests_named(make_run: MakeRun) -> None:
    report = compare_runs(make_run({"GET /a": [1]}), make_run({"GET /a": [1, 1]}))
    assert requests(report.overall) == "1 real and 2 mocked requests"


def test_a_mock_as_fast_as_the_service_is_called_that(make_run: MakeRun) -> None:
    said = words(make_run, [10.0] * 200, [10.1] * 200)
    assert said.startswith("The mock is as fast as the real service")
    assert said.endswith("Neither fails.")


def test_a_fast_tail_is_said_to_hide_slow_answers(make_run: MakeRun) -> None:
    said = words(make_run, [10.0] * 190 + [100.0] * 10, [10.0] * 190 + [82.0] * 10)
    assert "18 % faster (82.0 ms instead of 100.0 ms) at p99" in said
    assert "Tests on it will hide slow answers" in said


def test_a_slow_tail_is_said_to_be_harsher(make_run: MakeRun) -> None:
    said = words(make_run, [10.0] * 200, [10.0] * 190 + [50.0] * 10)
    assert "5.0 times as slow (50.0 ms instead of 10.0 ms) at p99" in said
    assert "Tests on it will meet slower answers" in said


def test_a_microsecond_is_not_worth_a_word(make_run: MakeRun) -> None:
    assert "as fast as the real service" in words(make_run, [0.02] * 200, [0.04] * 200)


def test_errors_are_told_in_shares(make_run: MakeRun) -> None:
    real = make_run({"GET /a": [1.0] * 200})
    mock = make_run({"GET /a": [1.0] * 200}, statuses={"GET /a": [503] * 5 + [200] * 195})
    assert "It fails more often: on 2.5 % of requests instead of 0.0 %." in paragraph(
        compare_runs(real, mock).overall
    )
    assert "Both fail on 2.5 % of requests." in paragraph(compare_runs(mock, mock).overall)


def test_few_samples_are_not_leaned_on(make_run: MakeRun) -> None:
    assert words(make_run, [1.0], [1.0]).endswith("All this rests on 1 request, too few to trust the tail.")


def test_latencies_of_nothing_have_no_meaning_to_tell(make_run: MakeRun) -> None:
    report = compare_runs(make_run({"GET /a": [0]}), make_run({"GET /a": [1]}))
    assert "cannot be told" in meaning(report)


def test_a_run_says_where_it_came_from(make_run: MakeRun) -> None:
    run = make_run({"GET /a": [10] * 3}, kind="replay")
    origin = Origin("a.mfrec", "http://host:80", "mockforge 1", 0)
    report = compare_runs(run, run, origin)
    load = "3 requests in 0.0 s, offered 100.0/s, achieved 100.0/s"
    assert provenance(report.a) == f"replayed against http://host:80: {load}"
    assert provenance(report.b) == f"replay: {load}"
