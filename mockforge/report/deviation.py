"""The deviation report: run A (real) against run B (mock), one value that every renderer draws.

Definitions (DESIGN: the deviation gap): the deviation of quantile q is `(Q_B - Q_A) / Q_A`; the gap is
`W1(A, B) / mean(A)`, the first Wasserstein distance over the mean; the run's gap is the operations' gaps
weighted by A's request shares. Every request of an operation counts, failed ones too: how fast a backend
fails is part of how it performs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mockforge import __version__
from mockforge.report.drift import Drift
from mockforge.report.expectations import EACH, Expected
from mockforge.report.explained import Explained
from mockforge.report.load import LoadBin
from mockforge.report.timeline import Timeline
from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import Metric, Verdict, overall_verdict

__all__ = [
    "ALL_OPERATIONS",
    "FEW_SAMPLES",
    "CallerLevel",
    "DeviationReport",
    "OperationDeviation",
    "Origin",
    "Pair",
    "RunSummary",
]

#: Below this many samples in either run an operation's figures are marked as few.
FEW_SAMPLES = 100
#: The name of what all operations make together.
ALL_OPERATIONS = "all operations"


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of both sides: `a` real, `b` mock. NaN where a side has none."""

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


_UNKNOWN = Pair(math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class OperationDeviation:
    """How one operation performed on both sides.

    `metrics` are all its numbers, by `report.metrics.registry`. `share` is the operation's part of side A's
    requests. `latencies_a` and `latencies_b` are the sorted latencies in ms, shapes (n_a,) and (n_b,), for
    pictures; empty where only percentiles are known. `noise` is the gap that two real runs would have by
    chance. `effective_a` and `effective_b` are the independent samples that quantiles rest on, by
    probability, rising. `load` are the latencies by the number of requests in flight, `timelines` how the
    first run of each side went over time. `matched` are the parts of both sides' requests that are compared,
    where the sides were loaded differently; None: all of them. `drift` is
    what the mock answers otherwise than the real service.
    """

    name: str
    count: Pair
    share: float
    gap: float
    noise: float
    metrics: tuple[Metric, ...]
    latencies_a: NDArray[np.float64]
    latencies_b: NDArray[np.float64]
    effective_a: tuple[tuple[float, float], ...] = ()
    effective_b: tuple[tuple[float, float], ...] = ()
    load: tuple[LoadBin, ...] = ()
    timelines: tuple[Timeline, Timeline] | None = None
    matched: Pair | None = None
    drift: Drift = field(default_factory=Drift)

    def metric(self, name: str) -> Metric | None:
        """The number of that name; None where the operation has none."""
        return next((metric for metric in self.metrics if metric.name == name), None)

    def pair(self, name: str) -> Pair:
        """Both sides' figures of that name; NaN where there are none."""
        metric = self.metric(name)
        return Pair(metric.a, metric.b) if metric else _UNKNOWN

    @property
    def p50_ms(self) -> Pair:
        """The median latency."""
        return self.pair("p50")

    @property
    def p95_ms(self) -> Pair:
        """The latency that one request in twenty exceeds."""
        return self.pair("p95")

    @property
    def p99_ms(self) -> Pair:
        """The latency that one request in a hundred exceeds."""
        return self.pair("p99")

    @property
    def mean_ms(self) -> Pair:
        """The mean latency."""
        return self.pair("mean")

    @property
    def error_rate(self) -> Pair:
        """The share of requests that failed, 0..1."""
        return self.pair("error_rate")

    @property
    def throughput(self) -> Pair:
        """Good answers a second."""
        return self.pair("throughput")

    @property
    def judged(self) -> tuple[Metric, ...]:
        """The numbers that a tolerance bounds."""
        return tuple(metric for metric in self.metrics if metric.verdict is not None)

    @property
    def verdict(self) -> Verdict:
        """The worst of its numbers' verdicts."""
        return overall_verdict([metric.verdict for metric in self.judged])

    @property
    def few(self) -> bool:
        """Whether either side has too few samples to lean on."""
        return min(self.count.a, self.count.b) < FEW_SAMPLES

    @property
    def contribution(self) -> float:
        """What the operation adds to the run's gap: the contributions of all operations sum up to it."""
        return self.gap * self.share

    @property
    def noise_ratio(self) -> float:
        """How many times the gap of two real runs this gap is; NaN where that is unknown."""
        return self.gap / self.noise if self.noise > 0 else math.nan


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

    `offered_per_s` is the rate at which requests came (NaN where there are too few to tell), `achieved_per_s`
    that of good answers; both are after the warm-up, of which `warmup_s` seconds were cut off.
    `origin` is None for a run that no file stands behind; `sampled` is not set where only percentiles are
    known. The source rounds latencies to `resolution_ms`, and within the share `precision` of themselves.
    """

    name: str
    kind: str
    count: int
    duration_s: float
    offered_per_s: float
    lateness_p50_ms: float
    lateness_p99_ms: float
    origin: Origin | None = None
    achieved_per_s: float = math.nan
    warmup_s: float = 0.0
    sampled: bool = True
    resolution_ms: float = 0.0
    precision: float = 0.0


@dataclass(frozen=True, slots=True)
class DeviationReport:
    """Side A against side B: operations that both have, by falling share of A; then those that one lacks.

    Each side is a run or several repetitions of one. `caller` is what users of the service saw that calls
    this one, where that is known too. `names` says what operations of side B are called in side A, in pairs
    as `--map` has them.
    """

    runs_a: tuple[RunSummary, ...]
    runs_b: tuple[RunSummary, ...]
    operations: tuple[OperationDeviation, ...]
    overall: OperationDeviation
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    tolerances: Tolerances = field(default_factory=Tolerances)
    caller: CallerLevel | None = None
    names: tuple[tuple[str, str], ...] = ()
    program: str = f"mockforge {__version__}"

    @property
    def a(self) -> RunSummary:
        """The real run, the first where there are several."""
        return self.runs_a[0]

    @property
    def b(self) -> RunSummary:
        """The mocked run, the first where there are several."""
        return self.runs_b[0]

    @property
    def ranked(self) -> tuple[OperationDeviation, ...]:
        """The operations by what hurts most: by falling contribution to the gap."""
        return tuple(sorted(self.operations, key=lambda operation: (-operation.contribution, operation.name)))

    @property
    def every(self) -> tuple[OperationDeviation, ...]:
        """The operations by what hurts most, and all of them together last."""
        return (*self.ranked, self.overall)

    @property
    def sampled(self) -> bool:
        """Whether both sides are known by their samples, so that chance can be told from deviation."""
        return all(run.sampled for run in (*self.runs_a, *self.runs_b))

    @property
    def decisive(self) -> tuple[tuple[OperationDeviation, Metric], ...]:
        """What the verdict rests on: the numbers that somebody gave a tolerance, else all that have one."""
        tolerances = self.tolerances
        return tuple(
            (operation, metric)
            for operation in self.every
            for metric in operation.judged
            if not tolerances.decide or tolerances.asked(operation.name, metric.name)
        )

    @property
    def expected(self) -> tuple[Expected, ...]:
        """What became of the expectations, in their order."""
        by_name = {operation.name: operation for operation in self.operations}
        found: list[Expected] = []
        for expectation in self.tolerances.expectations:
            names = by_name if expectation.operation == EACH else [expectation.operation or ALL_OPERATIONS]
            for name in names:
                operation = self.overall if name == ALL_OPERATIONS else by_name.get(name)
                found.append(
                    expectation.judge(name, operation.metric(expectation.metric) if operation else None)
                )
        return tuple(found)

    @property
    def verdict(self) -> Verdict:
        """Whether the mock is within its tolerances, and so are its callers' results where known."""
        verdicts = [*(metric.verdict for _, metric in self.decisive), *(one.verdict for one in self.expected)]
        return overall_verdict(verdicts + ([self.caller.report.verdict] if self.caller else []))

    @property
    def gap(self) -> float:
        """The headline: the operations' gaps weighted by A's request shares."""
        return self.overall.gap


@dataclass(frozen=True, slots=True)
class CallerLevel:
    """What the caller's own results deviate by, and how much of that the dependency explains.

    `operations` are the caller's by what hurts most. Where `nested` is set the calls of each request are
    known from the times of both files, `within` being the parts of all calls that lie in a request (real,
    mock); else every request is taken to make as many calls as all do on average.
    """

    report: DeviationReport
    nested: bool
    operations: tuple[Explained, ...]
    overall: Explained
    within: tuple[float, float]
