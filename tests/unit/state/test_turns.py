"""Turns go round, each key by itself."""

from __future__ import annotations

from mockforge.state.turns import Turns


def test_turns_go_round_in_order() -> None:
    turns = Turns()
    assert [turns.take("a", among=3) for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_keys_do_not_share_their_turns() -> None:
    turns = Turns()
    turns.take("a", among=3)
    assert turns.take("b", among=3) == 0
    assert turns.take(("a",), among=3) == 0
    assert turns.take("a", among=3) == 1


def test_a_changed_number_of_answers_goes_on_within_bounds() -> None:
    turns = Turns()
    for _ in range(5):
        turns.take("a", among=6)
    assert [turns.take("a", among=2) for _ in range(3)] == [1, 0, 1]
