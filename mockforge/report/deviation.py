"""The deviation report: run A (real) against run B (mock), one value that every renderer draws.

Definitions (DESIGN: the deviation gap): the deviation of quantile q is `(Q_B - Q_A) / Q_A`; the gap is
`W1(A, B) / mean(A)`, the first Wasserstein distance over the mean; the run's gap is the operations' gaps
weighted by A's request shares. Every request of an operation counts, failed ones too: how fast a backend
fails is part of how it performs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from mockforge import __version__
from mockforge.errors import ComparisonError
from mockforge.model.sample import Run
from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import (
    Metric,
    Samples,
    Verdict,
    gap_metric,
    metrics_of,
    noise_floor,
    overall_verdict,
)
from mockforge.stats.quantiles import quantiles
from mockforge.stats.two_sample import wasserstein

__all__ = [
    "FEW_SAMPLES",
    "DeviationReport",
    "OperationDeviation",
    "Origin",
    "Pair",
    "RunSummary",
    "compare_runs",
]

#: Below this many samples in either run an operation's figures are marked as few.
FEW_SAMPLES = 100


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of both runs: `a` real, `b` mock. NaN where a run has none."""

    a: float
    b: float

    @property
    def deviation(self) -> float:
        """`(b - a) / a`; NaN where `a` is zero or either is unknown."""
        return (self.b - self.a) / self.a if self.a else math.nan

    @property
    def difference(self) -> float:
        """`b - a`, in the figure's own unit."""
        return self.b - self.a


@dataclass(frozen=True, slots=True)
class OperationDeviation:
    """How one operation performed in both runs. Latencies in ms, rates per second, error rates 0..1.

    `throughput` counts the requests that were answered. `share` is the operation's part of run A's requests.
    `latencies_a` and `latencies_b` are the sorted latencies in ms, shapes (n_a,) and (n_b,), for pictures.
    `metrics` are what is judged, each with its interval; `noise` is the gap that two real runs would have.
    """

    name: str
    count: Pair
    p50_ms: Pair
    p95_ms: Pair
    p99_ms: Pair
    mean_ms: Pair
    error_rate: Pair
    throughput: Pair
    gap: float
    share: float
    latencies_a: NDArray[np.float64]
    latencies_b: NDArray[np.float64]
    metrics: tuple[Metric, ...] = ()
    noise: float = math.nan

    @property
    def verdict(self) -> Verdict:
        """The worst of its metrics' verdicts."""
        return overall_verdict(list(self.metrics))

    @property
    def few(self) -> bool:
        """Whether either run has too few samples to lean on."""
        return min(self.count.a, self.count.b) < FEW_SAMPLES

    @property
    def contribution(self) -> float:
        """What the operation adds to the run's gap: the contributions of all operations sum up to it."""
        return self.gap * self.share


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run came from: what a reader needs to make it again.

    `notes` are the recorder's own remarks (seed, speed, source, `generator_limited`).
    """

    path: str
    target: str
    program: str
    started_wall_ns: int
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run was: its size, its load, and how late its own program was (ms; NaN where it has no plan).

    `offered_per_s` is the rate at which requests came (NaN where there are too few to tell);
    `origin` is None for a run that no file stands behind.
    """

    name: str
    kind: str
    count: int
    duration_s: float
    offered_per_s: float
    lateness_p50_ms: float
    lateness_p99_ms: float
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class DeviationReport:
    """Run A against run B: operations that both have, by falling share of A; then those that one lacks."""

    a: RunSummary
    b: RunSummary
    operations: tuple[OperationDeviation, ...]
    overall: OperationDeviation
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    tolerances: Tolerances = field(default_factory=Tolerances)
    program: str = f"mockforge {__version__}"

    @property
    def ranked(self) -> tuple[OperationDeviation, ...]:
        """The operations by what hurts most: by falling contribution to the gap."""
        return tuple(sorted(self.operations, key=lambda operation: (-operation.contribution, operation.name)))

    @property
    def verdict(self) -> Verdict:
        """Whether the mock is within its tolerances: by the metrics that somebody gave one, else by all."""
        given = self.tolerances.given
        return overall_verdict(
            [
                metric
                for operation in (*self.operations, self.overall)
                for metric in operation.metrics
                if not given or metric.name in given
            ]
        )

    @property
    def gap(self) -> float:
        """The headline: the operations' gaps weighted by A's request shares."""
        return self.overall.gap


