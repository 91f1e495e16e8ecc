"""Slow spells recur as long as they were, and leave every law what it was."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from mockforge.delays.spells import SpellClock
from mockforge.model.service import SlowSpells

SECOND = 1_000_000_000
SPELLS = SlowSpells((1.0, 2.0, 3.0), (20.0, 30.0, 25.0), ((0, 60), (50, 97), (100, 100)), 0.075)


def slow_seconds(clock: SpellClock, seconds: float, step_s: float = 0.01) -> list[bool]:
    return [clock.is_slow(round(number * step_s * SECOND)) for number in range(round(seconds / step_s))]


def test_the_share_of_slow_time_is_the_recorded_one() -> None:
    slow = slow_seconds(SpellClock(SPELLS, Random(1)), 81 * 40)
    assert np.mean(slow) == pytest.approx(6 / 81, rel=0.03)


def test_a_pass_through_all_spells_has_each_of_them_once() -> None:
    slow = np.array(slow_seconds(SpellClock(SPELLS, Random(2)), 81 * 3 + 40))
    edges = np.flatnonzero(np.diff(slow.astype(int)))
    lengths = np.diff(edges)[::2] if not slow[edges[0]] else np.diff(edges)[1::2]
    assert sorted((lengths[:3] * 0.01).round(1).tolist()) == [1.0, 2.0, 3.0]
    assert sorted((lengths[3:6] * 0.01).round(1).tolist()) == [1.0, 2.0, 3.0]


def test_over_calm_and_slow_times_the_levels_are_uniform() -> None:
    clock, random = SpellClock(SPELLS, Random(3)), Random(4)
    levels = []
    for number in range(200_000):
        now_ns = round(number * 0.04 * SECOND)
        levels.append(clock.level(now_ns, random.random()))
    shares, _ = np.histogram(levels, bins=20, range=(0, 1))
    assert shares / len(levels) == pytest.approx([0.05] * 20, abs=0.004)


def test_levels_are_high_in_a_spell() -> None:
    clock = SpellClock(SPELLS, Random(5))
    now_ns = next(n for n in range(0, 60 * SECOND, SECOND // 10) if clock.is_slow(n))
    assert clock.level(now_ns, 0.5) == pytest.approx(0.97)
    assert clock.level(now_ns, 0.0) == pytest.approx(0.60)


def test_the_same_seed_gives_the_same_spells() -> None:
    one, other = (slow_seconds(SpellClock(SPELLS, Random(6)), 200) for _ in range(2))
    assert one == other
    assert one != slow_seconds(SpellClock(SPELLS, Random(7)), 200)


def test_a_long_silence_is_skipped_in_order() -> None:
    clock = SpellClock(SPELLS, Random(8))
    clock.is_slow(0)
    assert clock.is_slow(3_600 * SECOND) in (True, False)
