"""What a report is expected to show, written like k6's thresholds: `p95.deviation<10%`.

    [OPERATION:] METRIC[.PART] (< | <= | > | >=) VALUE[% | pp | ms | s]

A part is `deviation` (the mock's figure less the real one, over it), `delta` (the difference, in the metric's
unit), `ratio` (mock over real), `real` or `mock` (the figures). A deviation or delta below a bound is meant
either way: `p95.deviation<10%` breaks for a mock that is 12 % faster, too; `p95.deviation>-10%` bounds it one
way. Without an operation it is about all operations together; `*:` is each of them.

It holds where the whole interval does, is broken where none of it does, and else cannot be told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from mockforge.errors import UsageError
from mockforge.report.metrics.kinds import Scale
from mockforge.report.metrics.registry import FAMILY_OF, KINDS
from mockforge.report.verdicts import Metric, Verdict

__all__ = ["EACH", "Expectation", "Expected", "known_metric"]

#: Stands for every operation.
EACH = "*"

_WRITTEN = re.compile(
    r"^(?:(?P<operation>\*|[A-Z]+ \S.*?):\s*)?(?P<metric>[a-z]\w*?(?:\.\d+)?)(?:\.(?P<part>[a-z]+))?"
    r"\s*(?P<sense><=?|>=?)\s*(?P<number>[-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(?P<unit>%|pp|ms|s|)$"
)
_UNITS: Mapping[str, float] = {"": 1.0, "%": 0.01, "pp": 0.01, "ms": 1.0, "s": 1000.0}
_Bounds = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Expected:
    """What became of an expectation for one operation: the value that it is about, with its interval."""

    text: str
    operation: str
    value: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Expectation:
    """A part of a metric on one side of a bound; `operation` is None for all together, EACH for every one."""

    text: str
    operation: str | None
    metric: str
    part: str
    below: bool
    bound: float

    @classmethod
    def parse(cls, text: str, hint: str) -> Expectation:
        """From its written form; raises UsageError, with the hint, for what cannot be."""
        found = _WRITTEN.match(text)
        if not found:
            raise UsageError(f"tolerance {text!r} cannot be read", hint=hint)
        metric, below = known_metric(found["metric"], text), found["sense"].startswith("<")
        parts = _parts_of(metric)
        part = found["part"] or parts[0]
        if part not in parts:
            raise UsageError(f"tolerance {text!r}: {metric} has no {part}", hint=f"it has {', '.join(parts)}")
        bound = float(found["number"]) * _UNITS[found["unit"]]
        if below and part in ("deviation", "delta") and bound <= 0:
            raise UsageError(f"tolerance {text!r} allows nothing", hint=hint)
        return cls(text, found["operation"], metric, part, below, bound)

    def judge(self, operation: str, metric: Metric | None) -> Expected:
        """Whether it holds for the operation's metric."""
        value, low, high = _value(self, metric) if metric else (math.nan, -math.inf, math.inf)
        holds, broken = (
            (high < self.bound, low >= self.bound) if self.below else (low > self.bound, high <= self.bound)
        )
        verdict = Verdict.WITHIN if holds else Verdict.OUTSIDE if broken else Verdict.INCONCLUSIVE
        if math.isnan(value):
            verdict = Verdict.INCONCLUSIVE
        return Expected(self.text, operation, value, low, high, verdict)


def known_metric(name: str, text: str) -> str:
    """The name, where it is a metric's; raises UsageError with the nearest where it is not."""
    if name not in KINDS:
        near = get_close_matches(name, KINDS, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"tolerance {text!r}: no metric {name}", hint=f"{meant}known: {', '.join(KINDS)}")
    return name


def _parts_of(metric: str) -> Sequence[str]:
    """What of the metric can be expected; the first where nothing is said."""
    if FAMILY_OF[metric] == "distance":
        return ("value",)
    kind = KINDS[metric]
    return (
        ("delta", "real", "mock")
        if kind.scale is Scale.DIFFERENCE
        else ("deviation", "delta", "ratio", "real", "mock")
    )


def _value(expectation: Expectation, metric: Metric) -> _Bounds:
    """The part's value, with its interval."""
    found = _PARTS[expectation.part](metric)
    if expectation.part not in ("deviation", "delta") or not expectation.below:
        return found
    value, low, high = found
    nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return abs(value), nearest, max(abs(low), abs(high))


def _deviation(metric: Metric) -> _Bounds:
    return metric.deviation, metric.low, metric.high


def _delta(metric: Metric) -> _Bounds:
    return metric.difference, *metric.difference_bounds


def _ratio(metric: Metric) -> _Bounds:
    return 1 + metric.deviation, 1 + metric.low, 1 + metric.high


_PARTS: Mapping[str, Callable[[Metric], _Bounds]] = {
    "value": _deviation,
    "deviation": _deviation,
    "delta": _delta,
    "ratio": _ratio,
    "real": lambda metric: (metric.a, metric.a, metric.a),
    "mock": lambda metric: (metric.b, metric.b, metric.b),
}
