"""Comparing runs of which only percentiles are left: figures against figures, with nothing known of chance.

Verdicts rest on the figures as they are. What the source rounds to is the least that a latency may be off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean

import numpy as np

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary, Run, SummaryRun
from mockforge.report.deviation import (
    ALL_OPERATIONS,
    DeviationReport,
    OperationDeviation,
    Origin,
    Pair,
    RunSummary,
)
from mockforge.report.metrics.estimates import Estimate, estimate
from mockforge.report.metrics.kinds import Unit
from mockforge.report.metrics.latency import LEVELS
from mockforge.report.metrics.registry import KINDS
from mockforge.report.refusals import nothing_in_common
from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import judge_points
from mockforge.stats.intervals import Interval

__all__ = ["SummarySide", "compare_summaries", "summarised"]

#: What the time to the first byte is judged by, by the metric's name.
_FIRST_BYTE = {"ttfb_p50": 0.5, "ttfb_p95": 0.95}
_FEWEST_LEVELS = 3


@dataclass(frozen=True, slots=True)
class SummarySide:
    """One side of a comparison: a run's summary, or those of its repetitions."""

    runs: Sequence[SummaryRun]
    origins: Sequence[Origin | None] = ()
    sampled: Sequence[bool] = field(default=())


def summarised(run: Run) -> SummaryRun:
    """A run's percentiles, to be held against those of a run that has nothing else."""
    operations = [_of_samples(name, run.select(run.of(name))) for name in run.operations]
    return SummaryRun(
        run.name,
        run.kind,
        tuple(one for one in operations if one.count),
        _of_samples(ALL_OPERATIONS, run),
        run.duration_s,
        run.resolution_ns,
    )


def _of_samples(name: str, run: Run) -> OperationSummary:
    if not len(run):
        return OperationSummary(name)
    known = run.ttfb_ns[run.ttfb_ns >= 0] / 1e6
    failed = int(run.failed.sum())
    return OperationSummary(
        name=name,
        count=len(run),
        failed=failed,
        mean_ms=float(run.latency_ms.mean()),
        quantiles_ms={p: float(np.quantile(run.latency_ms, p)) for p in _probabilities(LEVELS)},
        ttfb_quantiles_ms={p: float(np.quantile(known, p)) for p in _FIRST_BYTE.values()}
        if known.size
        else {},
        answered_per_s=(len(run) - failed) / run.duration_s if run.duration_s else math.nan,
    )


def _probabilities(levels: Mapping[str, float]) -> list[float]:
    """The levels that are judged, and some between them, so that the gap has points to rest on."""
    return sorted({0.1, 0.25, 0.5, 0.66, 0.75, 0.8, 0.98, *levels.values()})


def compare_summaries(
    a: SummarySide, b: SummarySide, tolerances: Tolerances | None = None
) -> DeviationReport:
    """Compare two sides by their figures; raises ComparisonError where they have no operation in common."""
    tolerances = tolerances or Tolerances()
    for run in (*a.runs, *b.runs):
        if not len(run):
            raise ComparisonError("the run is empty", where=run.name, hint="record some traffic first")
    names_a, names_b = _names(a.runs), _names(b.runs)
    common = [name for name in names_a if name in names_b]
    if names_a and names_b and not common:
        raise ComparisonError(nothing_in_common(a.runs[0].name, b.runs[0].name, names_a, names_b))
    margin = _Margin.of((*a.runs, *b.runs), tolerances)
    counts = {name: fmean(one.count for one in _of(a.runs, name)) for name in common}
    total = sum(counts.values()) or 1.0
    operations = tuple(
        _operation(name, _of(a.runs, name), _of(b.runs, name), counts[name] / total, margin)
        for name in sorted(common, key=lambda name: -counts[name])
    )
    whole = _operation(ALL_OPERATIONS, _overall(a.runs), _overall(b.runs), 1.0, margin)
    return DeviationReport(
        runs_a=_summaries(a),
        runs_b=_summaries(b),
        operations=operations,
        overall=whole,
        only_a=tuple(name for name in names_a if name not in names_b),
        only_b=tuple(name for name in names_b if name not in names_a),
        tolerances=tolerances,
    )


