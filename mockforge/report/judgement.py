"""Verdicts in plain words, the same in every rendering."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mockforge.report.deviation import DeviationReport, OperationDeviation
from mockforge.report.figures import count, points, signed_percent
from mockforge.report.verdicts import Metric, Verdict

__all__ = ["Judged", "amount", "interval", "judged", "judgement", "sentence"]

_WORD = {
    Verdict.WITHIN: "within tolerance",
    Verdict.OUTSIDE: "outside tolerance",
    Verdict.INCONCLUSIVE: "inconclusive",
}


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
    """`outside tolerance: 3 of 32 metrics are outside, 8 inconclusive`."""
    every = [one.metric.verdict for one in judged(report)]
    outside, unknown = every.count(Verdict.OUTSIDE), every.count(Verdict.INCONCLUSIVE)
    parts = [f"{count(outside)} of {count(len(every))} metrics are outside"] if outside else []
    parts += (
        [f"{count(unknown)} {'' if outside else f'of {count(len(every))} '}inconclusive"] if unknown else []
    )
    told = ", ".join(parts) or f"all {count(len(every))} metrics are within"
    return f"{_WORD[report.verdict]}: {told}"


def sentence(one: Judged) -> str:
    """`GET /orders p95 +18.2 % (+12.1 % to +24.0 %), 10.0 % allowed`, and what would decide it."""
    metric = one.metric
    text = f"{one.operation.name} {metric.name} {amount(metric, metric.deviation)} ({interval(metric)}), "
    text += f"{amount(metric, metric.tolerance).removeprefix('+')} allowed"
    if metric.verdict is Verdict.INCONCLUSIVE and metric.needed is not None:
        samples = math.ceil(metric.needed * min(one.operation.count.a, one.operation.count.b))
        text += f"; some {count(_round_up(samples))} samples would tell"
    return text


def amount(metric: Metric, value: float) -> str:
    """A deviation as people read it: percent, or points for error rates."""
    return points(value) if metric.name == "error_rate" else signed_percent(value)


def interval(metric: Metric) -> str:
    """`+12.1 % to +24.0 %`, or that the sample has no bound."""
    if not math.isfinite(metric.low) or not math.isfinite(metric.high) or metric.low <= -1:
        known = [
            f"at least {amount(metric, metric.low)}" if math.isfinite(metric.low) and metric.low > -1 else "",
            f"at most {amount(metric, metric.high)}" if math.isfinite(metric.high) else "",
        ]
        return " and ".join(part for part in known if part) or "too few samples for an interval"
    return f"{amount(metric, metric.low)} to {amount(metric, metric.high)}"


def _round_up(samples: int) -> int:
    """To two figures: nobody needs more."""
    unit = int(10 ** max(0, len(str(samples)) - 2))
    return -(-samples // unit) * unit
