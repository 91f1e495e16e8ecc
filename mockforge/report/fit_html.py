"""A fit as one HTML page that needs nothing but itself: plotly, styles and data stand in the file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity import CapacityFit
from mockforge.report.curves import Sample, percentile_curves
from mockforge.report.figures import count, milliseconds, percent, rate
from mockforge.report.fit import PROBABILITIES, Calls, FitReport, OperationFit, QuantileFit
from mockforge.report.fit_curves import LoadCurve, load_curves, timeline
from mockforge.report.fit_export import Exported, exports
from mockforge.report.fit_prose import (
    candidate_error,
    fit_headline,
    fit_paragraph,
    fit_remarks,
    is_chosen,
    load_meaning,
    percentile,
    saturation_per_s,
    spells_meaning,
    station_words,
)
from mockforge.report.page import (
    data_of_pictures,
    drawn_curve,
    drawn_numbers,
    page_environment,
    page_resources,
    resource,
)
from mockforge.stats.families import FamilyFit

__all__ = ["render_fit_html"]

_Facts = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Shown:
    """One operation as the page shows it, its figures reckoned once."""

    operation: OperationFit
    model_ms: NDArray[np.float64]
    quantiles: Mapping[float, QuantileFit]
    gap: float
    exports: tuple[Exported, ...]

    @classmethod
    def of(cls, operation: OperationFit) -> _Shown:
        found = {each.probability: each for each in operation.quantiles()}
        return cls(operation, operation.model_ms(), found, operation.gap(), exports(operation))

    @property
    def is_drawn(self) -> bool:
        """Whether there is anything to compare."""
        return self.operation.recorded_ms.size > 0 and self.model_ms.size > 0

    @property
    def paragraph(self) -> str:
        return fit_paragraph(self.operation, self.gap)

    @property
    def summary(self) -> str:
        """The quantiles in words, for those who cannot see the pictures."""
        told = [
            f"{percentile(each.probability)} {milliseconds(each.recorded_ms)} ms recorded, "
            f"{milliseconds(each.model_ms)} ms by the model"
            for each in self.quantiles.values()
        ]
        return "; ".join(told) or "too few answers for any quantile"


def render_fit_html(report: FitReport) -> str:
    """The page. Its size is that of plotly (about 5 MB) and some 15 kB an operation."""
    environment = page_environment()
    environment.filters.update(
        percentile=percentile,
        candidate_error=candidate_error,
        station=station_words,
        parameters=_parameters,
        written=_written,
    )
    shown = [_Shown.of(operation) for operation in report.operations]
    has_calls = report.calls is not None and report.calls.count > 1
    return environment.from_string(resource("fit.html.j2")).render(
        report=report,
        shown=shown,
        probabilities=PROBABILITIES,
        gap=report.gap(),
        headline=fit_headline(report),
        load=load_meaning(report),
        spells=spells_meaning(report),
        remarks=fit_remarks(report),
        recorded=_recorded(report),
        model=_model(report),
        has_calls=has_calls,
        chosen=is_chosen,
        data=data_of_pictures(dict(_pictures(report, shown))),
        **page_resources("pictures.js", "fit.js"),
    )


def _recorded(report: FitReport) -> _Facts:
    offered = report.count / report.span_s if report.span_s > 0 else math.nan
    facts = [
        ("exchanges", count(report.count)),
        ("lasted", f"{report.span_s:,.1f} s"),
        ("on average", rate(offered)),
    ]
    if report.capacity is not None:
        facts.append(("most in flight", count(report.capacity.recorded_up_to.most)))
    return facts


def _model(report: FitReport) -> _Facts:
    facts = [("operations", count(len({each.name for each in report.operations})))]
    if report.capacity is not None:
        facts += _station(report.capacity)
    if report.spells is not None and report.spells.spells is not None:
        facts.append(("slow spells", count(len(report.spells.spells.durations_s))))
    return facts


def _station(capacity: CapacityFit) -> _Facts:
    if not capacity.identifiable:
        return [("load", "not identifiable")]
    facts = [("station", str(capacity.station))]
    if (saturates := saturation_per_s(capacity)) is not None:
        facts.append(("saturates near", f"{saturates:,.0f}/s"))
    if capacity.servers_interval is not None:
        low, high = capacity.servers_interval
        facts.append(("servers, 95 % sure", f"{low} to {high}" if low < high else str(low)))
    if capacity.offset_ns:
        facts.append(("fixed part", f"{milliseconds(capacity.offset_ns / 1e6)} ms"))
    if capacity.held_out_error is not None:
        facts.append(("held-out error", percent(math.expm1(capacity.held_out_error))))
    return facts


def _pictures(report: FitReport, shown: list[_Shown]) -> Iterator[tuple[str, Any]]:
    for number, each in enumerate(shown):
        if each.is_drawn:
            real, mock = percentile_curves(Sample(each.operation.recorded_ms), Sample(each.model_ms))
            yield str(number), {"real": drawn_curve(real), "mock": drawn_curve(mock)}
    if report.calls is not None and report.calls.count > 1:
        yield "load", _load(report.calls, report.capacity)
        yield "spells", _spells(report.calls, report)


def _load(calls: Calls, capacity: CapacityFit | None) -> dict[str, Any]:
    recorded, model = load_curves(calls)
    return {
        "real": _load_curve(recorded),
        "mock": _load_curve(model) if model is not None else None,
        "saturates": capacity.station.saturates_at if capacity and capacity.identifiable else None,
    }


def _load_curve(curve: LoadCurve) -> dict[str, Any]:
    return {
        "x": drawn_numbers(curve.in_flight),
        "p50": drawn_numbers(curve.p50_ms),
        "p95": drawn_numbers(curve.p95_ms),
        "calls": curve.calls.tolist(),
    }


def _spells(calls: Calls, report: FitReport) -> dict[str, Any]:
    found = timeline(calls, report.spells.slow if report.spells is not None else None)
    return {
        "x": drawn_numbers(found.at_s),
        "p50": drawn_numbers(found.median),
        "p95": drawn_numbers(found.p95),
        "spells": [drawn_numbers(np.array(spell)) for spell in found.spells],
    }


def _parameters(family: FamilyFit) -> str:
    """`median 9.8, sigma 0.41`; what ends in _2 is of a mixture's second law."""
    named = [
        (f"second {name.removesuffix('_2')}" if name.endswith("_2") else name, value)
        for name, value in family.parameters.items()
    ]
    return ", ".join(f"{name} {value:.3g}" for name, value in named)


def _written(exported: Exported) -> str:
    return f'"{exported.key}": {json.dumps(exported.written)}'
