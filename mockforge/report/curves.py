"""The curves of a report's pictures, thinned so that a million samples cost no more than a thousand.

A percentile p is drawn at `-log10(1 - p)`: p50 at 0.3, p90 at 1, p99 at 2, p99.9 at 3. Each step to the right
leaves a tenth of the requests, so that the tail, where tests are decided, has the room that the middle has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.stats.intervals import quantile_bounds

__all__ = [
    "MOST_POINTS",
    "Curve",
    "Sample",
    "Spread",
    "known_curve",
    "known_shift",
    "percentile_curves",
    "shift_curve",
    "spread",
]

#: No curve has more points than this.
MOST_POINTS = 240

_MOST_BINS = 60
_FEWEST_BINS = 12


Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Latencies in ms, sorted, shape (n,), and by probability the independent ones that a quantile rests on.

    Where nothing is known of the latter, `effective` is empty, and curves have no bands.
    """

    ordered: Values
    effective: Sequence[tuple[float, float]] = ()

    def bounds(self, probabilities: Values) -> tuple[Values, Values]:
        """The 95 % bounds of these quantiles; NaN where there are none."""
        if not self.effective:
            unknown = np.full(probabilities.size, np.nan)
            return unknown, unknown
        known, sizes = np.array(self.effective).T
        effective = np.interp(probabilities, known, np.maximum(sizes, 1.0))
        return quantile_bounds(self.ordered, probabilities, effective)


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of equal number: `x` as `-log10(1 - p)`, `y` in the curve's own unit, within `low` and `high`.

    Bounds are NaN where they are not known.
    """

    x: Values
    y: Values
    low: Values
    high: Values


@dataclass(frozen=True, slots=True)
class Spread:
    """Both runs' shares of requests, 0..1, shape (bins,), between the latencies `edges_ms`, (bins + 1,)."""

    edges_ms: NDArray[np.float64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]


def percentile_curves(a: Sample, b: Sample) -> tuple[Curve, Curve]:
    """Latency in ms at shared percentiles, each curve as far into the tail as its sample reaches."""
    shared = _positions(max(a.ordered.size, b.ordered.size))

    def curve(sample: Sample) -> Curve:
        x = shared[shared <= _last(sample.ordered.size)]
        probabilities = 1 - 10.0**-x
        return Curve(x, np.quantile(sample.ordered, probabilities), *sample.bounds(probabilities))

    return curve(a), curve(b)


def shift_curve(a: Sample, b: Sample) -> Curve:
    """The deviation `(Q_B - Q_A) / Q_A` by percentile, as far as both samples reach; NaN where Q_A is 0.

    Half-widths of its bounds add in quadrature on the logarithm, as those of the report's metrics do.
    """
    x = _positions(min(a.ordered.size, b.ordered.size))
    probabilities = 1 - 10.0**-x
    q_a, q_b = np.quantile(a.ordered, probabilities), np.quantile(b.ordered, probabilities)
    (low_a, high_a), (low_b, high_b) = a.bounds(probabilities), b.bounds(probabilities)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(q_b / q_a)
        down = np.hypot(np.log(q_b / low_b), np.log(high_a / q_a))
        up = np.hypot(np.log(high_b / q_b), np.log(q_a / low_a))
        return Curve(
            x, np.where(q_a > 0, (q_b - q_a) / q_a, np.nan), np.expm1(centre - down), np.expm1(centre + up)
        )


def known_curve(points: Sequence[tuple[float, float]]) -> Curve:
    """The same of a side of which only some percentiles are known: (probability, ms), rising."""
    probabilities, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
    unknown = np.full(y.size, np.nan)
    return Curve(-np.log10(1 - probabilities), y, unknown, unknown)


def known_shift(a: Curve, b: Curve) -> Curve:
    """The deviation at the percentiles that both sides are known by."""
    x, of_a, of_b = np.intersect1d(a.x, b.x, return_indices=True)
    unknown = np.full(x.size, np.nan)
    return Curve(x, b.y[of_b] / a.y[of_a] - 1, unknown, unknown)


def spread(a_ms: NDArray[np.float64], b_ms: NDArray[np.float64]) -> Spread:
    """How both runs' latencies spread over bins of equal width in the logarithm, wide enough to be filled."""
    both = np.concatenate([a_ms, b_ms])
    low, high = float(both.min()), float(both.max())
    low = max(low, high / 1e6, 1e-6)
    high = max(high, low * 1.05)
    bins = int(np.clip(np.sqrt(min(a_ms.size, b_ms.size)) * 1.5, _FEWEST_BINS, _MOST_BINS))
    edges = np.geomspace(low, high, bins + 1)
    return Spread(edges, _shares(a_ms, edges), _shares(b_ms, edges))


def _positions(size: int) -> NDArray[np.float64]:
    """Where to look: from p1 to the last percentile that has a sample of its own to stand on.

    Below p1 a curve drops to the fastest request ever seen, and takes half of the picture for it.
    """
    return np.linspace(-np.log10(0.99), _last(size), int(min(MOST_POINTS, max(size, 2))))


def _last(size: int) -> float:
    return float(np.log10(max(size, 2)))


def _shares(latencies_ms: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts, _ = np.histogram(np.clip(latencies_ms, edges[0], edges[-1]), edges)
    return counts / latencies_ms.size