@dataclass(frozen=True, slots=True)
class _Margin:
    """Tolerances, and what rounding alone makes of a latency: so many ms, and such a share."""

    tolerances: Tolerances
    least_ms: float
    precision: float

    @classmethod
    def of(cls, runs: Sequence[SummaryRun], tolerances: Tolerances) -> _Margin:
        least_ms = max(tolerances.floor_ms, *(run.resolution_ns / 1e6 for run in runs))
        return cls(tolerances, least_ms, max(run.precision for run in runs))

    def allows(self, one: Estimate, operation: str) -> float | None:
        bound = self.tolerances.of(operation, one.kind.name)
        if bound is None or one.kind.unit is not Unit.MS:
            return bound
        return max(bound, self.precision, self.least_ms / one.a if one.a > 0 else math.inf)


def _names(runs: Sequence[SummaryRun]) -> list[str]:
    return list(dict.fromkeys(one.name for run in runs for one in run.operations))


def _of(runs: Sequence[SummaryRun], name: str) -> list[OperationSummary]:
    return [one for run in runs for one in run.operations if one.name == name]


def _overall(runs: Sequence[SummaryRun]) -> list[OperationSummary]:
    """What each says of all requests; of one operation alone that is the same."""
    return [
        run.overall
        or (run.operations[0] if len(run.operations) == 1 else OperationSummary(ALL_OPERATIONS, len(run)))
        for run in runs
    ]


def _operation(
    name: str, a: Sequence[OperationSummary], b: Sequence[OperationSummary], share: float, margin: _Margin
) -> OperationDeviation:
    gap = _gap(a, b)
    figures = {**_figures(a, b), "gap": (0.0, gap)}
    estimates = [
        estimate(KINDS[metric], [_point(real)], [_point(mock)])
        for metric, (real, mock) in figures.items()
        if not (math.isnan(real) or math.isnan(mock))
    ]
    return OperationDeviation(
        name=name,
        count=Pair(float(sum(one.count for one in a)), float(sum(one.count for one in b))),
        share=share,
        gap=gap,
        noise=math.nan,
        metrics=tuple(judge_points(one, margin.allows(one, name)) for one in estimates),
        latencies_a=np.zeros(0),
        latencies_b=np.zeros(0),
    )


def _point(value: float) -> Interval:
    return Interval(value, value, value, math.inf)


def _figures(a: Sequence[OperationSummary], b: Sequence[OperationSummary]) -> dict[str, tuple[float, float]]:
    """The figures of both sides by metric, means over repetitions; NaN where a side has none."""

    def both(figure: Callable[[OperationSummary], float | None]) -> tuple[float, float]:
        return _mean([figure(one) for one in a]), _mean([figure(one) for one in b])

    return {
        **{name: both(partial(_quantile, p)) for name, p in LEVELS.items()},
        **{name: both(partial(_first_byte, p)) for name, p in _FIRST_BYTE.items()},
        "mean": both(lambda one: one.mean_ms),
        "error_rate": both(_error_rate),
        "throughput": both(lambda one: one.answered_per_s),
    }


def _quantile(probability: float, one: OperationSummary) -> float | None:
    return one.quantiles_ms.get(probability)


def _first_byte(probability: float, one: OperationSummary) -> float | None:
    return one.ttfb_quantiles_ms.get(probability)


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None and not math.isnan(value)]
    return fmean(known) if known else math.nan


def _error_rate(one: OperationSummary) -> float | None:
    return None if one.failed is None or not one.count else one.failed / one.count


def _gap(a: Sequence[OperationSummary], b: Sequence[OperationSummary]) -> float:
    """The area between both sides' percentiles, over the real mean; NaN where they share too few."""
    levels = sorted(set.intersection(*(set(one.quantiles_ms) for one in (*a, *b))))
    mean = _mean([one.mean_ms for one in a])
    if len(levels) < _FEWEST_LEVELS or not mean > 0:
        return math.nan
    apart = [
        abs(_mean([one.quantiles_ms[p] for one in b]) - _mean([one.quantiles_ms[p] for one in a]))
        for p in levels
    ]
    return float(np.trapezoid([apart[0], *apart, apart[-1]], [0.0, *levels, 1.0])) / mean


def _summaries(side: SummarySide) -> tuple[RunSummary, ...]:
    return tuple(
        RunSummary(
            name=run.name,
            kind=run.kind,
            count=len(run),
            duration_s=run.duration_s,
            offered_per_s=len(run) / run.duration_s if run.duration_s > 0 else math.nan,
            lateness_p50_ms=math.nan,
            lateness_p99_ms=math.nan,
            origin=side.origins[index] if index < len(side.origins) else None,
            achieved_per_s=run.overall.answered_per_s if run.overall else math.nan,
            sampled=index < len(side.sampled) and side.sampled[index],
            resolution_ms=run.resolution_ns / 1e6,
            precision=run.precision,
        )
        for index, run in enumerate(side.runs)
    )
