"""What the runs of a backend and of its mock say of each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Figures
from mockforge.recording.store import Columns, RecordingReader
from mockforge.stats.intervals import quantile_interval

__all__ = ["figures_of", "recorded_p95_ms"]

_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
#: What is sent first opens connections and fills caches, and does not count.
_WARM_S = 1.0
#: A second is slow where its mean latency is above so many times the median of the seconds.
_SLOW = 1.5
_FEWEST_IN_SECOND = 10


def recorded_p95_ms(recording: Path) -> float:
    """The 95th percentile of what was recorded, in ms."""
    with RecordingReader(recording) as reader:
        return float(np.quantile(reader.columns().total_ns / 1e6, 0.95))


def figures_of(real: Sequence[Columns], mock: Sequence[Columns]) -> Figures:
    """Both sides' quantiles in ms, how far they are off, errors, answers a second, and slow seconds."""
    reals, mocks = [_answered_ms(run) for run in real], [_answered_ms(run) for run in mock]
    both, mocked = np.concatenate(reals), np.concatenate(mocks)
    figures: Figures = {"requests": float(both.size)}
    for name, probability in _QUANTILES.items():
        figures[f"real_{name}_ms"] = float(np.quantile(both, probability))
        figures[f"mock_{name}_ms"] = float(np.quantile(mocked, probability))
        figures[f"{name}_off"] = figures[f"mock_{name}_ms"] / figures[f"real_{name}_ms"] - 1
        first, second = (float(np.quantile(run, probability)) for run in reals[:2])
        figures[f"{name}_aa"] = second / first - 1
        by_chance = _by_chance(reals, probability)
        figures[f"{name}_noise"] = max(abs(second / first - 1), by_chance or 0.0)
        figures[f"{name}_bounded"] = float(by_chance is not None)
    figures |= {
        "real_errors": _errors(real),
        "mock_errors": _errors(mock),
        "real_per_s": _completed(real),
        "mock_per_s": _completed(mock),
    }
    slow = [_slow_seconds(run) for run in real]
    if any(each.any() for each in slow):
        figures |= {
            "real_slow": _share(slow),
            "mock_slow": _share([_slow_seconds(run) for run in mock]),
            "slow_seconds": float(sum(each.sum() for each in slow)),
        }
    return figures


def _by_chance(runs: Sequence[NDArray[np.float64]], probability: float) -> float | None:
    """What the quantiles of two such runs differ by in 19 of 20 cases, as a share.

    None where that has no bound: too few stretches of time hold what is above the quantile.
    """
    halves = []
    for run in runs:
        found = quantile_interval(run, probability)
        halves.append((found.high - found.low) / 2 / found.estimate)
    spread = float(np.sqrt(2) * np.mean(halves))
    return spread if np.isfinite(spread) else None


def _steady(run: Columns) -> NDArray[np.bool_]:
    return np.asarray(run.arrived_ns > run.arrived_ns[0] + _WARM_S * 1e9)


def _answered_ms(run: Columns) -> NDArray[np.float64]:
    """Latencies of what was answered well, in ms, in the order of their arrivals."""
    answered = _steady(run) & ~run.failed
    return np.asarray(run.total_ns[answered] / 1e6) if answered.any() else np.array([np.nan])


def _errors(runs: Sequence[Columns]) -> float:
    return float(np.mean([run.failed[_steady(run)].mean() for run in runs]))


def _completed(runs: Sequence[Columns]) -> float:
    """Good answers a second, over the time in which they came."""
    rates = []
    for run in runs:
        good = _steady(run) & ~run.failed
        ends = (run.arrived_ns + run.total_ns)[good]
        rates.append(
            float(good.sum() / max(1e-9, (ends.max() - ends.min()) / 1e9)) if good.sum() > 1 else 0.0
        )
    return float(np.mean(rates))


def _share(runs: Sequence[NDArray[np.bool_]]) -> float:
    return float(np.mean([run.mean() if run.size else 0.0 for run in runs]))


def _slow_seconds(run: Columns) -> NDArray[np.bool_]:
    """For each one-second window with requests enough, whether it is slow."""
    steady = _steady(run)
    second = (run.arrived_ns[steady] // 1_000_000_000).astype(np.int64)
    second -= second.min(initial=0)
    counts = np.bincount(second)
    means = np.bincount(second, run.total_ns[steady]) / np.maximum(counts, 1)
    means = means[counts >= _FEWEST_IN_SECOND]
    return np.asarray(means > _SLOW * np.median(means)) if means.size else np.zeros(0, dtype=bool)
