"""Uniform numbers that cover 0..1 evenly: stratified draws, as if dealt from a shuffled deck.

A mocked run is often a few hundred requests an operation; independent draws would give it a distribution
visibly off the learned one by chance alone. In each round of `SIZE` draws every stratum `[i, i+1) / SIZE`
comes up once, in random order: the run's distribution holds to 1/SIZE in probability from the first round
on, each single draw is still uniform, and draws of different rounds are independent.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from random import Random

__all__ = ["SIZE", "Strata"]

SIZE = 100
_BELOW_ONE = math.nextafter(1.0, 0.0)


class Strata:
    """One deck per key, all dealt from one seeded generator."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._decks: dict[Hashable, list[int]] = {}

    def draw(self, key: Hashable) -> float:
        """A uniform number, 0 <= u < 1, from the deck of `key`."""
        deck = self._decks.get(key)
        if not deck:
            deck = list(range(SIZE))
            self._random.shuffle(deck)
            self._decks[key] = deck
        return min((deck.pop() + self._random.random()) / SIZE, _BELOW_ONE)
