"""Matchers of one value as text; `mockforge.matching.operators` finds them by their names."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from mockforge.errors import StubFileError
from mockforge.matching.regexes import compile_regex
from mockforge.model.stub import ValuePattern

__all__ = [
    "MISMATCH",
    "ValueMatcher",
    "absent",
    "binary_equal_to",
    "contains",
    "does_not_contain",
    "does_not_match",
    "equal_to",
    "matches",
    "text_distance",
]

#: The distance of two things that have nothing in common.
MISMATCH = 1.0

#: Longer texts are not compared letter by letter.
_LONGEST_COMPARED = 2_000


@dataclass(frozen=True, slots=True)
class ValueMatcher:
    """The test of one value, which is None when absent.

    `matches` is for the hot path; `distance` (0 matches, 1 shares nothing) for near misses. A matcher of JSON
    or of bytes has that test too, so that a body need not be parsed twice: `of_json` takes the parsed value,
    `MALFORMED` for what is not JSON, and `json_closeness` tells how far that is off.
    """

    matches: Callable[[str | None], bool]
    closeness: Callable[[str], float] | None = None
    of_json: Callable[[Any], bool] | None = None
    json_closeness: Callable[[Any], float] | None = None
    of_bytes: Callable[[bytes], bool] | None = None

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


def equal_to(pattern: ValuePattern) -> ValueMatcher:
    """This text; with `caseInsensitive` in any case."""
    operand = str(pattern.operand)
    if pattern.options.get("caseInsensitive"):
        folded = operand.casefold()
        return ValueMatcher(
            lambda value: value is not None and value.casefold() == folded,
            lambda value: text_distance(folded, value.casefold()),
        )
    return ValueMatcher(lambda value: value == operand, lambda value: text_distance(operand, value))


def contains(pattern: ValuePattern) -> ValueMatcher:
    """A text with this in it."""
    operand = str(pattern.operand)
    return ValueMatcher(lambda value: value is not None and operand in value)


def does_not_contain(pattern: ValuePattern) -> ValueMatcher:
    """A text without this in it, or none."""
    operand = str(pattern.operand)
    return ValueMatcher(lambda value: value is None or operand not in value)


def matches(pattern: ValuePattern) -> ValueMatcher:
    """A text that the expression matches wholly."""
    fullmatch = compile_regex(str(pattern.operand))
    return ValueMatcher(lambda value: value is not None and fullmatch(value) is not None)


def does_not_match(pattern: ValuePattern) -> ValueMatcher:
    """A text that the expression does not match wholly, or none."""
    fullmatch = compile_regex(str(pattern.operand))
    return ValueMatcher(lambda value: value is None or fullmatch(value) is None)


def absent(pattern: ValuePattern) -> ValueMatcher:
    """No value."""
    return ValueMatcher(lambda value: value is None)


def binary_equal_to(pattern: ValuePattern) -> ValueMatcher:
    """These bytes, written in base64; a text is its UTF-8."""
    try:
        wanted = base64.b64decode(str(pattern.operand), validate=True)
    except (binascii.Error, ValueError) as error:
        raise StubFileError(f"{str(pattern.operand)[:60]!r} is not base64: {error}") from None
    return ValueMatcher(
        lambda value: value is not None and value.encode("utf-8", "replace") == wanted,
        of_bytes=lambda value: value == wanted,
    )
