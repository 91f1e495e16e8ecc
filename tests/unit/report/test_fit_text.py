"""A fit in the terminal: whole names, aligned figures, and few lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockforge.report.fit import FitReport
from mockforge.report.fit_text import render_fit_text
from tests.unit.report.fit_examples import EVIL, latencies, operation, service, unidentified

NAMES = ["GET /orders/{id}", "POST /orders", "GET /customers/{id}/orders/{orderId}", "GET /health", "PUT /a"]


@pytest.fixture(scope="module")
def five() -> FitReport:
    return replace(service(), operations=tuple(operation(name, latencies(400)) for name in NAMES))


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_five_operations_take_at_most_40_lines_of_the_terminals_width(five: FitReport, width: int) -> None:
    lines = render_fit_text(five, width).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= width


def test_recorded_model_and_error_stand_one_above_the_other() -> None:
    lines = render_fit_text(service(), 80).splitlines()
    at = lines.index("GET /orders/{id}: 200")
    recorded, model, error = lines[at + 1 : at + 4]
    assert recorded.split()[:2] == ["recorded", "400"]
    assert float(model.split()[1]) == pytest.approx(1.1 * float(recorded.split()[2]), rel=0.01)
    assert error.split()[:3] == ["error", "+10.0", "%"]
    assert error.endswith("10.0 %")


def test_names_stand_beside_the_figures_where_there_is_room(five: FitReport) -> None:
    assert any(
        line.startswith("PUT /a: 200 ") and "recorded" in line
        for line in render_fit_text(five, 130).splitlines()
    )


def test_names_are_printed_as_they_are() -> None:
    assert f"{EVIL}: 200" in render_fit_text(service(), 130)


def test_load_and_what_it_rests_on_stand_in_words() -> None:
    text = render_fit_text(service(), 120)
    assert "4 servers, first come first served, saturates near 400/s" in text
    assert "in sample  p50 +0.0 %" in text
    assert "held out   5.1 % off; 3 servers, shared by all that are in flight: –" in text


def test_why_load_is_not_identifiable_is_said_once() -> None:
    text = render_fit_text(replace(service(), capacity=unidentified()), 160)
    assert text.count("recorded at up to 4 in flight") == 1


def test_more_remarks_than_fit_are_counted() -> None:
    text = render_fit_text(replace(service(), remarks=tuple(f"remark {n}" for n in range(9))), 100)
    assert "remark 3" in text
    assert "remark 4" not in text
    assert "and 7 more" in text


def test_an_empty_fit_says_that_nothing_was_learned() -> None:
    assert "nothing was learned" in render_fit_text(FitReport("empty", "empty.mfrec", 0, 0.0, ()))
