"""Slow spells: times in which everything behind a service is slow together, and calm ones between.

Independent draws never make them: a backend that was slow for two seconds every half minute becomes one whose
slow answers are sprinkled evenly. Here calm and slow times alternate, as long as they were recorded, in
random order and without replacement, so that a run through all of them has just the recorded share.

In a spell a delay's uniform number comes from the `levels` that answers in spells had, in calm times from
what remains of 0..1, so that over both every law is what it was: with a share p of answers in spells whose
levels follow G, those of the others follow (u - p G(u)) / (1 - p).
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random

from mockforge.model.service import SlowSpells

__all__ = ["SpellClock"]

_GRID = 1_000


class SpellClock:
    """Calm and slow times as they come, from one seeded generator; the first moment asked for begins them."""

    def __init__(self, spells: SlowSpells, random: Random) -> None:
        self._random = random
        self._durations_ns = [round(each * 1e9) for each in spells.durations_s]
        self._gaps_ns = [round(each * 1e9) for each in spells.gaps_s]
        self._cycle_ns = max(1, sum(self._durations_ns) + sum(self._gaps_ns))
        self._deck: dict[bool, list[int]] = {True: [], False: []}
        self._slow_levels = _Line([(at / 100, level / 100) for at, level in spells.levels])
        self._calm_levels = _calm(self._slow_levels, spells.share)
        self._slow = False
        self._until_ns: int | None = None

    def is_slow(self, now_ns: int) -> bool:
        """Whether `now_ns` is in a spell; monotonic nanoseconds that never go back."""
        if self._until_ns is None:
            # The first gap is entered somewhere in its middle, as a run does not begin with a backend's own.
            self._until_ns = now_ns + round(self._next(slow=False) * self._random.random())
        if now_ns - self._until_ns > self._cycle_ns:  # nobody asked meanwhile: whole rounds are skipped
            self._until_ns += (now_ns - self._until_ns) // self._cycle_ns * self._cycle_ns
        while now_ns >= self._until_ns:
            self._slow = not self._slow
            self._until_ns += max(1, self._next(slow=self._slow))
        return self._slow

    def level(self, now_ns: int, uniform: float) -> float:
        """The level, 0..1, at which a delay's law is to be read, for a uniform number and a moment."""
        return (self._slow_levels if self.is_slow(now_ns) else self._calm_levels).at(uniform)

    def _next(self, *, slow: bool) -> int:
        deck = self._deck[slow]
        if not deck:
            deck += self._durations_ns if slow else self._gaps_ns
            self._random.shuffle(deck)
        return deck.pop()


class _Line:
    """A rising function as straight lines between points."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        self.arguments = [argument for argument, _ in points]
        self.values = [value for _, value in points]

    def at(self, argument: float) -> float:
        arguments, values = self.arguments, self.values
        right = bisect.bisect_right(arguments, argument)
        if right == 0:
            return values[0]
        if right == len(arguments):
            return values[-1]
        low, high = arguments[right - 1], arguments[right]
        return values[right - 1] + (values[right] - values[right - 1]) * (argument - low) / (high - low)

    def inverse(self) -> _Line:
        """The function the other way round, where it rises; a step is crossed at once."""
        points = list(zip(self.values, self.arguments, strict=True))
        kept = [points[0]] + [after for before, after in pairwise(points) if after[0] > before[0]]
        return _Line(kept)


def _calm(slow: _Line, share: float) -> _Line:
    """The levels of calm times, as an inverse distribution function like `slow`."""
    slow_cdf = slow.inverse()
    levels = [number / _GRID for number in range(_GRID + 1)]
    below = [_within(slow_cdf, slow, level) for level in levels]
    cdf = accumulate(((level - share * g) / (1 - share) for level, g in zip(levels, below, strict=True)), max)
    return _Line(
        [(min(max(probability, 0.0), 1.0), level) for probability, level in zip(cdf, levels, strict=True)]
    )


def _within(slow_cdf: _Line, slow: _Line, level: float) -> float:
    """The share of a spell's answers at or below `level`."""
    if level < slow.values[0]:
        return 0.0
    return 1.0 if level >= slow.values[-1] else slow_cdf.at(level)
