"""The report as one HTML page that needs nothing but itself: plotly, styles and data stand in the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mockforge.report.deviation import DeviationReport, OperationDeviation, RunSummary
from mockforge.report.html_pictures import PICTURES, pictures_of
from mockforge.report.judgement import allowed, amount, expected_sentence, figure, interval, judgement
from mockforge.report.page import data_of_pictures, page_environment, page_resources, resource
from mockforge.report.prose import (
    caller_headline,
    dependency_text,
    headline,
    meaning,
    paragraph,
    requests,
    shift_text,
)
from mockforge.report.remarks import remarks
from mockforge.report.repeat import commands
from mockforge.report.tolerances import METRICS
from mockforge.report.verdicts import Metric

__all__ = ["render_html"]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side as the page shows it; `label` is also the class that colours it."""

    label: str
    runs: Sequence[RunSummary]

    @property
    def run(self) -> RunSummary:
        """The first of the runs: the one that most sides have alone."""
        return self.runs[0]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An operation with its pictures; `shown` are those that there is something to see of."""

    operation: OperationDeviation
    pictures: dict[str, Any]

    @property
    def shown(self) -> list[tuple[str, str, bool]]:
        return [each for each in PICTURES if each[0] in self.pictures]


def render_html(report: DeviationReport) -> str:
    """The page. Its size is that of plotly (about 5 MB) and some 40 kB an operation."""
    environment = page_environment()
    environment.filters.update(
        paragraph=paragraph,
        requests=requests,
        amount=lambda metric: _minus(amount(metric, metric.deviation)),
        interval=lambda metric: _minus(_bounds(metric)),
        allowed=lambda metric: allowed(metric).replace(" ", "\u00a0"),
        figure=lambda metric, value: "" if metric.family == "distance" else _minus(figure(metric, value)),
        shift=lambda shift: _minus(shift_text(shift)),
        explained=lambda one: _minus(dependency_text(one)),
        expectation=expected_sentence,
        started=_started,
    )
    drawn = [_Drawn(operation, pictures_of(operation)) for operation in (report.overall, *report.ranked)]
    return environment.from_string(resource("report.html.j2")).render(
        report=report,
        sides=[_Side("real", report.runs_a), _Side("mock", report.runs_b)],
        headline=headline(report),
        meaning=meaning(report),
        told=judgement(report),
        caller_told="" if report.caller is None else caller_headline(report.caller),
        metric_names=_judged_names(report),
        remarks=remarks(report),
        most_contribution=max((operation.contribution for operation in report.operations), default=0.0),
        commands=commands(report),
        drawn=drawn,
        data=data_of_pictures([each.pictures for each in drawn]),
        **page_resources("pictures.js", "report.js"),
    )


def _judged_names(report: DeviationReport) -> list[str]:
    """The metrics that any operation is judged by, in the order of all."""
    judged = {metric.name for operation in report.every for metric in operation.judged}
    return [name for name in METRICS if name in judged]


def _started(run: RunSummary) -> str:
    if run.origin is None or not run.origin.started_wall_ns:
        return "unknown" if run.origin else ""
    return datetime.fromtimestamp(run.origin.started_wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _bounds(metric: Metric) -> str:
    """The interval with its unit once; a dash where chance leaves it open."""
    if not metric.bounded and metric.interval:
        return "–"
    return re.sub(r" (%|pp|ms)(?= to)", "", interval(metric))


def _minus(figures: str) -> str:
    """With true minus signs, and its figures kept together with their signs and units."""
    return re.sub(r"(?<=\d) (?=%|pp|ms)", "\u00a0", figures.replace("-", "−"))
