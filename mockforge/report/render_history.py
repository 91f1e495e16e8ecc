"""The gap over many reports: for a terminal, and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from mockforge.report.deviation import ALL_OPERATIONS
from mockforge.report.figures import percent
from mockforge.report.history import Entry, History, Series
from mockforge.report.page import data_of_pictures, page_environment, page_resources, resource
from mockforge.stats.change_points import ChangePoint

__all__ = ["HistoryView", "change_sentence", "history_headline", "render_history_html"]

_STYLE = {"within": "green", "outside": "red", "inconclusive": "yellow"}


class HistoryView:
    """The history for a terminal: a line a report, then every change that is more than chance."""

    def __init__(self, history: History) -> None:
        self._history = history

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text | Table]:
        yield Text(history_headline(self._history), style="bold")
        yield Text()
        yield self._reports()
        changes = list(_changes(self._history))
        yield Text()
        if not changes:
            yield Text("no change that is more than chance")
        for series, change in changes:
            yield Text(change_sentence(self._history, series, change), overflow="fold")
        for path, why in self._history.damaged:
            yield Text(f"warning: {path} cannot be read: {why}", style="yellow", overflow="fold")

    def _reports(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("mocked run began", no_wrap=True)
        table.add_column("gap", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        table.add_column("report", overflow="fold")
        most = max((_overall(entry) for entry in self._history.entries), default=0.0)
        for entry in self._history.entries:
            gap = _overall(entry)
            bar = "█" * round(20 * gap / most) if most > 0 else ""
            verdict = Text(entry.verdict, style=_STYLE.get(entry.verdict, ""))
            table.add_row(_when(entry), percent(gap), Text(bar, style="dim"), verdict, Text(entry.path.name))
        return table


def render_history_html(history: History) -> str:
    """The page: each operation's gap over time, changes marked, and a table of the reports."""
    pictures = [_picture(history, series) for series in history.series]
    return (
        page_environment()
        .from_string(resource("history.html.j2"))
        .render(
            history=history,
            headline=history_headline(history),
            changes=[change_sentence(history, series, change) for series, change in _changes(history)],
            rows=[(entry, _when(entry), _overall(entry)) for entry in reversed(history.entries)],
            data=data_of_pictures(pictures),
            **page_resources("pictures.js", "history.js"),
        )
    )


def _picture(history: History, series: Series) -> dict[str, Any]:
    entries = [history.entries[index] for index in series.entries]
    return {
        "at": [f"{_moment(entry):%Y-%m-%d %H:%M:%S}" for entry in entries],
        "gap": [round(gap, 5) for gap in series.gaps],
        "report": [entry.path.name for entry in entries],
        "verdict": [entry.verdict for entry in entries],
        "changes": [change.index for change in series.changes],
    }


def history_headline(history: History) -> str:
    """`performance deviation gap 6.2 % in the last of 14 reports, 5.8 % to 9.1 % before`."""
    gaps = [_overall(entry) for entry in history.entries]
    count = len(gaps)
    reports = f"{count} report{'s' if count > 1 else ''}"
    text = f"performance deviation gap {percent(gaps[-1])} in the last of {reports}"
    return text if count == 1 else f"{text}, {percent(min(gaps[:-1]))} to {percent(max(gaps[:-1]))} before"


def change_sentence(history: History, series: Series, change: ChangePoint) -> str:
    """`GET /orders: the gap rose from 5.1 % to 9.8 % with out/14.json (2026-11-20 12:00 UTC)`."""
    entry = history.entries[series.entries[change.index]]
    way = "rose" if change.after > change.before else "fell"
    levels = f"from {percent(change.before)} to {percent(change.after)}"
    return f"{series.name}: the gap {way} {levels} with {entry.path} ({_when(entry)})"


def _changes(history: History) -> Iterator[tuple[Series, ChangePoint]]:
    for series in history.series:
        for change in series.changes:
            yield series, change


def _overall(entry: Entry) -> float:
    return entry.gaps.get(ALL_OPERATIONS, float("nan"))


def _when(entry: Entry) -> str:
    return f"{_moment(entry):%Y-%m-%d %H:%M} UTC"


def _moment(entry: Entry) -> datetime:
    return datetime.fromtimestamp(entry.at_ns / 1e9, UTC)
