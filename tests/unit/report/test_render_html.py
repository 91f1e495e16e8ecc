"""The page: one file, nothing from elsewhere, safe against the names in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.curves import MOST_POINTS
from mockforge.report.deviation import DeviationReport, Origin
from mockforge.report.html_pictures import PICTURES
from mockforge.report.render_html import render_html
from mockforge.report.tolerances import Tolerances

MakeRun = Callable[..., Run]
EVIL = "GET /</script><script>alert(1)</script>&\"'"


@pytest.fixture
def report(make_run: MakeRun) -> DeviationReport:
    real = make_run({"GET /a/{id}": [10.0] * 150, EVIL: [5.0, 6.0]})
    mock = make_run({"GET /a/{id}": [12.0] * 150, EVIL: [5.0, 7.0]}, name="<b>mock.mfrec", kind="serve")
    origin = Origin("<i>.mfrec", "stubs/a", "mockforge 1", 1_763_683_200_000_000_000, {"seed": "<u>"})
    return compare_runs(real, mock, origin_b=origin)


@pytest.fixture
def own(report: DeviationReport) -> str:
    """The page without plotly's own text."""
    page = render_html(report)
    scripts = list(re.finditer(r"<script>.*?</script>", page, re.DOTALL))
    longest = max(scripts, key=lambda found: len(found[0]))
    return page[: longest.start()] + page[longest.end() :]


def data_of(page: str) -> list[dict[str, Any]]:
    found = re.search(r'<script type="application/json" id="pictures">(.*?)</script>', page, re.DOTALL)
    assert found
    pictures: list[dict[str, Any]] = json.loads(found[1])
    return pictures


def test_the_page_is_under_6_megabytes(report: DeviationReport) -> None:
    assert len(render_html(report).encode()) < 6_000_000


def test_nothing_is_loaded_from_elsewhere(own: str) -> None:
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", own)
    assert "url(" not in own
    assert "@import" not in own
    assert "default-src 'none'" in own


def test_names_and_notes_cannot_become_markup(own: str) -> None:
    assert "<script>alert" not in own
    assert "<b>mock" not in own
    assert "<i>.mfrec" not in own
    assert "<u>" not in own
    assert own.count("</script>") == 2


def test_every_figure_and_paragraph_stands_in_the_text(own: str) -> None:
    assert "+20.0\u00a0%" in own
    assert "20\u00a0% slower" in own
    assert "few samples" in own
    assert "2025-11-21 00:00:00 UTC" in own
    assert "mockforge serve stubs/a --seed" in own


def test_operations_link_to_their_own_sections(own: str) -> None:
    for anchor in re.findall(r'href="#([^"]+)"', own):
        assert f'id="{anchor}"' in own


def test_pictures_are_drawn_from_thin_curves_of_all_operations_and_each(own: str) -> None:
    pictures = data_of(own)
    assert len(pictures) == own.count('class="pictures"') == 3
    for picture in pictures:
        for curve in (*picture["percentiles"].values(), picture["shift"]):
            assert 0 < len(curve["x"]) == len(curve["y"]) <= MOST_POINTS
        assert len(picture["spread"]["edges"]) == len(picture["spread"]["real"]) + 1


def test_every_picture_there_is_has_its_place_and_no_other(own: str) -> None:
    shown = re.findall(r'data-plot="(\w+)"', own)
    assert shown == [key for picture in data_of(own) for key, _, _ in PICTURES if key in picture]


def test_every_number_of_an_operation_stands_behind_its_pictures(own: str, report: DeviationReport) -> None:
    assert own.count('<details class="numbers">') == 3
    for metric in report.overall.metrics:
        assert f'<th scope="row">{metric.name.replace("_", " ")}</th>' in own


def test_what_was_expected_is_told_with_what_became_of_it(make_run: MakeRun) -> None:
    tolerances = Tolerances.parse(["p50.deviation<10%"])
    runs = make_run({"GET /a": [10.0] * 150}), make_run({"GET /a": [20.0] * 150})
    page = render_html(compare_runs(*runs, tolerances=tolerances))
    assert "What was expected" in page
    assert "p50.deviation&lt;10%" in page


def test_unknown_figures_are_drawn_as_gaps_and_written_as_dashes(make_run: MakeRun) -> None:
    report = compare_runs(make_run({"GET /a": [0.0]}), make_run({"GET /a": [1.0]}))
    page = render_html(report)
    assert data_of(page)[0]["shift"]["y"] == [None] * len(data_of(page)[0]["shift"]["x"])
    assert "nan" not in re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL).lower()


def test_every_picture_has_a_text_in_its_place(own: str) -> None:
    plots = re.findall(r'<div class="plot"[^>]*>', own)
    assert len(plots) == sum(len(picture) for picture in data_of(own))
    assert all('role="img"' in plot and "aria-label=" in plot for plot in plots)
