"""Matchers of the values of a name: `hasExactly`, `includes`, or for a matcher of one value any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mockforge.errors import StubFileError
from mockforge.matching.operators import compile_value, pattern_of
from mockforge.matching.values import ValueMatcher
from mockforge.model.stub import ValuePattern

__all__ = ["MULTI_OPERATORS", "ValuesMatcher", "compile_values"]

_ABSENT = (None,)


@dataclass(frozen=True, slots=True)
class ValuesMatcher:
    """The test of the values of one name, none where it is absent; `distance` is 0 for a match."""

    matches: Callable[[Sequence[str]], bool]
    closeness: Callable[[Sequence[str]], float]

    def distance(self, values: Sequence[str]) -> float:
        """0 for a match, 1 for values that share nothing with what is wanted."""
        return 0.0 if self.matches(values) else self.closeness(values) or 1.0


def compile_values(pattern: ValuePattern) -> ValuesMatcher:
    """The matcher that a stub asks for; StubFileError where it cannot be."""
    if pattern.operator in MULTI_OPERATORS:
        operand = pattern.operand
        if not isinstance(operand, list | tuple) or not operand:
            raise StubFileError(f"{pattern.operator} needs a list of matchers")
        inner = [compile_value(pattern_of(each)) for each in operand]
        return ValuesMatcher(
            MULTI_OPERATORS[pattern.operator][0](inner), lambda values: _mean_distance(inner, values)
        )
    matcher = compile_value(pattern)
    test = matcher.matches

    def matches(values: Sequence[str]) -> bool:
        return any(test(value) for value in values or _ABSENT)

    return ValuesMatcher(matches, lambda values: min(matcher.distance(value) for value in values or _ABSENT))


def _includes(inner: Sequence[ValueMatcher]) -> Callable[[Sequence[str]], bool]:
    return lambda values: all(any(each.matches(value) for value in values or _ABSENT) for each in inner)


def _has_exactly(inner: Sequence[ValueMatcher]) -> Callable[[Sequence[str]], bool]:
    includes = _includes(inner)
    return lambda values: len(values) == len(inner) and includes(values)


def _mean_distance(inner: Sequence[ValueMatcher], values: Sequence[str]) -> float:
    nearest = [min(each.distance(value) for value in values or _ABSENT) for each in inner]
    return sum(nearest) / len(nearest)


#: By name: how it is made of matchers of one value, and what it matches.
MULTI_OPERATORS: Mapping[
    str, tuple[Callable[[Sequence[ValueMatcher]], Callable[[Sequence[str]], bool]], str]
] = {
    "hasExactly": (_has_exactly, "as many values as matchers, and for each matcher one that passes it"),
    "includes": (_includes, "values of which, for each matcher, one passes it"),
}
