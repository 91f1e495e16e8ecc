"""The curves of a report's pictures, thinned so that a million samples cost no more than a thousand.

A percentile p is drawn at `-log10(1 - p)`: p50 at 0.3, p90 at 1, p99 at 2, p99.9 at 3. Each step to the right
leaves a tenth of the requests, so that the tail, where tests are decided, has the room that the middle has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_POINTS", "Curve", "Spread", "percentile_curves", "shift_curve", "spread"]

#: No curve has more points than this.
MOST_POINTS = 240

_MOST_BINS = 60
_FEWEST_BINS = 12


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of equal number: `x` as `-log10(1 - p)`, `y` in the curve's own unit."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


#: The curve of a sample that is not there: of some runs only percentiles are known.
_NOTHING = Curve(np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Spread:
    """Both runs' shares of requests, 0..1, shape (bins,), between the latencies `edges_ms`, (bins + 1,)."""

    edges_ms: NDArray[np.float64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]


def percentile_curves(a_ms: NDArray[np.float64], b_ms: NDArray[np.float64]) -> tuple[Curve, Curve]:
    """Latency in ms at shared percentiles, each curve as far into the tail as its sample reaches."""
    if not (a_ms.size and b_ms.size):
        return _NOTHING, _NOTHING
    shared = _positions(max(a_ms.size, b_ms.size))

    def curve(latencies_ms: NDArray[np.float64]) -> Curve:
        x = shared[shared <= _last(latencies_ms.size)]
        return Curve(x, np.quantile(latencies_ms, 1 - 10.0**-x))

    return curve(a_ms), curve(b_ms)


def shift_curve(a_ms: NDArray[np.float64], b_ms: NDArray[np.float64]) -> Curve:
    """The deviation `(Q_B - Q_A) / Q_A` by percentile, as far as both samples reach; NaN where Q_A is 0."""
    if not (a_ms.size and b_ms.size):
        return _NOTHING
    x = _positions(min(a_ms.size, b_ms.size))
    probabilities = 1 - 10.0**-x
    q_a, q_b = np.quantile(a_ms, probabilities), np.quantile(b_ms, probabilities)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Curve(x, np.where(q_a > 0, (q_b - q_a) / q_a, np.nan))


def spread(a_ms: NDArray[np.float64], b_ms: NDArray[np.float64]) -> Spread:
    """How both runs' latencies spread over bins of equal width in the logarithm, wide enough to be filled."""
    if not (a_ms.size and b_ms.size):
        return Spread(np.zeros(1), np.zeros(0), np.zeros(0))
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
