"""What the pictures of a deviation draw, as data for scripts: curves, spreads, timelines, latency by load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mockforge.report.curves import (
    Curve,
    Sample,
    known_curve,
    known_shift,
    percentile_curves,
    shift_curve,
    spread,
)
from mockforge.report.deviation import OperationDeviation
from mockforge.report.load import LoadBin
from mockforge.report.metrics.latency import LEVELS
from mockforge.report.page import drawn_curve, drawn_numbers
from mockforge.report.timeline import Timeline

__all__ = ["PICTURES", "pictures_of"]

#: What there may be to see of an operation, in order: key, caption, and whether it takes the whole width.
PICTURES: Sequence[tuple[str, str, bool]] = (
    ("percentiles", "Latency by percentile", True),
    ("shift", "How much slower or faster the mock is, by percentile", False),
    ("spread", "How latencies spread", False),
    ("time", "Latency over time", False),
    ("load", "Latency by requests in flight", False),
    ("errors", "Failures over time", False),
)


def pictures_of(operation: OperationDeviation) -> dict[str, Any]:
    """By picture, its data; what there is nothing to see of is left out."""
    found = {**_distribution(operation), **_over_time(operation.timelines)}
    if len(operation.load) > 1:
        found["load"] = _load(operation.load)
    return found


def _distribution(operation: OperationDeviation) -> dict[str, Any]:
    if not (operation.latencies_a.size and operation.latencies_b.size):
        return _known(operation)
    real = Sample(operation.latencies_a, operation.effective_a)
    mock = Sample(operation.latencies_b, operation.effective_b)
    curves = percentile_curves(real, mock)
    both = spread(real.ordered, mock.ordered)
    return {
        "percentiles": _sides(*map(drawn_curve, curves)),
        "shift": drawn_curve(shift_curve(real, mock)),
        "spread": {
            "edges": drawn_numbers(both.edges_ms),
            **_sides(drawn_numbers(both.a), drawn_numbers(both.b)),
        },
    }


def _known(operation: OperationDeviation) -> dict[str, Any]:
    """Of sides that are known by their percentiles alone."""
    real, mock = (_percentiles(operation, side) for side in ("a", "b"))
    if not (real.x.size and mock.x.size):
        return {}
    found: dict[str, Any] = {"percentiles": _sides(drawn_curve(real), drawn_curve(mock))}
    shift = known_shift(real, mock)
    return {**found, "shift": drawn_curve(shift)} if shift.x.size else found


def _percentiles(operation: OperationDeviation, side: str) -> Curve:
    figures = [(level, float(getattr(operation.pair(name), side))) for name, level in LEVELS.items()]
    return known_curve([(level, figure) for level, figure in figures if figure > 0])


def _over_time(timelines: tuple[Timeline, Timeline] | None) -> dict[str, Any]:
    if timelines is None or min(each.at_s.size for each in timelines) < 2:
        return {}
    found: dict[str, Any] = {
        "time": _sides(*(_columns(at=each.at_s, p50=each.p50_ms, p95=each.p95_ms) for each in timelines))
    }
    if any(np.nanmax(each.failed, initial=0.0) > 0 for each in timelines):
        found["errors"] = _sides(*(_columns(at=each.at_s, failed=each.failed) for each in timelines))
    return found


def _load(bins: Sequence[LoadBin]) -> dict[str, Any]:
    shown = [str(one.low) if one.low == one.high else f"{one.low} to {one.high}" for one in bins]
    at = np.array([(one.low + one.high) / 2 + 1 for one in bins])

    def side(index: int) -> dict[str, Any]:
        p50, p95 = (np.array([level[index] for level in levels]) for levels in _levels(bins))
        return _columns(at=at, p50=p50, p95=p95)

    return {"shown": shown, **_sides(side(0), side(1))}


def _levels(bins: Sequence[LoadBin]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    return [one.p50_ms for one in bins], [one.p95_ms for one in bins]


def _columns(**columns: NDArray[np.float64]) -> dict[str, list[float | None]]:
    return {name: drawn_numbers(values) for name, values in columns.items()}


def _sides(real: Any, mock: Any) -> dict[str, Any]:
    return {"real": real, "mock": mock}
