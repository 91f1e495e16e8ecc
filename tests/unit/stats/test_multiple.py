"""Holm's step-down procedure, on his own kind of example."""

from __future__ import annotations

from mockforge.stats.multiple import holm


def test_the_procedure_stops_at_the_first_that_stands() -> None:
    chances = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}
    assert holm(chances, 0.05) == {"a", "d"}


def test_nothing_is_rejected_of_nothing() -> None:
    assert holm({}, 0.05) == frozenset()
