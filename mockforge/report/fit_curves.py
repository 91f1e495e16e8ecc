"""The curves of a fit's pictures: latency by how many are in flight, and slow spells over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_inversion import in_flight
from mockforge.report.curves import MOST_POINTS
from mockforge.report.fit import Calls

__all__ = ["LoadCurve", "Timeline", "load_curves", "timeline"]

#: Neighbouring numbers in flight are taken together until so many calls found one of them.
_LEAST_CALLS = 40
_MOST_BINS = 48
#: A time slice has so many calls on average, or more.
_CALLS_PER_SLICE = 20


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """Latency in ms by the mean number of others in flight at arrival; all of shape (bins,)."""

    in_flight: NDArray[np.float64]
    p50_ms: NDArray[np.float64]
    p95_ms: NDArray[np.float64]
    calls: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Latencies over their operation's median, by seconds since the first call.

    `median` and `p95` have shape (slices,), NaN for a slice without calls; `spells` are (begin, end) in s.
    """

    at_s: NDArray[np.float64]
    median: NDArray[np.float64]
    p95: NDArray[np.float64]
    spells: tuple[tuple[float, float], ...]


def load_curves(calls: Calls) -> tuple[LoadCurve, LoadCurve | None]:
    """As recorded, and as the model gives it, each by its own number in flight; the model's where known."""
    recorded = _by_load(calls.arrived_ns, calls.latency_ms)
    if calls.served_ms is None:
        return recorded, None
    known = np.isfinite(calls.served_ms)
    return recorded, _by_load(calls.arrived_ns[known], calls.served_ms[known]) if known.any() else None


def timeline(calls: Calls, slow: NDArray[np.bool_] | None) -> Timeline:
    """Slices of equal length; `slow`, shape (n,), marks the calls in spells. At least one call."""
    at_s = (calls.arrived_ns - calls.arrived_ns[0]) / 1e9
    slices = int(np.clip(calls.count // _CALLS_PER_SLICE, 1, MOST_POINTS))
    width = max(float(at_s[-1]), 1e-9) / slices
    which = np.minimum((at_s / width).astype(np.int64), slices - 1)
    bounds = np.searchsorted(which, np.arange(slices + 1))
    relative = _relative(calls)
    levels = np.full((slices, 2), np.nan)
    for number in range(slices):
        own = relative[bounds[number] : bounds[number + 1]]
        if own.size:
            levels[number] = np.quantile(own, (0.5, 0.95))
    spells = _spells(at_s, slow) if slow is not None else ()
    middles = np.linspace(width / 2, width * (slices - 0.5), slices)
    return Timeline(middles, levels[:, 0], levels[:, 1], spells)


def _by_load(arrived_ns: NDArray[np.int64], latency_ms: NDArray[np.float64]) -> LoadCurve:
    since = (arrived_ns - arrived_ns[0]).astype(np.float64) if arrived_ns.size else np.zeros(0)
    found = in_flight(since, since + latency_ms * 1e6)
    order = np.argsort(found, kind="stable")
    ordered, latency = found[order], latency_ms[order]
    ends = _ends(ordered)
    begins = [0, *ends[:-1]]
    parts = [slice(begin, end) for begin, end in zip(begins, ends, strict=True)]
    levels = np.array([np.quantile(latency[part], (0.5, 0.95)) for part in parts]).reshape(-1, 2)
    means = np.array([ordered[part].mean() for part in parts])
    return LoadCurve(means, levels[:, 0], levels[:, 1], np.array([part.stop - part.start for part in parts]))


def _ends(ordered: NDArray[np.int64]) -> list[int]:
    """Where each bin of the ascending numbers ends: equal ones together, and enough in each."""
    least = max(_LEAST_CALLS, ordered.size // (20 * _MOST_BINS))
    changes = [*(np.flatnonzero(np.diff(ordered)) + 1).tolist(), ordered.size] if ordered.size else []
    ends: list[int] = []
    for change in changes:
        if change - (ends[-1] if ends else 0) >= least:
            ends.append(change)
    if changes and (not ends or ends[-1] != ordered.size):
        ends[-1:] = [ordered.size]
    return ends if len(ends) <= _MOST_BINS else _thinned(ends)


def _thinned(ends: list[int]) -> list[int]:
    which = np.unique(np.linspace(0, len(ends) - 1, _MOST_BINS).round().astype(np.int64))
    return [ends[index] for index in which.tolist()]


def _relative(calls: Calls) -> NDArray[np.float64]:
    relative = np.ones(calls.count)
    for number in np.unique(calls.operation).tolist():
        own = calls.operation == number
        relative[own] = calls.latency_ms[own] / max(float(np.median(calls.latency_ms[own])), 1e-6)
    return relative


def _spells(at_s: NDArray[np.float64], slow: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], slow, [False]]).astype(np.int8))).reshape(-1, 2)
    last = at_s.size - 1
    return tuple((float(at_s[begin]), float(at_s[min(end, last)])) for begin, end in edges.tolist())
