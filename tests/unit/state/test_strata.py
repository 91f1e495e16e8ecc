"""Stratified draws: uniform one by one, and even in every round."""

from __future__ import annotations

import math
from random import Random

import numpy as np

from mockforge.state.strata import SIZE, Strata


def strata_of(numbers: list[float]) -> list[int]:
    return [int(number * SIZE) for number in numbers]


def test_every_stratum_comes_up_once_a_round() -> None:
    strata = Strata(Random(1))
    for _ in range(5):
        assert sorted(strata_of([strata.draw("a") for _ in range(SIZE)])) == list(range(SIZE))


def test_rounds_differ_in_their_order() -> None:
    strata = Strata(Random(1))
    one, other = (strata_of([strata.draw("a") for _ in range(SIZE)]) for _ in range(2))
    assert one != other
    assert one != sorted(one)


def test_each_draw_is_uniform_within_its_stratum_and_wherever_it_stands_in_the_round() -> None:
    rounds, position = 4_000, 7
    dkw = math.sqrt(math.log(2 / 1e-6) / (2 * rounds))
    strata = Strata(Random(1))
    draws = np.array([[strata.draw("a") for _ in range(SIZE)] for _ in range(rounds)])
    for sample in (draws[:, position], draws[:, position] * SIZE % 1):
        steps = np.arange(1, rounds + 1) / rounds
        assert np.max(np.abs(np.sort(sample) - steps)) < dkw + 1 / rounds


def test_keys_have_their_own_decks() -> None:
    strata = Strata(Random(1))
    drawn = [(strata.draw("a"), strata.draw(("a", 0))) for _ in range(SIZE)]
    for numbers in zip(*drawn, strict=True):
        assert sorted(strata_of(list(numbers))) == list(range(SIZE))


def test_one_seed_gives_one_sequence() -> None:
    one, other = Strata(Random(7)), Strata(Random(7))
    assert [one.draw("a") for _ in range(250)] == [other.draw("a") for _ in range(250)]
