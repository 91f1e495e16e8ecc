"""From two sides' runs to the report: cut, aligned, measured operation by operation, and judged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mockforge.errors import ComparisonError
from mockforge.model.sample import Run
from mockforge.report.deviation import (
    ALL_OPERATIONS,
    DeviationReport,
    OperationDeviation,
    Origin,
    Pair,
    RunSummary,
)
from mockforge.report.distances import Gap, gap_of, mean_gap
from mockforge.report.drift import status_drift
from mockforge.report.load import load_response, matched
from mockforge.report.metrics.estimates import Estimate, estimate
from mockforge.report.metrics.kinds import Family, Scale, Unit
from mockforge.report.metrics.latency import LATENCY, LEVELS
from mockforge.report.metrics.registry import FAMILIES
from mockforge.report.metrics.throughput import THROUGHPUT, second_by_second
from mockforge.report.refusals import nothing_in_common
from mockforge.report.timeline import timeline
from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import Metric, judge, step_down
from mockforge.report.warmup import WarmUp
from mockforge.stats.intervals import Interval
from mockforge.stats.quantiles import quantiles

__all__ = ["Side", "compare_runs", "compare_sides", "loaded_differently"]

#: Offered rates that differ by more than this make latencies differ by themselves.
_LOAD_MISMATCH = 0.05


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a run or repetitions of one, each with where it came from, if known."""

    runs: Sequence[Run]
    origins: Sequence[Origin | None] = ()
    warmup: WarmUp = field(default_factory=WarmUp)

    def origin(self, index: int) -> Origin | None:
        """Where that run came from."""
        return self.origins[index] if index < len(self.origins) else None


def compare_runs(
    a: Run,
    b: Run,
    origin_a: Origin | None = None,
    origin_b: Origin | None = None,
    tolerances: Tolerances | None = None,
) -> DeviationReport:
    """Compare run A (real) with run B (mock), operation by operation: see `compare_sides`."""
    return compare_sides(Side((a,), (origin_a,)), Side((b,), (origin_b,)), tolerances)


def compare_sides(a: Side, b: Side, tolerances: Tolerances | None = None) -> DeviationReport:
    """Compare side A (real) with side B (mock), operation by operation, against tolerances or the defaults.

    Raises ComparisonError when a run is empty or the two have no operation in common.
    """
    for run in (*a.runs, *b.runs):
        if not len(run):
            raise ComparisonError("the run is empty", where=run.name, hint="record some traffic first")
    tolerances = _with_rounding(tolerances or Tolerances(), (*a.runs, *b.runs))
    warmup_s = max(side.warmup.of(run) for side in (a, b) for run in side.runs)
    runs_a, runs_b = (_settled(side.runs, warmup_s) for side in (a, b))
    summaries = tuple(
        tuple(_summary(run, side.origin(index), warmup_s) for index, run in enumerate(runs))
        for side, runs in ((a, runs_a), (b, runs_b))
    )
    parts_a, parts_b = _by_operation(runs_a), _by_operation(runs_b)
    common = [name for name in parts_a if name in parts_b]
    if not common:
        raise ComparisonError(nothing_in_common(runs_a[0].name, runs_b[0].name, list(parts_a), list(parts_b)))
    counts = {name: sum(len(run) for run in parts_a[name]) for name in common}
    align = loaded_differently(*summaries)
    pairs = [_Pairing.of(name, parts_a[name], parts_b[name], align) for name in common]
    shares = [counts[pair.name] / sum(counts.values()) for pair in pairs]
    gaps = [gap_of(pair.a, pair.b) for pair in pairs]
    everything = _Pairing.of(ALL_OPERATIONS, _only(runs_a, common), _only(runs_b, common), align)
    whole = replace(mean_gap(gaps, shares), inhomogeneity=gap_of(everything.a, everything.b).inhomogeneity)
    spans = _span(runs_a[0]), _span(runs_b[0])
    operations = [
        _operation(pair, gap, share, tolerances, spans)
        for pair, gap, share in zip(pairs, gaps, shares, strict=True)
    ]
    return DeviationReport(
        runs_a=summaries[0],
        runs_b=summaries[1],
        operations=tuple(
            sorted(_upheld(operations), key=lambda operation: (-operation.share, operation.name))
        ),
        overall=_operation(everything, whole, 1.0, tolerances, spans),
        only_a=tuple(name for name in parts_a if name not in parts_b),
        only_b=tuple(name for name in parts_b if name not in parts_a),
        tolerances=tolerances,
    )


