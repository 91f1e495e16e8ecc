"""Whether a mock is within its tolerance: what the interval of a number says, and what would decide it.

A number is *within* when its whole interval is inside the tolerance, *outside* when the whole interval is
outside, else *inconclusive*: then the sample size that would decide it is told. Of many operations some will
be outside by chance: a number of several operations is outside only where Holm's step-down procedure over the
operations says so too. For *within* nothing of the kind is needed, since every operation has to be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import NormalDist

from mockforge.report.metrics.estimates import Estimate
from mockforge.report.metrics.kinds import Unit
from mockforge.report.metrics.registry import FAMILY_OF
from mockforge.stats.multiple import holm

__all__ = ["Metric", "Verdict", "judge", "judge_points", "overall_verdict", "step_down"]

#: The level of "outside", one-sided: that of the 95 % interval.
_LEVEL = 0.025
_NORMAL = NormalDist()


class Verdict(StrEnum):
    """What the interval of a metric says of its tolerance."""

    WITHIN = "within"
    OUTSIDE = "outside"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of both sides, `a` real and `b` mock, with its deviation and the 95 % interval of that.

    The deviation is a share of `a`, or a difference in the number's unit where `relative` is not set; bounds
    that the samples cannot give are infinite. `tolerance` is NaN and `verdict` None where nobody bounds it.
    `needed` is how many times as many samples would decide it; None where it is decided or nothing would.
    `interval` is not set where nothing is known of chance: the bounds are then those of rounding.
    """

    name: str
    unit: Unit
    relative: bool
    a: float
    b: float
    deviation: float
    low: float
    high: float
    tolerance: float = math.nan
    verdict: Verdict | None = None
    needed: float | None = None
    chance: float = math.nan
    interval: bool = True

    @property
    def family(self) -> str:
        """The family of numbers that it belongs to."""
        return FAMILY_OF[self.name]

    @property
    def difference(self) -> float:
        """`b - a`, in the number's unit."""
        return self.b - self.a

    @property
    def difference_bounds(self) -> tuple[float, float]:
        """The interval of the difference, in the number's unit."""
        return (self.low * self.a, self.high * self.a) if self.relative else (self.low, self.high)

    @property
    def bounded(self) -> bool:
        """Whether both bounds are known."""
        return math.isfinite(self.low) and math.isfinite(self.high) and not (self.relative and self.low <= -1)


def judge(estimate: Estimate, tolerance: float | None) -> Metric:
    """The verdict on an estimate; None of it where there is no tolerance."""
    found = _metric(estimate)
    if tolerance is None:
        return found
    found = replace(found, tolerance=tolerance, verdict=Verdict.INCONCLUSIVE)
    if math.isnan(found.deviation):
        return found
    if -tolerance <= found.low and found.high <= tolerance:
        return replace(found, verdict=Verdict.WITHIN)
    if found.low > tolerance or found.high < -tolerance:
        return replace(found, verdict=Verdict.OUTSIDE, chance=estimate.chance_beyond(tolerance))
    return replace(found, needed=_needed(found))


def judge_points(estimate: Estimate, tolerance: float | None) -> Metric:
    """The verdict on two figures of which only the rounding is known: its bounds count as the interval."""
    return replace(judge(estimate, tolerance), interval=False, needed=None)


def _metric(estimate: Estimate) -> Metric:
    kind = estimate.kind
    known = not math.isnan(estimate.centre)
    return Metric(
        name=kind.name,
        unit=kind.unit,
        relative=estimate.relative,
        a=estimate.a,
        b=estimate.b,
        deviation=estimate.deviation,
        low=estimate.low if known else -math.inf,
        high=estimate.high if known else math.inf,
    )


def _needed(metric: Metric) -> float | None:
    """Times as many samples: half-widths shrink with the root of their number."""
    room = abs(metric.tolerance - abs(metric.deviation))
    half = (metric.high - metric.low) / 2
    if not math.isfinite(half) or room < 0.02 * half:
        return None
    return (half / room) ** 2


def step_down(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """One number of several operations, by operation: outside only where Holm's procedure upholds it."""
    chances = {name: 1.0 if math.isnan(one.chance) else one.chance for name, one in metrics.items()}
    upheld = holm(chances, _LEVEL)
    return {
        name: replace(one, verdict=Verdict.INCONCLUSIVE, needed=_to_uphold(one.chance, len(chances)))
        if one.verdict is Verdict.OUTSIDE and one.interval and name not in upheld
        else one
        for name, one in metrics.items()
    }


def _to_uphold(chance: float, hypotheses: int) -> float:
    """Times as many samples that would make the least likely of so many hypotheses stand out."""
    wanted = _NORMAL.inv_cdf(1 - _LEVEL / hypotheses)
    return (wanted / _NORMAL.inv_cdf(1 - max(chance, 1e-12))) ** 2


def overall_verdict(verdicts: Iterable[Verdict | None]) -> Verdict:
    """Outside if any is, else inconclusive if any is or nothing is judged, else within."""
    found = {verdict for verdict in verdicts if verdict is not None} or {Verdict.INCONCLUSIVE}
    for verdict in (Verdict.OUTSIDE, Verdict.INCONCLUSIVE):
        if verdict in found:
            return verdict
    return Verdict.WITHIN
