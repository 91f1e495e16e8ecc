"""Slow spells found in a recording: whether answers are slow together, when, and by how much.

A call is in a spell while the rolling median of latencies, each over its operation's median, is above twice
what it mostly is. Whether there is anything to find is asked first: were latencies independent, the number of
slow ones in windows of 50 calls would vary as a binomial's does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mockforge.model.service import SlowSpells

__all__ = ["SpellFit", "dispersion", "find_spells"]

_WINDOW_CALLS = 50
_SLOW_LEVEL = 0.95
#: Standard deviations by which the dispersion must exceed an independent sample's.
_EVIDENCE = 4.0
_ROLLING_CALLS = 25
_SLOWER = 2.0
#: A spell or a calm of fewer calls is none.
_LEAST_CALLS = 10
_LEAST_SPELLS = 3
#: A pause between calls counts for at most so many mean gaps: what nobody asked in it is not known.
_LONGEST_PAUSE = 10.0
_LEVELS = (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)
_FEW_OF_OPERATION = 20


@dataclass(frozen=True, slots=True)
class SpellFit:
    """What was found. `dispersion` is 1 where slow answers come independently of each other.

    `spells` is None where there is no evidence, or too little to repeat; `reason` says which. `slow` marks
    the calls in spells, shape (n,).
    """

    dispersion: float
    slow: NDArray[np.bool_]
    spells: SlowSpells | None
    reason: str


def dispersion(slow: NDArray[np.bool_]) -> tuple[float, float]:
    """The index of dispersion of slow calls in windows, over a binomial's, and its error if independent."""
    windows = slow[: slow.size // _WINDOW_CALLS * _WINDOW_CALLS].reshape(-1, _WINDOW_CALLS).sum(axis=1)
    mean = float(windows.mean()) if windows.size else 0.0
    if windows.size < 2 or mean == 0:
        return 1.0, float("inf")
    expected = mean * (1 - mean / _WINDOW_CALLS)
    return float(windows.var(ddof=1) / expected), float(np.sqrt(2 / (windows.size - 1)))


def find_spells(
    arrived_ns: NDArray[np.int64], latency_ns: NDArray[np.int64], operation: NDArray[np.int32]
) -> SpellFit:
    """Spells in calls ordered by arrival, all of shape (n,); latencies best without their queueing."""
    none = np.zeros(arrived_ns.size, dtype=np.bool_)
    relative, level = _relative(latency_ns, operation)
    if relative.size < 4 * _WINDOW_CALLS:
        return SpellFit(1.0, none, None, f"too few calls to tell: {relative.size}")
    found, error = dispersion(level > _SLOW_LEVEL)
    if found < 1 + _EVIDENCE * error:
        return SpellFit(found, none, None, "slow answers come independently of each other")
    slow = _long_runs(_rolling_median(relative) > _SLOWER * float(np.median(relative)))
    runs = _runs(slow)
    if len(runs) < _LEAST_SPELLS:
        seen = f"{len(runs)} spell{'s' if len(runs) != 1 else ''}"
        return SpellFit(found, slow, None, f"slow answers come together; {seen} are too few to repeat")
    return SpellFit(found, slow, _spells(arrived_ns, level, slow, runs), f"{len(runs)} spells")


def _relative(
    latency_ns: NDArray[np.int64], operation: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latencies over their operation's median, and their level (rank / (n + 1)) within it; shape (n,).

    Calls of operations with few are neither fast nor slow.
    """
    relative = np.ones(latency_ns.size)
    level = np.full(latency_ns.size, 0.5)
    for number in np.unique(operation):
        mask = operation == number
        count = int(mask.sum())
        if count < _FEW_OF_OPERATION:
            continue
        own = latency_ns[mask].astype(np.float64)
        relative[mask] = own / max(float(np.median(own)), 1.0)
        level[mask] = (np.argsort(np.argsort(own, kind="stable"), kind="stable") + 1) / (count + 1)
    return relative, level


def _rolling_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    half = _ROLLING_CALLS // 2
    padded = np.pad(values, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _ROLLING_CALLS)
    return np.asarray(np.median(windows, axis=1), dtype=np.float64)


def _long_runs(slow: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without interruptions and spells of fewer calls than make one."""
    kept = slow.copy()
    for value in (False, True):
        for begin, end in _runs(kept == value):
            inside = begin > 0 and end < kept.size
            if end - begin < _LEAST_CALLS and (inside or value):
                kept[begin:end] = not value
    return kept


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _spells(
    arrived_ns: NDArray[np.int64],
    level: NDArray[np.float64],
    slow: NDArray[np.bool_],
    runs: list[tuple[int, int]],
) -> SlowSpells:
    between = np.diff(arrived_ns, append=arrived_ns[-1]).astype(np.float64)
    between = np.minimum(between, _LONGEST_PAUSE * max(float(between.mean()), 1.0))
    clock = np.concatenate([[0.0], np.cumsum(between)])
    end_ns = float(clock[-1]) + 1

    def at(number: int) -> float:
        return float(clock[number]) if number < arrived_ns.size else end_ns

    durations = [(at(end) - at(begin)) / 1e9 for begin, end in runs]
    gaps = [(at(begin) - at(end)) / 1e9 for (_, end), (begin, _) in pairwise(runs)]
    # The calm before the first spell and after the last one are one gap, cut in two by the recording.
    gaps.append((at(runs[0][0]) - at(0) + end_ns - at(runs[-1][1])) / 1e9)
    points = np.quantile(level[slow], np.array(_LEVELS) / 100) * 100
    return SlowSpells(
        durations_s=tuple(round(each, 3) for each in durations),
        gaps_s=tuple(round(max(each, 0.001), 3) for each in gaps),
        levels=tuple((float(at_), round(float(to), 2)) for at_, to in zip(_LEVELS, points, strict=True)),
        share=round(float(slow.mean()), 4),
    )