def _with_rounding(tolerances: Tolerances, runs: Sequence[Run]) -> Tolerances:
    """What a source rounds to is the least that a latency may be off."""
    least_ms = max(run.resolution_ns for run in runs) / 1e6
    return replace(tolerances, floor_ms=max(tolerances.floor_ms, least_ms))


def _settled(runs: Sequence[Run], warmup_s: float) -> list[Run]:
    """The runs without their first seconds: all lose the same, so that they still met the same load."""
    if not warmup_s:
        return list(runs)
    settled = [run.select(run.start_ns >= run.start_ns[0] + round(warmup_s * 1e9)) for run in runs]
    for run, rest in zip(runs, settled, strict=True):
        if not len(rest):
            raise ComparisonError(
                f"nothing is left after a warm-up of {warmup_s:g} s", where=run.name, hint="--warm-up none"
            )
    return settled


def _by_operation(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """The requests of each operation, by run, runs without any left out; names in their order."""
    parts: dict[str, list[Run]] = {}
    for run in runs:
        order = np.argsort(run.operation, kind="stable")
        bounds = np.searchsorted(run.operation[order], np.arange(len(run.operations) + 1))
        for name, begin, end in zip(run.operations, bounds[:-1], bounds[1:], strict=True):
            if end > begin:
                parts.setdefault(name, []).append(run.select(order[begin:end]))
    return parts


def _only(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """The runs' requests of these operations."""
    found = []
    for run in runs:
        wanted = [index for index, name in enumerate(run.operations) if name in names]
        mask = np.isin(run.operation, wanted)
        found.append(run if mask.all() else run.select(mask))
    return [run for run in found if len(run)]


@dataclass(frozen=True, slots=True)
class _Pairing:
    """One operation's requests on both sides, weighted where the sides were loaded differently."""

    name: str
    a: list[Run]
    b: list[Run]
    matched: Pair | None = None

    @classmethod
    def of(cls, name: str, a: list[Run], b: list[Run], align: bool) -> _Pairing:
        found = matched(a, b) if align else None
        return cls(name, a, b) if found is None else cls(name, found[0], found[1], Pair(*found[2]))


_Span = tuple[int, int]


def _span(run: Run) -> _Span:
    return int(run.start_ns[0]), int(run.start_ns[-1])


def _operation(
    pair: _Pairing, gap: Gap, share: float, tolerances: Tolerances, spans: tuple[_Span, _Span]
) -> OperationDeviation:
    latencies = [np.sort(np.concatenate([run.latency_ms for run in side])) for side in (pair.a, pair.b)]
    measured = _measured(pair)
    effective_a, effective_b = (_effective(side) for side in measured[LATENCY])
    return OperationDeviation(
        name=pair.name,
        count=Pair(float(latencies[0].size), float(latencies[1].size)),
        share=share,
        gap=gap.value,
        noise=gap.noise,
        metrics=tuple(
            _judged(pair.name, one, tolerances) for one in (*_estimates(pair, measured), *gap.estimates())
        ),
        latencies_a=latencies[0],
        latencies_b=latencies[1],
        effective_a=effective_a,
        effective_b=effective_b,
        load=load_response(pair.a[0], pair.b[0]),
        timelines=(timeline(pair.a[0], *spans[0]), timeline(pair.b[0], *spans[1])),
        matched=pair.matched,
        drift=status_drift(pair.a, pair.b),
    )


#: By family, for each side, what each of its runs says.
_Measured = Mapping[Family, tuple[Sequence[Mapping[str, Interval]], Sequence[Mapping[str, Interval]]]]


def _measured(pair: _Pairing) -> _Measured:
    """Every family of which one side has something to say."""
    return {
        family: ([family.measure(run) for run in pair.a], [family.measure(run) for run in pair.b])
        for family in FAMILIES
        if any(family.tells(run) for run in (*pair.a, *pair.b))
    }


def _effective(runs: Sequence[Mapping[str, Interval]]) -> tuple[tuple[float, float], ...]:
    """The independent samples behind each quantile, of all runs of a side."""
    return tuple((level, sum(run[name].effective for run in runs)) for name, level in LEVELS.items())


def _estimates(pair: _Pairing, measured: _Measured) -> list[Estimate]:
    """Every number that both sides have, or of which one side has something to say."""
    found = []
    for family, sides in measured.items():
        for kind in family.kinds:
            of_a, of_b = ([run[kind.name] for run in side if kind.name in run] for side in sides)
            if not of_a and not of_b:
                continue
            if kind.rare and not any(one.estimate > 0 for one in (*of_a, *of_b)):
                continue
            one = estimate(kind, of_a, of_b)
            if family is THROUGHPUT and len(pair.a) == len(pair.b) == 1:
                one = second_by_second(one, pair.a[0], pair.b[0])
            found.append(one)
    return found


def _judged(operation: str, one: Estimate, tolerances: Tolerances) -> Metric:
    """The number with its verdict. A tail that cannot be bounded is judged only where somebody asked."""
    name = one.kind.name
    asked = tolerances.asked(operation, name)
    if not asked and name in LEVELS and name != "p50" and not judge(one, None).bounded:
        return judge(one, None)
    return judge(one, _allowed(one, operation, tolerances))


def _allowed(one: Estimate, operation: str, tolerances: Tolerances) -> float | None:
    """What the number may be off; of a latency never less than the floor in ms."""
    bound = tolerances.of(operation, one.kind.name)
    if bound is None or one.kind.unit is not Unit.MS or one.kind.scale is not Scale.RATIO:
        return bound
    return max(bound, tolerances.floor_ms / one.a if one.a > 0 else math.inf)


def _upheld(operations: Sequence[OperationDeviation]) -> list[OperationDeviation]:
    """The operations' verdicts, less those of "outside" that so many operations make by chance."""
    names = {metric.name for operation in operations for metric in operation.judged}
    upheld: Mapping[str, Mapping[str, Metric]] = {
        name: step_down(
            {one.name: metric for one in operations if (metric := one.metric(name)) and metric.verdict}
        )
        for name in names
    }
    return [
        replace(
            operation,
            metrics=tuple(
                upheld.get(metric.name, {}).get(operation.name, metric) for metric in operation.metrics
            ),
        )
        for operation in operations
    ]


def loaded_differently(a: Sequence[RunSummary], b: Sequence[RunSummary]) -> bool:
    """Whether the sides were offered rates that are too far apart for their latencies to be held together."""
    real, mock = (float(np.mean([run.offered_per_s for run in side])) for side in (a, b))
    return abs(mock - real) > _LOAD_MISMATCH * real


def _achieved(run: Run, span_s: float) -> float:
    """Good answers a second, while requests came."""
    good = (run.start_ns + run.total_ns)[~run.failed]
    return float(np.count_nonzero(good <= run.start_ns[-1])) / span_s if span_s else math.nan


def _summary(run: Run, origin: Origin | None, warmup_s: float) -> RunSummary:
    p50, p99 = quantiles(run.lateness_ns[run.lateness_ns >= 0] / 1e6, (0.5, 0.99))
    span_s = float(run.start_ns[-1] - run.start_ns[0]) / 1e9
    return RunSummary(
        name=run.name,
        kind=run.kind,
        count=len(run),
        duration_s=run.duration_s,
        offered_per_s=(len(run) - 1) / span_s if span_s else math.nan,
        lateness_p50_ms=float(p50),
        lateness_p99_ms=float(p99),
        origin=origin,
        achieved_per_s=_achieved(run, span_s),
        warmup_s=warmup_s,
        resolution_ms=run.resolution_ns / 1e6,
    )
