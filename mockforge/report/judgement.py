"""Verdicts in plain words, the same in every rendering."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mockforge.report.deviation import DeviationReport, OperationDeviation
from mockforge.report.expectations import Expected
from mockforge.report.figures import (
    count,
    milliseconds,
    percent,
    points,
    rate,
    signed_milliseconds,
    signed_percent,
    size,
)
from mockforge.report.metrics.kinds import Unit
from mockforge.report.verdicts import Metric, Verdict

__all__ = [
    "Judged",
    "allowed",
    "amount",
    "expected_sentence",
    "figure",
    "interval",
    "judged",
    "judgement",
    "sentence",
]

_WORD = {
    Verdict.WITHIN: "within tolerance",
    Verdict.OUTSIDE: "outside tolerance",
    Verdict.INCONCLUSIVE: "inconclusive",
}
_EXPECTED = {Verdict.WITHIN: "holds", Verdict.OUTSIDE: "broken", Verdict.INCONCLUSIVE: "cannot be told"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One metric of one operation."""

    operation: OperationDeviation
    metric: Metric


def judged(report: DeviationReport) -> Iterator[Judged]:
    """Every metric that counts, the operations' first, those of all operations last."""
    for operation, metric in report.decisive:
        yield Judged(operation, metric)


def judgement(report: DeviationReport) -> str:
    """`outside tolerance: 3 of 32 metrics are outside, 8 inconclusive; 1 of 2 expectations broken`."""
    parts = []
    every = [one.metric.verdict for one in judged(report)]
    if every:
        parts.append(_counted([verdict for verdict in every if verdict], "metrics", "outside"))
    if report.expected:
        parts.append(_counted([one.verdict for one in report.expected], "expectations", "broken"))
    return f"{_WORD[report.verdict]}: {'; '.join(parts) or 'nothing was judged'}"


def _counted(verdicts: list[Verdict], things: str, bad: str) -> str:
    outside, unknown = verdicts.count(Verdict.OUTSIDE), verdicts.count(Verdict.INCONCLUSIVE)
    every = count(len(verdicts))
    parts = [f"{count(outside)} of {every} {things} are {bad}"] if outside else []
    parts += [f"{count(unknown)} {'' if outside else f'of {every} '}inconclusive"] if unknown else []
    return ", ".join(parts) or f"all {every} {things} {'are within' if things == 'metrics' else 'hold'}"


def sentence(one: Judged) -> str:
    """`GET /orders p95 +18.2 % (+12.1 % to +24.0 %), +3.61 ms, 10.0 % allowed`, and what would decide it."""
    metric = one.metric
    text = f"{one.operation.name} {metric.name} {amount(metric, metric.deviation)} ({interval(metric)}), "
    if metric.unit is Unit.MS and metric.relative:
        text += f"{signed_milliseconds(metric.difference)}, "
    text += f"{allowed(metric)} allowed"
    if metric.verdict is Verdict.INCONCLUSIVE and metric.needed is not None:
        samples = math.ceil(metric.needed * min(one.operation.count.a, one.operation.count.b))
        text += f"; some {count(_round_up(samples))} samples would tell"
    return text


def allowed(metric: Metric) -> str:
    """What the number may be off; anything where its floor is beyond all shares of it."""
    return "any" if math.isinf(metric.tolerance) else amount(metric, metric.tolerance).removeprefix("+")


def expected_sentence(one: Expected) -> str:
    """`p95.deviation<10% of all operations: broken, 0.182 (0.121 to 0.24)`."""
    told = f"{one.text} ({one.operation}): {_EXPECTED[one.verdict]}"
    if math.isnan(one.value):
        return f"{told}, as there is no such figure"
    if one.low == one.high:
        return f"{told}, it is {one.value:.4g}"
    if not (math.isfinite(one.low) and math.isfinite(one.high)):
        return f"{told}, it is {one.value:.4g} of too few samples for an interval"
    return f"{told}, it is {one.value:.4g} ({one.low:.4g} to {one.high:.4g})"


def figure(metric: Metric, value: float) -> str:
    """One side's figure as people read it, by the metric's unit."""
    if metric.unit is Unit.NUMBER:
        return "–" if math.isnan(value) else f"{value:.2f}"
    write = {Unit.MS: milliseconds, Unit.SHARE: percent, Unit.PER_S: rate, Unit.BYTES: size}
    return write[metric.unit](value)


def amount(metric: Metric, value: float) -> str:
    """A deviation as people read it: percent, or a difference in points, ms or the number itself."""
    if metric.relative or metric.family == "distance":
        return signed_percent(value)
    if metric.unit is Unit.MS:
        return signed_milliseconds(value)
    return points(value) if metric.unit is Unit.SHARE else "–" if math.isnan(value) else f"{value:+.2f}"


def interval(metric: Metric) -> str:
    """`+12.1 % to +24.0 %`, or that the sample has no bound, or that nothing is known of chance."""
    if not metric.interval:
        return "no interval"
    lowest = -1.0 if metric.relative else -math.inf
    if not math.isfinite(metric.low) or not math.isfinite(metric.high) or metric.low <= lowest:
        known = [
            f"at least {amount(metric, metric.low)}"
            if math.isfinite(metric.low) and metric.low > lowest
            else "",
            f"at most {amount(metric, metric.high)}" if math.isfinite(metric.high) else "",
        ]
        return " and ".join(part for part in known if part) or "too few samples for an interval"
    return f"{amount(metric, metric.low)} to {amount(metric, metric.high)}"


def _round_up(samples: int) -> int:
    """To two figures: nobody needs more."""
    unit = int(10 ** max(0, len(str(samples)) - 2))
    return -(-samples // unit) * unit
