"""Regular expressions: Java's dialect, and none that runs away."""

from __future__ import annotations

import re

import pytest

from mockforge.errors import StubFileError
from mockforge.matching import regexes
from mockforge.matching.regexes import RunawayError, compile_regex


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("a.c", "a\nc"),
        (r"\Qa.b*\E", "a.b*"),
        (r"\p{L}+", "Straße"),
        ("[a-z&&[^b]]+", "acd"),
        ("a++b", "aaab"),
        ("(?<year>[0-9]{4})-[0-9]+", "2024-5"),
        ("(?i)abc", "ABC"),
        (r"(a|b)\1", "aa"),
        ("(?=ab)a.*", "abc"),
        ("(?:one|two){2}", "onetwo"),
    ],
)
def test_the_dialect_is_that_of_java(expression: str, text: str) -> None:
    assert compile_regex(expression)(text) is not None


@pytest.mark.parametrize(
    ("expression", "text"), [("a", "ab"), ("[a-z&&[^b]]+", "ab"), (r"\Qa.\E", "ab"), ("a?b?", "ba")]
)
def test_the_whole_text_must_match(expression: str, text: str) -> None:
    assert compile_regex(expression)(text) is None


@pytest.mark.parametrize(
    "expression", ["(a+)+b", "(a|aa)+b", "(a*)*b", "a?" * 40 + "a" * 40 + "b", "(.*)*=x"]
)
def test_an_expression_that_explodes_is_an_error_and_not_a_verdict(
    expression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regexes, "LONGEST_S", 0.02)
    fullmatch = compile_regex(expression)
    try:
        verdict = fullmatch("a" * 40 + "c")
    except RunawayError as error:
        assert "took more than 0.02 s over 41 characters" in str(error)  # noqa: PT017 - it may be quick
    else:
        assert verdict is None


def test_a_runaway_says_which_expression_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexes, "LONGEST_S", 0.01)
    with pytest.raises(RunawayError, match=re.escape("'(x|xx)+[yz]' took more than")):
        compile_regex("(x|xx)+[yz]")("x" * 60)


@pytest.mark.parametrize(
    ("expression", "harmless"),
    [
        ("/orders/[0-9]+", True),
        ("a.*c", True),
        ("[*+?]", True),
        (r"\*\+x?", True),
        ("(a|b)c*", True),
        ("(?:a)", True),
        (".*a.*", False),
        ("(a|aa)*", False),
        (r"(a)\1", False),
        ("a?a?", False),
    ],
)
def test_only_what_cannot_explode_is_left_to_the_unbounded_engine(expression: str, harmless: bool) -> None:
    own = isinstance(getattr(compile_regex(expression), "__self__", None), re.Pattern)
    assert own is harmless


@pytest.mark.parametrize(
    ("expression", "message"),
    [("a(b", r"'a\(b' does not parse: .*\(write it as"), ("a{99999999999}", "is too large")],
)
def test_what_does_not_parse_is_refused(expression: str, message: str) -> None:
    with pytest.raises(StubFileError, match=message):
        compile_regex(expression)


def test_a_search_finds_the_expression_anywhere() -> None:
    assert compile_regex("^b", search=True)("bcd") is not None
    assert compile_regex("b+c+", search=True)("abbccd") is not None
    assert compile_regex("^c", search=True)("bcd") is None
