"""What holds for every value matcher: a new one enters `CASES` and is held to all of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.errors import StubFileError
from mockforge.matching.values import MISMATCH, OPERATORS, ValueMatcher, compile_value
from mockforge.model.stub import ValuePattern

Operand = object
Options = Mapping[str, object]

#: By operator: operand, options, values that match, values that do not. None is an absent value.
CASES: Mapping[str, list[tuple[Operand, Options, list[str | None], list[str | None]]]] = {
    "equalTo": [
        ("Abc", {}, ["Abc"], [None, "", "abc", "Abc ", "xyz"]),
        ("", {}, [""], [None, " "]),
        (5, {}, ["5"], ["5.0", None]),
        ("Straße", {"caseInsensitive": True}, ["straße", "STRASSE"], [None, "Strase", ""]),
        ("a", {"caseInsensitive": False}, ["a"], ["A", None]),
    ],
    "contains": [("b.d", {}, ["b.d", "ab.de"], [None, "", "bxd", "B.D"])],
    "doesNotContain": [("b.d", {}, [None, "", "bxd"], ["b.d", "ab.de"])],
    "matches": [("a.*c", {}, ["ac", "abc", "a\nc"], [None, "", "abcd", "xabc", "a.*d"])],
    "doesNotMatch": [("a.*c", {}, [None, "", "abcd"], ["ac", "a\nc"])],
    "absent": [(True, {}, [None], ["", "true", "anything"])],
}
compiled = [
    pytest.param(compile_value(ValuePattern(operator, operand, options)), yes, no, id=f"{operator} {operand}")
    for operator, cases in CASES.items()
    for operand, options, yes, no in cases
]


def test_every_operator_has_cases_here() -> None:
    assert set(CASES) == set(OPERATORS)


@pytest.mark.parametrize(("matcher", "yes", "no"), compiled)
def test_it_matches_what_it_should_and_nothing_else(
    matcher: ValueMatcher, yes: list[str | None], no: list[str | None]
) -> None:
    assert [value for value in yes if not matcher.matches(value)] == []
    assert [value for value in no if matcher.matches(value)] == []


@pytest.mark.parametrize(("matcher", "yes", "no"), compiled)
def test_the_distance_is_zero_for_a_match_and_only_then(
    matcher: ValueMatcher, yes: list[str | None], no: list[str | None]
) -> None:
    assert {matcher.distance(value) for value in yes} == {0.0}
    assert all(0 < matcher.distance(value) <= MISMATCH for value in no)


@given(
    st.sampled_from([case for case in CASES.items() if case[0] != "absent"]),
    st.text("ab.*", max_size=4),
    st.none() | st.text("ab.*AB", max_size=5),
    st.booleans(),
)
def test_verdict_and_distance_agree_on_any_operand_and_value(
    case: tuple[str, object], operand: str, value: str | None, folded: bool
) -> None:
    try:
        matcher = compile_value(ValuePattern(case[0], operand, {"caseInsensitive": folded}))
    except StubFileError:
        return
    distance = matcher.distance(value)
    assert 0 <= distance <= MISMATCH
    assert matcher.matches(value) == (distance == 0)


@pytest.mark.parametrize("operator", ["matches", "doesNotMatch"])
def test_an_expression_that_does_not_parse_is_refused_with_its_text(operator: str) -> None:
    with pytest.raises(StubFileError, match=r"'a\(b' does not parse"):
        compile_value(ValuePattern(operator, "a(b"))


def test_an_unknown_operator_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(StubFileError, match=r"'equals' is not known \(known: equalTo, .*absent"):
        compile_value(ValuePattern("equals", "a"))
