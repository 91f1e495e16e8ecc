"""The page of a fit: one file, nothing from elsewhere, safe against the names in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mockforge.report.curves import MOST_POINTS
from mockforge.report.fit import FitReport
from mockforge.report.fit_html import render_fit_html
from tests.unit.report.fit_examples import service, unidentified


def without_plotly(page: str) -> str:
    longest = max(re.finditer(r"<script>.*?</script>", page, re.DOTALL), key=lambda found: len(found[0]))
    return page[: longest.start()] + page[longest.end() :]


@pytest.fixture(scope="module")
def page() -> str:
    return render_fit_html(service())


@pytest.fixture(scope="module")
def own(page: str) -> str:
    return without_plotly(page)


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="pictures">(.*?)</script>', page, re.DOTALL)
    assert found
    pictures: dict[str, Any] = json.loads(found[1])
    return pictures


def test_the_page_is_under_6_megabytes(page: str) -> None:
    assert len(page.encode()) < 6_000_000


def test_nothing_is_loaded_from_elsewhere(own: str) -> None:
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", own)
    assert "url(" not in own
    assert "default-src 'none'" in own


def test_names_and_remarks_cannot_become_markup(own: str) -> None:
    assert "<script>alert" not in own
    assert "<b>GET" not in own
    assert "<i>" not in own
    assert own.count("</script>") == 2


def test_what_was_learned_stands_in_words_and_figures(own: str) -> None:
    assert "4 servers, first come first served, saturates near 400/s" in own
    assert "+10.0\u00a0%" in own
    assert "rests on 12 answers" in own
    assert "4 to 5" in own
    assert "delayDistribution&#34;: {" in own
    assert "not supported by the sample" in own


def test_candidates_stand_with_their_held_out_errors_and_the_chosen_one_is_marked(own: str) -> None:
    rows = re.findall(
        r"<tr( class=\"chosen\")?>\s*<th scope=\"row\">(\d servers[^<]*)</th>(.*?)</tr>", own, re.S
    )
    assert [(bool(chosen), name) for chosen, name, _ in rows] == [
        (True, "4 servers, first come first served"),
        (False, "3 servers, shared by all that are in flight"),
    ]
    assert "5.1\u00a0%" in rows[0][2]
    assert "learned" in rows[0][2]
    assert "refused" in rows[1][2]
    assert "–" in rows[1][2]


def test_links_lead_to_sections_of_the_page(own: str) -> None:
    for anchor in re.findall(r'href="#([^"]+)"', own):
        assert f'id="{anchor}"' in own


def test_every_label_names_an_element(own: str) -> None:
    for name in re.findall(r'aria-labelledby="([^"]+)"', own):
        assert own.count(f'id="{name}"') == 1


def test_every_picture_has_data_and_a_text_in_its_place(own: str) -> None:
    pictures = data_of(own)
    assert set(re.findall(r'data-operation="([^"]+)"', own)) == set(pictures) == {"0", "1", "load", "spells"}
    plots = re.findall(r'<div class="plot[^>]*>', own)
    assert len(plots) == 6
    assert all('role="img"' in plot and "aria-label=" in plot for plot in plots)
    for number in ("0", "1"):
        for side in ("real", "mock"):
            assert 0 < len(pictures[number][side]["x"]) == len(pictures[number][side]["y"]) <= MOST_POINTS
    assert pictures["load"]["saturates"] == 4
    assert pictures["load"]["mock"] is not None


def test_every_kind_of_picture_has_a_drawing(own: str) -> None:
    script = own.rsplit("<script>", 1)[1]
    for kind in set(re.findall(r'data-plot="(\w+)"', own)):
        assert re.search(rf"{kind}: draw\w+", script), kind
        assert re.search(rf"{kind}: \[\d+, \d+\]", script), kind


def test_a_service_that_is_not_identifiable_says_so_first() -> None:
    own = without_plotly(render_fit_html(replace(service(), capacity=unidentified())))
    assert "Not identifiable: recorded at up to 4 in flight" in own
    assert own.index("<strong>Mind:</strong> Load is not identifiable") < own.index("rests on 12 answers")
    assert data_of(own)["load"]["saturates"] is None


def test_an_empty_fit_is_a_page_too() -> None:
    own = without_plotly(render_fit_html(FitReport("empty", "empty.mfrec", 0, 0.0, ())))
    assert "Nothing was learned" in own
    assert data_of(own) == {}
    assert "nan" not in re.sub(r"<script.*?</script>|<style.*?</style>", "", own, flags=re.DOTALL).lower()


def test_an_operation_without_latencies_has_no_pictures() -> None:
    report = service()
    silent = replace(report.operations[0], recorded_ms=np.zeros(0), served_ms=None)
    own = without_plotly(render_fit_html(replace(report, operations=(silent,), calls=None, spells=None)))
    assert "nothing to compare" in own
    assert data_of(own) == {}
    assert 'class="pictures"' not in own


def test_a_model_that_gave_no_answer_has_no_pictures() -> None:
    report = service()
    silent = replace(report.operations[0], served_ms=np.full(5, np.nan))
    own = without_plotly(render_fit_html(replace(report, operations=(silent,), calls=None, spells=None)))
    assert data_of(own) == {}
    assert 'class="pictures"' not in own
