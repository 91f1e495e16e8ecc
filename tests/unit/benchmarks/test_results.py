"""Verdicts, and the page that is written from results."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.bounds import Bound, judged, no_errors
from benchmarks.results import Check, Conditions, Contestant, RowResult, Sense, load, render, save

GOLDEN = Path(__file__).with_name("results.golden.md")

CONDITIONS = Conditions(
    date="2025-01-31 12:00 UTC",
    command="python -m benchmarks",
    machine=(("processor", "Some Processor, 2 cores"), ("memory", "24 GiB")),
    software=(("MockForge", "0.1.0"), ("nginx", "1.22.1")),
)


def figures(cpu_us: float, ratio: float, errors: float = 0) -> dict[str, float]:
    return {"requests_per_s": 1e6 / cpu_us, "cpu_us": cpu_us, "ratio": ratio, "errors": errors}


def rows() -> tuple[RowResult, ...]:
    contestants = (
        Contestant("nginx", (figures(6, 1), figures(5, 1), figures(7, 1))),
        Contestant("MockForge", (figures(9, 1.5), figures(9, 1.8), figures(9.1, 1.3, errors=2))),
        Contestant("mountebank", missing="not installed"),
    )
    static = RowResult(
        key="static",
        title="Static stub",
        how="64 connections.",
        checks=(
            judged(contestants, Bound("CPU a request over nginx's", "ratio", "at most", 1.7, "×")),
            no_errors(contestants),
        ),
        contestants=contestants,
        conditions=CONDITIONS,
        ratio="× nginx",
    )
    absent = (Contestant("MockForge", missing="ended with code 2: mockforge: stubs.json:7: no"),)
    body = RowResult(
        key="body",
        title="POST",
        how="A body.",
        checks=(judged(absent, Bound("p99", "p99_ms", "at most", 6, "ms")),),
        contestants=absent,
        conditions=CONDITIONS,
    )
    return static, body


def test_the_page_is_as_expected() -> None:
    assert render(rows()) == GOLDEN.read_text()


def test_a_quick_run_says_so() -> None:
    [row, _] = rows()
    quick = Conditions(row.conditions.date, "x", row.conditions.machine, row.conditions.software, quick=True)
    page = render([RowResult("a", "A", "", (), (), quick)])
    assert "A quick run" in page
    assert "A quick run" not in GOLDEN.read_text()


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    save(rows(), tmp_path / "results.json")
    assert load(tmp_path / "results.json") == rows()


def test_results_of_another_form_are_none(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert load(file) == ()
    file.write_text('[{"key": "static"}]')
    assert load(file) == ()


@pytest.mark.parametrize(
    ("sense", "rounds", "verdict"),
    [
        ("at most", (9.0, 1.0, 1.7), "reached"),
        ("at most", (1.0, 1.71, 9.0), "**missed**"),
        ("less than", (1.7,), "**missed**"),
        ("less than", (1.69,), "reached"),
        ("at least", (1.7,), "reached"),
        ("at least", (1.69, 2.0, 1.0), "**missed**"),
        ("at least", (), "not measured"),
    ],
)
def test_the_verdict_is_that_of_the_median_round(
    sense: Sense, rounds: tuple[float, ...], verdict: str
) -> None:
    assert Check("figure", sense, 1.7, "×", rounds).verdict == verdict


def test_a_figure_that_a_round_lacks_is_not_judged_by_the_other_rounds() -> None:
    contestants = [Contestant("MockForge", ({"p99_ms": 5.0}, {}, {"p99_ms": 5.1}))]
    check = judged(contestants, Bound("p99", "p99_ms", "at most", 6, "ms"))
    assert (check.measured, check.missing) == (None, "not in every round")


def test_a_ratio_without_its_base_names_what_was_not_run() -> None:
    contestants = [Contestant("nginx", missing="not installed"), Contestant("MockForge", ({"cpu_us": 9.0},))]
    check = judged(contestants, Bound("ratio", "ratio", "at most", 1.7, "×"))
    assert (check.verdict, check.missing) == ("not measured", "nginx not run")


def test_an_error_in_any_round_of_any_of_our_servers_counts() -> None:
    contestants = [
        Contestant("MockForge, 10 stubs", ({"errors": 0.0}, {"errors": 0.0})),
        Contestant("MockForge, 10,000 stubs", ({"errors": 0.0}, {"errors": 1.0})),
        Contestant("WireMock", ({"errors": 5.0},)),
    ]
    assert no_errors(contestants).rounds == (1.0,)
    assert no_errors(contestants).verdict == "**missed**"
