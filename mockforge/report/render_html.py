"""The report as one HTML page that needs nothing but itself: plotly, styles and data stand in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mockforge.report.curves import percentile_curves, shift_curve, spread
from mockforge.report.deviation import DeviationReport, OperationDeviation, RunSummary
from mockforge.report.judgement import amount, interval, judgement
from mockforge.report.page import (
    data_of_pictures,
    drawn_curve,
    drawn_numbers,
    page_environment,
    page_resources,
    resource,
)
from mockforge.report.prose import headline, meaning, paragraph, requests
from mockforge.report.remarks import remarks
from mockforge.report.repeat import commands
from mockforge.report.tolerances import METRICS

__all__ = ["render_html"]


@dataclass(frozen=True, slots=True)
class _Side:
    """One run as the page shows it; `label` is also the class that colours it."""

    label: str
    run: RunSummary
    started: str


def render_html(report: DeviationReport) -> str:
    """The page. Its size is that of plotly (about 5 MB) and some 20 kB an operation."""
    environment = page_environment()
    environment.filters.update(
        paragraph=paragraph,
        requests=requests,
        amount=lambda metric: _minus(amount(metric, metric.deviation)),
        interval=lambda metric: _minus(re.sub(r" (%|pp)(?= to)", "", interval(metric))),
        allowed=lambda metric: amount(metric, metric.tolerance).removeprefix("+").replace(" ", "\u00a0"),
    )
    template = environment.from_string(resource("report.html.j2"))
    drawn = (report.overall, *report.ranked)
    return template.render(
        report=report,
        sides=[_Side("real", report.a, _started(report.a)), _Side("mock", report.b, _started(report.b))],
        headline=headline(report),
        meaning=meaning(report),
        told=judgement(report),
        metric_names=[
            name for name in METRICS if any(name == metric.name for each in drawn for metric in each.metrics)
        ],
        remarks=remarks(report),
        most_contribution=max((operation.contribution for operation in report.operations), default=0.0),
        commands=commands(report),
        drawn=drawn,
        judged_operations=(*report.ranked, report.overall),
        data=data_of_pictures([_pictures(operation) for operation in drawn]),
        **page_resources("pictures.js", "report.js"),
    )


def _started(run: RunSummary) -> str:
    if run.origin is None or not run.origin.started_wall_ns:
        return "unknown" if run.origin else ""
    return datetime.fromtimestamp(run.origin.started_wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _minus(figures: str) -> str:
    """With true minus signs, and its figures kept together with their signs and units."""
    return re.sub(r"(?<=\d) (?=%|pp)", "\u00a0", figures.replace("-", "−"))


def _pictures(operation: OperationDeviation) -> dict[str, Any]:
    real, mock = operation.latencies_a, operation.latencies_b
    real_curve, mock_curve = percentile_curves(real, mock)
    both = spread(real, mock)
    return {
        "real": drawn_curve(real_curve),
        "mock": drawn_curve(mock_curve),
        "shift": drawn_curve(shift_curve(real, mock)),
        "spread": {
            "edges": drawn_numbers(both.edges_ms),
            "real": drawn_numbers(both.a),
            "mock": drawn_numbers(both.b),
        },
    }
