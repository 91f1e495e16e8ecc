"""The history for people: what the last gap is, where it changed, and which files could not be read."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from mockforge.report.history import History, read_history
from mockforge.report.render_history import HistoryView, history_headline, render_history_html

DAY_NS = 86_400_000_000_000


def report(gap: float, day: int, name: str = "GET /a") -> str:
    run = {"origin": {"started_wall_ns": 1_780_000_000_000_000_000 + day * DAY_NS}}
    return json.dumps(
        {
            "schema": "mockforge.deviation/2",
            "gap_share": gap,
            "verdict": "outside" if gap > 0.1 else "within",
            "real": [run],
            "mock": [run],
            "operations": [{"name": name, "gap_share": gap}],
        }
    )


@pytest.fixture
def history(tmp_path: Path) -> History:
    for day in range(12):
        gap = 0.05 + 0.001 * (day % 3) + (0.08 if day >= 6 else 0.0)
        (tmp_path / f"{day:02}.json").write_text(report(gap, day, "GET /<b>"))
    (tmp_path / "torn.json").write_text(report(0.1, 20)[:80])
    return read_history(tmp_path)


def shown(history: History) -> str:
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(HistoryView(history))
    return console.export_text()


def test_the_terminal_tells_reports_changes_and_damaged_files(history: History) -> None:
    text = re.sub(r"\s+", " ", shown(history))
    assert "performance deviation gap 13.2 % in the last of 12 reports, 5.0 % to 13.2 % before" in text
    assert "all operations: the gap rose from 5.1 % to 13.1 %" in text
    assert "06.json" in text
    assert "torn.json cannot be read" in text


def test_a_single_report_has_nothing_before_it(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(report(0.05, 0))
    history = read_history(tmp_path)
    assert history_headline(history) == "performance deviation gap 5.0 % in the last of 1 report"
    assert "no change that is more than chance" in shown(history)


def test_the_page_shows_each_series_and_is_safe_against_names(history: History) -> None:
    page = render_history_html(history)
    assert page.count('data-plot="overall"') == 1
    assert page.count('data-plot="series"') == 1
    assert "GET\u00a0/&lt;b&gt;" in page
    assert "/<b>" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    data = re.search(r'id="pictures">(.*?)</script>', page, re.DOTALL)
    assert data
    series = json.loads(data[1])
    assert series[0]["changes"] == [6]
    assert len(series[0]["at"]) == len(series[0]["gap"]) == 12
