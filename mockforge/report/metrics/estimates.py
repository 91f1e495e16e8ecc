"""Two sides' figures as one estimate of how far they are apart; each side is a run, or repetitions of one.

Half-widths add in quadrature around the figures, on the logarithm where a ratio is wanted (MOVER; of two
proportions it is Newcombe's hybrid score interval). With repetitions the run is the unit: what repetitions
differ by counts, where it is more than what their own samples say, with as few degrees of freedom as there
are runs. Of a side that ran once, the other's spread is taken to hold too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

from mockforge.report.metrics.kinds import Kind, Scale
from mockforge.stats.beta import student_probability, student_quantile
from mockforge.stats.intervals import Interval

__all__ = ["Estimate", "estimate"]

_Z = NormalDist().inv_cdf(0.975)
_HUGE = 100.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """How far side B is from side A: `centre` on the kind's scale, with what it is uncertain by either way.

    `down` and `up` are half-widths of the 95 % interval; `freedom` the degrees of freedom behind them.
    """

    kind: Kind
    a: float
    b: float
    centre: float
    down: float
    up: float
    freedom: float = math.inf

    @property
    def relative(self) -> bool:
        """Whether the deviation is a share of the real figure, and not a difference in its unit."""
        return self.kind.scale is Scale.RATIO

    @property
    def deviation(self) -> float:
        """The ratio less one, or the difference."""
        return self._shown(self.centre)

    @property
    def low(self) -> float:
        """The interval's lower bound; infinite where there is none."""
        return self._shown(self.centre - self.down)

    @property
    def high(self) -> float:
        """The interval's upper bound; infinite where there is none."""
        return self._shown(self.centre + self.up)

    def chance_beyond(self, tolerance: float) -> float:
        """The probability of an estimate this far out where the truth is just at the tolerance."""
        above = self._standardised(self.centre - self._place(tolerance), self.down)
        below = self._standardised(self._place(-tolerance) - self.centre, self.up)
        return 1 - student_probability(max(above, below), self.freedom)

    def _standardised(self, distance: float, half: float) -> float:
        if math.isnan(distance) or not math.isfinite(half):
            return -math.inf if distance <= 0 or not math.isfinite(half) else math.inf
        scale = half / student_quantile(0.975, self.freedom)
        return distance / scale if scale > 0 else math.copysign(math.inf, distance)

    def _place(self, deviation: float) -> float:
        if self.kind.scale is Scale.DIFFERENCE:
            return deviation
        return math.log1p(deviation) if deviation > -1 else -math.inf

    def _shown(self, place: float) -> float:
        if self.kind.scale is Scale.DIFFERENCE or math.isnan(place):
            return place
        return math.expm1(place) if place < _HUGE else math.inf


def estimate(kind: Kind, a: Sequence[Interval], b: Sequence[Interval]) -> Estimate:
    """The estimate of one number from each side's runs; NaN where a side has none."""
    side_a, side_b = ([_placed(kind, one) for one in side] for side in (a, b))
    known_a, known_b = ([one for one in side if one is not None] for side in (side_a, side_b))
    if not known_a or not known_b:
        of_a, of_b = (fmean(one.estimate for one in side) if side else math.nan for side in (a, b))
        return Estimate(kind, of_a, of_b, math.nan, math.inf, math.inf)
    centre_a, centre_b = (fmean(one.centre for one in side) for side in (known_a, known_b))
    down, up, freedom = _halves(known_a, known_b)
    of_a, of_b = _figure(kind, a, centre_a), _figure(kind, b, centre_b)
    return Estimate(kind, of_a, of_b, centre_b - centre_a, down, up, freedom)


def _figure(kind: Kind, side: Sequence[Interval], centre: float) -> float:
    """The side's figure: the run's own, or its repetitions' mean, on the logarithm where ratios count."""
    if len(side) == 1:
        return side[0].estimate
    return math.exp(centre) if kind.scale is Scale.RATIO else centre


@dataclass(frozen=True, slots=True)
class _Placed:
    """One run's figure on the kind's scale, with its half-widths."""

    centre: float
    down: float
    up: float

    @property
    def variance(self) -> float:
        """What its own samples say; 0 where they give no bound."""
        half = (self.down + self.up) / 2
        return (half / _Z) ** 2 if math.isfinite(half) else 0.0


def _placed(kind: Kind, interval: Interval) -> _Placed | None:
    if kind.scale is Scale.DIFFERENCE:
        if math.isnan(interval.estimate):
            return None
        return _Placed(interval.estimate, interval.estimate - interval.low, interval.high - interval.estimate)
    if not (interval.estimate > 0 and math.isfinite(interval.estimate)):
        return None
    return _Placed(
        math.log(interval.estimate),
        _log(interval.estimate, interval.low),
        _log(interval.high, interval.estimate),
    )


def _log(upper: float, lower: float) -> float:
    """ln(upper / lower), infinite where a bound is not there."""
    if not math.isfinite(upper) or not lower > 0:
        return math.inf
    return math.log(upper / lower)


def _halves(a: Sequence[_Placed], b: Sequence[_Placed]) -> tuple[float, float, float]:
    """Half-widths down and up of B less A, and their degrees of freedom."""
    between = [variance([one.centre for one in side]) if len(side) > 1 else None for side in (a, b)]
    if between == [None, None]:
        return math.hypot(b[0].down, a[0].up), math.hypot(b[0].up, a[0].down), math.inf
    known = [one for one in between if one is not None]
    parts = [
        _part(side, fmean(known) if spread is None else spread, max(len(a), len(b)))
        for side, spread in zip((a, b), between, strict=True)
    ]
    total = sum(part for part, _ in parts)
    shared = sum(part**2 / freedom for part, freedom in parts)
    freedom = total**2 / shared if shared > 0 else math.inf
    half = student_quantile(0.975, freedom) * math.sqrt(total)
    return half, half, freedom


def _part(side: Sequence[_Placed], between: float, most: int) -> tuple[float, float]:
    """The variance of a side's mean and its degrees of freedom: the runs' spread, or their samples'."""
    within = fmean(one.variance for one in side)
    runs = len(side) if len(side) > 1 else most
    return (between / len(side), runs - 1.0) if between >= within else (within / len(side), math.inf)
