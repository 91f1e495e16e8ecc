"""The latency of an operation as a quantile table that a person can read and edit.

The table keeps as many percentiles as it takes for straight lines in the logarithm between them to follow
the empirical quantiles. Beyond its last point it claims nothing, unless the sample's tail passes the gate of
`mockforge.stats.tail`: then a Pareto law goes on, up to three times the longest latency seen.
Callers that left count as having waited at least so long (`mockforge.stats.censored`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mockforge.delays.distributions import compile_distribution
from mockforge.model.stub import DelayDistribution
from mockforge.stats.censored import kaplan_meier
from mockforge.stats.quantiles import interpolate_log, quantiles
from mockforge.stats.tail import ParetoTail, fit_tail

__all__ = ["FEW_SAMPLES", "LatencyFit", "fit_latency", "pooled_ns", "supported"]

#: A table is fine enough when no percentile is further off than this share of its value.
_TOLERANCE = 0.01
_MOST_POINTS = 40
_LEAST_MS = 1e-3
#: Below this many samples a table rests on too few to stand alone.
FEW_SAMPLES = 30
#: What the tail may give at most, over the longest latency seen.
_MOST_BEYOND = 3.0
_ERROR_LEVELS = 20_000


@dataclass(frozen=True, slots=True)
class LatencyFit:
    """A fitted law of delay and how well it holds in sample. Latencies in ms.

    `error` is the first Wasserstein distance between the table's law and the sample, over the mean.
    `censored` callers left before their answer. `tail` is set where a law goes on beyond the table.
    """

    distribution: DelayDistribution
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    points: int
    error: float
    censored: int = 0
    tail: ParetoTail | None = None

    def levels(self) -> tuple[tuple[str, float, float], ...]:
        """Name, probability and value of each quantile that people are told."""
        return ("p50", 0.5, self.p50_ms), ("p95", 0.95, self.p95_ms), ("p99", 0.99, self.p99_ms)


def supported(probability: float, count: int) -> bool:
    """Whether a sample of so many says anything of this quantile: one that has an upper bound at 95 %.

    That is n >= ln(0.025) / ln(p): 6 for the median, 72 at 95 %, 368 at 99 %.
    """
    return probability**count <= 0.025


def pooled_ns(own_ns: NDArray[np.int64], parent_shape: NDArray[np.float64]) -> NDArray[np.int64]:
    """Latencies of an operation with few samples, shape (n,) of its own: the parent's, moved to its median.

    `parent_shape`, shape (m,), holds the other operations' latencies, each over its operation's median.
    """
    return np.rint(np.median(own_ns) * parent_shape).astype(np.int64)


def fit_latency(
    latencies_ns: NDArray[np.int64],
    censored_ns: NDArray[np.int64] | None = None,
    *,
    tail: bool = False,
    parent_shape: NDArray[np.float64] | None = None,
) -> LatencyFit:
    """Fit the table to at least one latency, shape (n,), in nanoseconds.

    `censored_ns`, shape (m,): how long callers waited that left without an answer. With `tail`, the law goes
    on beyond the table where the sample has a tail that is one. With a `parent_shape` the law is the
    parent's (`pooled_ns`), and only its median, like all that is told, comes from the latencies.
    """
    if parent_shape is not None:
        fit = fit_latency(pooled_ns(latencies_ns, parent_shape), tail=tail)
        return _told_of(np.sort(_ms(latencies_ns)), fit)
    censored = _ms(np.zeros(0) if censored_ns is None else censored_ns)
    sample, weights = kaplan_meier(_ms(latencies_ns), censored)
    levels = _grid(sample.size)
    values = _weighted_quantiles(sample, weights, levels / 100)
    law = fit_tail(sample) if tail and not censored.size else None
    if law is not None:
        levels, values, law = _up_to(law, levels, values)
    chosen = _choose(levels, values)
    points = {
        round(float(level), 4): _significant(float(value))
        for level, value in zip(levels[chosen], values[chosen], strict=True)
    }
    parameters: dict[str, object] = {"unit": "ms", "points": points}
    if law is not None:
        parameters["tail"] = _written(law, max(points), float(sample[-1]))
    distribution = DelayDistribution("quantiles", parameters)
    p50, p95, p99 = (float(value) for value in quantiles(sample, (0.5, 0.95, 0.99)))
    return LatencyFit(
        distribution=distribution,
        count=int(sample.size),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        points=len(points),
        error=_error(sample, weights, distribution),
        censored=int(censored.size),
        tail=law,
    )


def _told_of(sample: NDArray[np.float64], fit: LatencyFit) -> LatencyFit:
    """The fit with the figures of an ascending sample that it was not made from."""
    p50, p95, p99 = (float(value) for value in quantiles(sample, (0.5, 0.95, 0.99)))
    weights = np.full(sample.size, 1 / sample.size)
    error = _error(sample, weights, fit.distribution)
    return replace(fit, count=int(sample.size), p50_ms=p50, p95_ms=p95, p99_ms=p99, error=error)


def _ms(latencies_ns: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(np.asarray(latencies_ns, dtype=np.float64) / 1e6, _LEAST_MS)


def _weighted_quantiles(
    sample: NDArray[np.float64], weights: NDArray[np.float64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Hazen's quantiles, of an ascending sample: with equal weights the law keeps the sample's mean."""
    middles = np.cumsum(weights) - weights / 2
    return np.asarray(np.interp(probabilities, middles, sample), dtype=np.float64)


