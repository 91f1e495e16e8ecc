"""How far off two texts are."""

from __future__ import annotations

from mockforge.matching.operators import compile_value
from mockforge.matching.values import MISMATCH, text_distance
from mockforge.model.stub import ValuePattern


def test_texts_are_nearer_the_more_they_share() -> None:
    wanted = "application/json"
    near, far = text_distance(wanted, "application/jsn"), text_distance(wanted, "text/html")
    assert 0 == text_distance(wanted, wanted) < near < far < MISMATCH


def test_texts_that_share_nothing_are_a_mismatch() -> None:
    assert text_distance("abc", "xyz") == MISMATCH
    assert text_distance("", "xyz") == MISMATCH


def test_long_texts_are_not_compared_letter_by_letter() -> None:
    assert text_distance("a" * 2_001, "a" * 2_000) == MISMATCH
    assert text_distance("a" * 5_000, "a" * 5_000) == 0


def test_without_case_the_distance_is_of_the_folded_texts() -> None:
    matcher = compile_value(ValuePattern("equalTo", "ABCD", {"caseInsensitive": True}))
    assert matcher.distance("abcx") == text_distance("abcd", "abcx")
