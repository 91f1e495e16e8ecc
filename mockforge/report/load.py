"""How latency answers to load, and comparing two runs at the same load though they had different ones.

Load is the number of other requests in flight when one arrived. Where two runs were offered different loads,
their latencies are compared conditionally on it: requests of both are grouped by it, and the mock's weighted
so that the groups have the shares that they have of the real run (stratified reweighting).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import Run
from mockforge.stats.quantiles import harrell_davis, quantiles

__all__ = ["LoadBin", "load_response", "matched"]

#: A group of fewer requests than this says nothing of its load.
_FEWEST = 20
#: Up to so many values Harrell and Davis' quantile is worth its cost.
_SMALL = 200
#: With less than this part of either run to compare, loads have too little in common.
_LEAST_MATCHED = 0.5


@dataclass(frozen=True, slots=True)
class LoadBin:
    """Requests that met `low` to `high` others in flight: numbers, p50 and p95 in ms, as (real, mock)."""

    low: int
    high: int
    count: tuple[int, int]
    p50_ms: tuple[float, float]
    p95_ms: tuple[float, float]


def load_response(a: Run, b: Run) -> tuple[LoadBin, ...]:
    """Both runs' latencies by load, in groups that double: 0, 1, 2 to 3, 4 to 7; rare ones are left out."""
    groups_a, groups_b = _groups(a), _groups(b)
    found = []
    for group in sorted({*groups_a.tolist(), *groups_b.tolist()}):
        sides = [run.total_ns[groups == group] / 1e6 for run, groups in ((a, groups_a), (b, groups_b))]
        if max(side.size for side in sides) < _FEWEST:
            continue
        levels = [_levels(side) for side in sides]
        low, high = (2 ** (group - 1), 2**group - 1) if group else (0, 0)
        found.append(
            LoadBin(
                low,
                high,
                (sides[0].size, sides[1].size),
                (levels[0][0], levels[1][0]),
                (levels[0][1], levels[1][1]),
            )
        )
    return tuple(found)


def matched(a: Sequence[Run], b: Sequence[Run]) -> tuple[list[Run], list[Run], tuple[float, float]] | None:
    """Both sides weighted to side A's load, and the parts of them that have a counterpart on the other side.

    None where less than half of either has: then their loads cannot be compared.
    """
    groups_a, groups_b = [_groups(run) for run in a], [_groups(run) for run in b]
    most = 1 + max(int(group.max(initial=0)) for group in (*groups_a, *groups_b))
    counts_a, counts_b = (
        sum((np.bincount(group, minlength=most) for group in groups), np.zeros(most))
        for groups in (groups_a, groups_b)
    )
    both = (counts_a >= _FEWEST) & (counts_b >= _FEWEST)
    parts = (
        float(counts_a[both].sum() / max(counts_a.sum(), 1)),
        float(counts_b[both].sum() / max(counts_b.sum(), 1)),
    )
    if min(parts) < _LEAST_MATCHED:
        return None
    of_b = np.where(both, counts_a / np.maximum(counts_b, 1), 0.0)
    return _weighted(a, groups_a, both.astype(float)), _weighted(b, groups_b, of_b), parts


def _groups(run: Run) -> NDArray[np.int64]:
    """The group of each request: 0 for no other in flight, else the bits that their number has."""
    return np.frexp(np.maximum(run.in_flight, 0).astype(np.float64))[1].astype(np.int64)


def _levels(latency_ms: NDArray[np.float64]) -> tuple[float, float]:
    estimate = harrell_davis if latency_ms.size <= _SMALL else quantiles
    p50, p95 = estimate(latency_ms, (0.5, 0.95))
    return float(p50), float(p95)


def _weighted(
    runs: Sequence[Run], groups: Sequence[NDArray[np.int64]], weights: NDArray[np.float64]
) -> list[Run]:
    return [replace(run, weight=weights[group]) for run, group in zip(runs, groups, strict=True)]
