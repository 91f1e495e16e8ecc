"""Matchers of one value: one function each, found by its operator in a registry.

To add one: write a function that compiles an operand into a `ValueMatcher`, and enter it in `OPERATORS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from mockforge.errors import StubFileError
from mockforge.model.stub import ValuePattern

__all__ = ["MISMATCH", "OPERATORS", "ValueMatcher", "compile_value", "text_distance"]

#: The distance of two things that have nothing in common.
MISMATCH = 1.0

#: Longer texts are not compared letter by letter.
_LONGEST_COMPARED = 2_000


@dataclass(frozen=True, slots=True)
class ValueMatcher:
    """The test of one value, which is None when absent.

    `matches` is for the hot path; `distance` (0 matches, 1 shares nothing) for near misses.
    """

    matches: Callable[[str | None], bool]
    closeness: Callable[[str], float] | None = None

    def distance(self, value: str | None) -> float:
        if self.matches(value):
            return 0.0
        # A text may equal the expression that it does not match, and is a mismatch still.
        return (value is not None and self.closeness and self.closeness(value)) or MISMATCH


def text_distance(wanted: str, found: str) -> float:
    """0 for equal texts, 1 for texts that share nothing."""
    if wanted == found:
        return 0.0
    if max(len(wanted), len(found)) > _LONGEST_COMPARED:
        return MISMATCH
    return 1.0 - SequenceMatcher(None, wanted, found, autojunk=False).ratio() or MISMATCH


def _equal_to(operand: str, options: Mapping[str, object]) -> ValueMatcher:
    if options.get("caseInsensitive"):
        folded = operand.casefold()
        return ValueMatcher(
            lambda value: value is not None and value.casefold() == folded,
            lambda value: text_distance(folded, value.casefold()),
        )
    return ValueMatcher(lambda value: value == operand, lambda value: text_distance(operand, value))


def _contains(operand: str, options: Mapping[str, object]) -> ValueMatcher:
    return ValueMatcher(lambda value: value is not None and operand in value)


def _does_not_contain(operand: str, options: Mapping[str, object]) -> ValueMatcher:
    return ValueMatcher(lambda value: value is None or operand not in value)


def _matches(operand: str, options: Mapping[str, object]) -> ValueMatcher:
    fullmatch = _regex(operand).fullmatch
    return ValueMatcher(lambda value: value is not None and fullmatch(value) is not None)


def _does_not_match(operand: str, options: Mapping[str, object]) -> ValueMatcher:
    fullmatch = _regex(operand).fullmatch
    return ValueMatcher(lambda value: value is None or fullmatch(value) is None)


def _absent(operand: str, options: Mapping[str, object]) -> ValueMatcher:
    return ValueMatcher(lambda value: value is None)


OPERATORS: Mapping[str, Callable[[str, Mapping[str, object]], ValueMatcher]] = {
    "equalTo": _equal_to,
    "contains": _contains,
    "doesNotContain": _does_not_contain,
    "matches": _matches,
    "doesNotMatch": _does_not_match,
    "absent": _absent,
}


def compile_value(pattern: ValuePattern) -> ValueMatcher:
    """The matcher that a stub file asks for; StubFileError where it cannot be."""
    make = OPERATORS.get(pattern.operator)
    if make is None:
        hint = f"known: {', '.join(OPERATORS)}"
        raise StubFileError(f"matcher {pattern.operator!r} is not known", hint=hint)
    return make(str(pattern.operand), pattern.options)


def _regex(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise StubFileError(f"regular expression {pattern!r} does not parse: {error}") from error
