"""The terminal's rendering: whole names, aligned figures, meaning without colour."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.console import Console

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.deviation import DeviationReport
from mockforge.report.render_terminal import DeviationView, render_text

MakeRun = Callable[..., Run]
LONG = "GET /customers/{id}/orders/{orderId}/shipments/{shipmentId}/history"


@pytest.fixture
def report(make_run: MakeRun) -> DeviationReport:
    real = make_run({"GET /a": [10.0] * 150, LONG: [1234.0] * 120})
    mock = make_run({"GET /a": [11.0] * 150, LONG: [1000.0] * 120}, name="mock.mfrec")
    return compare_runs(real, mock)


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_no_line_is_wider_than_the_terminal(report: DeviationReport, width: int) -> None:
    assert max(map(len, render_text(report, width).splitlines())) <= width


@pytest.mark.parametrize("width", [80, 120, 160])
def test_names_are_never_cut(report: DeviationReport, width: int) -> None:
    text = render_text(report, width)
    assert "…" not in text
    for part in LONG.split("/"):
        assert part in text


def test_names_stand_above_the_figures_at_80_columns_and_beside_them_at_120(report: DeviationReport) -> None:
    assert f"\n{LONG}\n" in render_text(report, 80)
    assert any(
        line.startswith("GET /a ") and "real" in line for line in render_text(report, 120).splitlines()
    )


def test_both_runs_figures_stand_one_above_the_other(report: DeviationReport) -> None:
    lines = render_text(report, 80).splitlines()
    at = lines.index("GET /a")
    real, mock, deviation = lines[at + 1 : at + 4]
    assert real.split()[:3] == ["real", "150", "10.0"]
    assert mock.split()[:3] == ["mock", "150", "11.0"]
    assert deviation.split()[:3] == ["deviation", "+10.0", "%"]
    assert deviation.endswith("10.0 %")
    assert real.index("10.0") + len("10.0") == deviation.index("+10.0 %") + len("+10.0 %")


def test_markup_in_a_name_is_printed_as_it_is(make_run: MakeRun) -> None:
    run = make_run({"GET /[red]a[/red]": [1.0]})
    assert "GET /[red]a[/red]" in render_text(compare_runs(run, run))


def test_a_remark_that_is_grave_is_told_without_colour(make_run: MakeRun) -> None:
    real, mock = make_run({"GET /a": [1.0] * 100}), make_run({"GET /a": [1.0] * 100}, every_ms=20)
    assert render_text(compare_runs(real, mock)).startswith("NOTE  the runs were offered different loads")


def test_colour_changes_no_character(report: DeviationReport) -> None:
    console = Console(width=100, color_system="truecolor", force_terminal=True, legacy_windows=False)
    with console.capture() as captured:
        console.print(DeviationView(report))
    assert "\x1b[" in captured.get()