def compare_runs(
    a: Run,
    b: Run,
    origin_a: Origin | None = None,
    origin_b: Origin | None = None,
    tolerances: Tolerances | None = None,
) -> DeviationReport:
    """Compare run A (real) with run B (mock), operation by operation, against tolerances or the defaults.

    Raises ComparisonError when a run is empty or the two have no operation in common.
    """
    for run in (a, b):
        if not len(run):
            raise ComparisonError("the run is empty", where=run.name, hint="record some traffic first")
    names_a, names_b = _names(a), _names(b)
    common = [name for name in names_a if name in names_b]
    if not common:
        raise ComparisonError(_nothing_in_common(a, b, names_a, names_b))
    shares = np.array([float(a.of(name).sum()) for name in common])
    shares = shares / shares.sum()
    operations = [
        _operation(name, a, b, a.of(name), b.of(name), float(share))
        for name, share in zip(common, shares, strict=True)
    ]
    gap = float(sum(operation.gap * operation.share for operation in operations))
    tolerances = tolerances or Tolerances()
    overall = _operation("all operations", a, b, _any_of(a, common), _any_of(b, common), 1.0, gap)
    return DeviationReport(
        a=_summary(a, origin_a),
        b=_summary(b, origin_b),
        operations=tuple(
            _judged(operation, a, b, [operation.name], tolerances)
            for operation in sorted(operations, key=lambda operation: (-operation.share, operation.name))
        ),
        overall=_judged(overall, a, b, common, tolerances),
        only_a=tuple(name for name in names_a if name not in names_b),
        only_b=tuple(name for name in names_b if name not in names_a),
        tolerances=tolerances,
    )


def _names(run: Run) -> list[str]:
    return [run.operations[index] for index in np.unique(run.operation)]


def _any_of(run: Run, names: list[str]) -> NDArray[np.bool_]:
    wanted = [run.operations.index(name) for name in names]
    return np.asarray(np.isin(run.operation, wanted), dtype=np.bool_)


def _operation(
    name: str,
    a: Run,
    b: Run,
    in_a: NDArray[np.bool_],
    in_b: NDArray[np.bool_],
    share: float,
    gap: float | None = None,
) -> OperationDeviation:
    latencies_a = np.sort(a.total_ns[in_a] / 1e6)
    latencies_b = np.sort(b.total_ns[in_b] / 1e6)
    levels = [
        Pair(float(q_a), float(q_b))
        for q_a, q_b in zip(
            quantiles(latencies_a, (0.5, 0.95, 0.99)), quantiles(latencies_b, (0.5, 0.95, 0.99)), strict=True
        )
    ]
    mean = Pair(float(latencies_a.mean()), float(latencies_b.mean()))
    return OperationDeviation(
        name=name,
        count=Pair(float(latencies_a.size), float(latencies_b.size)),
        p50_ms=levels[0],
        p95_ms=levels[1],
        p99_ms=levels[2],
        mean_ms=mean,
        error_rate=Pair(float(a.failed[in_a].mean()), float(b.failed[in_b].mean())),
        throughput=Pair(_answered_per_s(a, in_a), _answered_per_s(b, in_b)),
        gap=_gap(latencies_a, latencies_b) if gap is None else gap,
        share=share,
        latencies_a=latencies_a,
        latencies_b=latencies_b,
    )


def _judged(
    operation: OperationDeviation, a: Run, b: Run, names: list[str], tolerances: Tolerances
) -> OperationDeviation:
    """The same with its metrics and their verdicts."""
    real, mock = _samples(a, _any_of(a, names)), _samples(b, _any_of(b, names))
    noise = noise_floor(real, mock.latency_ms.size)
    metrics = metrics_of(operation.name, real, mock, tolerances)
    gap = gap_metric(operation.name, operation.gap, noise, tolerances)
    return replace(operation, metrics=(*metrics, gap), noise=noise)


def _samples(run: Run, mask: NDArray[np.bool_]) -> Samples:
    return Samples(run.start_ns[mask], run.total_ns[mask] / 1e6, run.failed[mask])


def _gap(latencies_a: NDArray[np.float64], latencies_b: NDArray[np.float64]) -> float:
    mean = float(latencies_a.mean())
    return wasserstein(latencies_a, latencies_b) / mean if mean else math.nan


def _answered_per_s(run: Run, mask: NDArray[np.bool_]) -> float:
    answered = int(np.count_nonzero(mask & (run.status > 0)))
    return answered / run.duration_s if run.duration_s else math.nan


def _offered_per_s(run: Run) -> float:
    """Arrivals over the time between the first and the last: the senders' load, whatever came back."""
    span_s = float(run.start_ns.max() - run.start_ns.min()) / 1e9
    return (len(run) - 1) / span_s if span_s else math.nan


def _summary(run: Run, origin: Origin | None) -> RunSummary:
    known = run.lateness_ns[run.lateness_ns >= 0] / 1e6
    p50, p99 = quantiles(known, (0.5, 0.99))
    return RunSummary(
        name=run.name,
        kind=run.kind,
        count=len(run),
        duration_s=run.duration_s,
        offered_per_s=_offered_per_s(run),
        lateness_p50_ms=float(p50),
        lateness_p99_ms=float(p99),
        origin=origin,
    )


def _nothing_in_common(a: Run, b: Run, names_a: list[str], names_b: list[str]) -> str:
    message = f"no operation in common: {a.name} has {_some(names_a)}; {b.name} has {_some(names_b)}"
    near = [(name, match) for name in names_a for match in get_close_matches(name, names_b, 1, 0.7)]
    if near:
        message += f"; near names: {near[0][0]} and {near[0][1]}"
    return message


def _some(names: list[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
