"""Every number of a report for a terminal: a table an operation, and its latency by load."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from mockforge.report.deviation import DeviationReport, OperationDeviation
from mockforge.report.figures import count, milliseconds, percent
from mockforge.report.judgement import allowed, amount, figure, interval
from mockforge.report.verdicts import Metric, Verdict

__all__ = ["details"]

_STYLE = {Verdict.WITHIN: "green", Verdict.OUTSIDE: "red", Verdict.INCONCLUSIVE: "yellow"}


def details(report: DeviationReport) -> Iterator[Text | Table]:
    """The operations by what hurts most, all of them together last."""
    for operation in report.every:
        yield Text(operation.name, style="bold", overflow="fold")
        yield _numbers(operation)
        if operation.load:
            yield _load(operation)
        if operation.drift.findings:
            yield _drift(operation)


def _numbers(operation: OperationDeviation) -> Table:
    table = _table("metric", "real", "mock", "deviation", "95 % interval", "allowed", "verdict")
    family = ""
    for metric in operation.metrics:
        if family and metric.family != family:
            table.add_section()
        family = metric.family
        table.add_row(*_cells(metric))
    return table


def _cells(metric: Metric) -> list[Text]:
    distance = metric.family == "distance"
    return [
        Text(metric.name),
        Text("" if distance else figure(metric, metric.a)),
        Text("" if distance else figure(metric, metric.b)),
        Text(amount(metric, metric.deviation)),
        Text(_bounds(metric), style="dim"),
        Text("" if metric.verdict is None else allowed(metric), style="dim"),
        Text(metric.verdict.value, style=_STYLE[metric.verdict]) if metric.verdict else Text(""),
    ]


def _bounds(metric: Metric) -> str:
    """The interval, with its unit once."""
    if not metric.bounded and metric.interval:
        return "–"
    return re.sub(r" (%|pp|ms)(?= to)", "", interval(metric))


def _load(operation: OperationDeviation) -> Table:
    table = _table("in flight", "requests", "", "p50 ms", "", "p95 ms", "")
    for one in operation.load:
        shown = str(one.low) if one.low == one.high else f"{one.low} to {one.high}"
        figures = [*map(count, one.count), *map(milliseconds, (*one.p50_ms, *one.p95_ms))]
        table.add_row(shown, *figures)
    return table


def _drift(operation: OperationDeviation) -> Table:
    table = _table("answered otherwise", "real", "mock")
    for one in operation.drift.findings:
        table.add_row(Text(f"{one.kind} {one.what}", overflow="fold"), percent(one.real), percent(one.mock))
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first, no_wrap=True)
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
    return table
