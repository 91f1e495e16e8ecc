"""Matchers of one value as a number, as Java's `Double.parseDouble` reads it."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

from mockforge.errors import StubFileError
from mockforge.matching.values import ValueMatcher
from mockforge.model.stub import ValuePattern

__all__ = ["COMPARISONS", "compile_number"]

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "equalToNumber": operator.eq,
    "greaterThanNumber": operator.gt,
    "greaterThanEqualNumber": operator.ge,
    "lessThanNumber": operator.lt,
    "lessThanEqualNumber": operator.le,
}


def compile_number(pattern: ValuePattern) -> ValueMatcher:
    """The matcher of a comparison; StubFileError where the operand is no number."""
    wanted = _number(str(pattern.operand))
    if wanted is None:
        raise StubFileError(f"{pattern.operator} wants a number, not {pattern.operand!r}")
    compare = COMPARISONS[pattern.operator]

    def matches(value: str | None) -> bool:
        found = _number(value) if value is not None else None
        return found is not None and compare(found, wanted)

    return ValueMatcher(matches)


def _number(text: str) -> float | None:
    """None for what is no number."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) or "_" in text else number
