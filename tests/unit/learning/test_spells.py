"""Slow spells are found where they are, as long as they are, and nowhere else."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from mockforge.delays.spells import SpellClock
from mockforge.learning.spells import dispersion, find_spells

SECOND = 1_000_000_000
RATE = 50


def recorded(
    seconds: int = 600, factor: float = 6, seed: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Lognormal latencies of 20 ms; some 2 s of every 30 s are spells, in which all take `factor` as long."""
    rng = np.random.default_rng(seed)
    arrived_s = np.cumsum(rng.exponential(1 / RATE, seconds * RATE))
    slow = np.zeros(arrived_s.size, dtype=np.bool_)
    at = float(rng.exponential(28))
    while at < seconds:
        length = 0.5 + rng.exponential(1.5)
        slow |= (arrived_s >= at) & (arrived_s < at + length)
        at += length + rng.exponential(28)
    latency_ms = 20 * rng.lognormal(0, 0.4, arrived_s.size) * np.where(slow, factor, 1.0)
    return (arrived_s * SECOND).astype(np.int64), (latency_ms * 1e6).astype(np.int64), slow


def one_operation(count: int) -> NDArray[np.int32]:
    return np.zeros(count, dtype=np.int32)


def test_the_calls_in_spells_are_found() -> None:
    arrived, latency, slow = recorded()
    fit = find_spells(arrived, latency, one_operation(arrived.size))
    assert fit.spells is not None
    assert fit.spells.share == pytest.approx(float(slow.mean()), rel=0.15)
    assert (fit.slow & slow).sum() / slow.sum() > 0.9
    assert fit.dispersion > 5


def test_independent_latencies_have_no_spells() -> None:
    arrived, latency, _ = recorded(factor=1)
    fit = find_spells(arrived, latency, one_operation(arrived.size))
    assert fit.spells is None
    assert "independently" in fit.reason
    assert fit.dispersion == pytest.approx(1, abs=0.3)


def test_replayed_spells_have_the_recorded_share_of_slow_seconds() -> None:
    arrived, latency, _ = recorded(seconds=900)
    fit = find_spells(arrived, latency, one_operation(arrived.size))
    assert fit.spells is not None
    clock, random = SpellClock(fit.spells, Random(3)), Random(4)
    law = np.sort(latency)
    replayed = np.array(
        [law[int(clock.level(int(at), random.random()) * law.size * 0.999999)] for at in arrived]
    )
    assert slow_windows(arrived, replayed) == pytest.approx(slow_windows(arrived, latency), rel=0.3)
    assert float(np.quantile(replayed, 0.5)) == pytest.approx(float(np.quantile(latency, 0.5)), rel=0.05)
    shuffled = np.random.default_rng(5).permutation(latency)
    assert slow_windows(arrived, shuffled) == 0


def slow_windows(arrived: NDArray[np.int64], latency: NDArray[np.int64]) -> float:
    """The share of one-second windows whose mean latency is above 60 ms."""
    second = arrived // SECOND
    sums = np.bincount(second, weights=latency / 1e6)
    counts = np.bincount(second)
    return float(np.mean(sums[counts > 0] / counts[counts > 0] > 60))


def test_operations_of_different_speed_do_not_make_spells() -> None:
    arrived, latency, _ = recorded(factor=1)
    operation = (np.arange(arrived.size) // 200 % 2).astype(np.int32)
    fit = find_spells(arrived, latency * (1 + 9 * operation), operation)
    assert fit.spells is None


def test_one_spell_is_told_of_and_not_repeated() -> None:
    arrived, latency, _ = recorded(factor=1)
    latency[5_000:5_200] *= 8
    fit = find_spells(arrived, latency, one_operation(arrived.size))
    assert fit.spells is None
    assert "1 spell" in fit.reason


@pytest.mark.parametrize("count", [0, 1, 10, 199])
def test_few_calls_tell_nothing(count: int) -> None:
    arrived, latency, _ = recorded()
    fit = find_spells(arrived[:count], latency[:count], one_operation(count))
    assert fit.spells is None


def test_the_dispersion_of_coin_tosses_is_one() -> None:
    tosses = np.random.default_rng(9).random(50_000) < 0.05
    found, error = dispersion(tosses)
    assert abs(found - 1) < 4 * error


def test_a_pause_in_which_nobody_asked_is_no_part_of_a_spell() -> None:
    arrived, latency, slow = recorded(seconds=900)
    inside = int(np.flatnonzero(slow)[10])
    paused = arrived + np.where(np.arange(arrived.size) > inside, 60 * SECOND, 0)
    fit = find_spells(paused, latency, one_operation(arrived.size))
    assert fit.spells is not None
    assert max(fit.spells.durations_s) < 20
