"""The report as one HTML page that needs nothing but itself: plotly, styles and data stand in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from mockforge.report import figures
from mockforge.report.curves import Curve, percentile_curves, shift_curve, spread
from mockforge.report.deviation import DeviationReport, OperationDeviation, RunSummary
from mockforge.report.judgement import amount, interval, judgement
from mockforge.report.prose import headline, meaning, paragraph, requests
from mockforge.report.remarks import remarks
from mockforge.report.repeat import commands
from mockforge.report.tolerances import METRICS

__all__ = ["render_html"]

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Side:
    """One run as the page shows it; `label` is also the class that colours it."""

    label: str
    run: RunSummary
    started: str


def render_html(report: DeviationReport) -> str:
    """The page. Its size is that of plotly (about 5 MB) and some 20 kB an operation."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update({name: _typeset(getattr(figures, name)) for name in figures.__all__})
    environment.filters.update(
        paragraph=paragraph, requests=requests, breakable=_breakable, unbroken=_unbroken, size=_size
    )
    environment.filters.update(
        amount=lambda metric: _minus(amount(metric, metric.deviation)),
        interval=lambda metric: _minus(re.sub(r" (%|pp)(?= to)", "", interval(metric))),
        allowed=lambda metric: amount(metric, metric.tolerance).removeprefix("+").replace(" ", "\u00a0"),
    )
    template = environment.from_string(_resource("report.html.j2"))
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
        style=Markup(_resource("report.css")),
        script=Markup(_resource("report.js")),
        plotly=Markup(files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")),
        data=_script_safe([_pictures(operation) for operation in drawn]),
    )


def _resource(name: str) -> str:
    return files("mockforge.report").joinpath(name).read_text(encoding="utf-8")


def _started(run: RunSummary) -> str:
    if run.origin is None:
        return ""
    return datetime.fromtimestamp(run.origin.started_wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _typeset(figure: Callable[[float], str]) -> Callable[[float], str]:
    """The same figure with a true minus sign, and a space that does not break."""
    return lambda value: figure(value).replace("-", "−").replace(" ", "\u00a0")


def _minus(figures: str) -> str:
    """With true minus signs, and its figures kept together with their signs and units."""
    return re.sub(r"(?<=\d) (?=%|pp)", "\u00a0", figures.replace("-", "−"))


def _unbroken(prose: str) -> str:
    """Figures stay with their units at the end of a line."""
    return re.sub(r"(?<=\d) (?=ms\b|s\b|%)", "\u00a0", prose)


def _breakable(name: str) -> Markup:
    """An operation's name that may break before a slash, but not after its method."""
    method, slash, path = name.partition(" /")
    if not slash:
        return Markup.escape(name)
    return Markup("{}\u00a0/").format(method) + Markup("<wbr>/").join(path.split("/"))


def _size(share: float) -> str:
    """How much a deviation asks to be looked at; no verdict."""
    size = abs(share)
    return "strong" if size >= 0.15 else "clear" if size >= 0.05 else "slight"


def _script_safe(value: Any) -> Markup:
    """JSON that may stand inside a script element, whatever the names in it are."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _pictures(operation: OperationDeviation) -> dict[str, Any]:
    real, mock = operation.latencies_a, operation.latencies_b
    real_curve, mock_curve = percentile_curves(real, mock)
    both = spread(real, mock)
    return {
        "real": _points(real_curve),
        "mock": _points(mock_curve),
        "shift": _points(shift_curve(real, mock)),
        "spread": {"edges": _numbers(both.edges_ms), "real": _numbers(both.a), "mock": _numbers(both.b)},
    }


def _points(curve: Curve) -> dict[str, list[float | None]]:
    return {"x": _numbers(curve.x), "y": _numbers(curve.y)}


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in values]