def _up_to(
    law: ParetoTail, levels: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], ParetoTail]:
    """The table up to where the tail begins, and the tail that begins there: at a percentile of 4 digits."""
    begins = round(100 * (1 - law.beyond), 4)
    below = (levels < begins) & (values < law.threshold)
    law = ParetoTail(law.threshold, 1 - begins / 100, law.shape, law.scale)
    return np.append(levels[below], begins), np.append(values[below], law.threshold), law


def _written(law: ParetoTail, begins: float, longest_ms: float) -> dict[str, object]:
    return {
        "type": "gpd",
        "from": begins,
        "shape": _significant(law.shape),
        "scale": _significant(law.scale),
        "maxValue": _significant(_MOST_BEYOND * longest_ms),
    }


def _grid(count: int) -> NDArray[np.float64]:
    """Percentiles that a sample of this size can tell apart."""
    grid = np.concatenate([np.arange(0, 100.25, 0.5), np.arange(99.1, 99.95, 0.1), [99.95, 99.99]])
    step = 100 / max(count - 1, 1)
    grid = np.unique(np.round(grid, 2))
    kept = (grid <= 100 - step) | (grid == 100)
    return np.asarray(grid[kept] if count > 1 else grid[[0]], dtype=np.float64)


def _choose(levels: NDArray[np.float64], values: NDArray[np.float64]) -> list[int]:
    """Indices of the percentiles to keep: always the one that the lines through the others miss most."""
    chosen = sorted({0, int(np.searchsorted(levels, 50.0, side="right")) - 1, levels.size - 1})
    while len(chosen) < min(_MOST_POINTS, levels.size):
        lines = interpolate_log(levels, levels[chosen], values[chosen])
        missed = np.abs(lines - values) / values
        worst = int(missed.argmax())
        if missed[worst] <= _TOLERANCE:
            break
        chosen = sorted({*chosen, worst})
    return chosen


def _error(
    sample: NDArray[np.float64], weights: NDArray[np.float64], distribution: DelayDistribution
) -> float:
    if sample.size <= _ERROR_LEVELS:
        middles = np.cumsum(weights) - weights / 2
    else:
        middles = (np.arange(_ERROR_LEVELS) + 0.5) / _ERROR_LEVELS
        sample = _weighted_quantiles(sample, weights, middles)
    law = compile_distribution(distribution)
    missed = np.array([law.at(float(level)) / 1e6 for level in middles]) - sample
    return float(np.mean(np.abs(missed)) / sample.mean())


def _significant(value: float) -> float:
    return float(f"{value:.4g}")
