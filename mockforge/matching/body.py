"""Matchers of the body: as text, as JSON, by JSONPath.

The common JSONPath expressions (`$.a.b[0]['c d']`) are compiled to direct look-ups; jsonpath-ng evaluates
the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse as parse_jsonpath

from mockforge.errors import StubFileError
from mockforge.matching.values import MISMATCH, OPERATORS, compile_value
from mockforge.model.request import MALFORMED, RequestView
from mockforge.model.stub import ValuePattern

__all__ = ["BODY_OPERATORS", "BodyMatcher", "compile_body", "compile_jsonpath"]

#: A JSONPath's values in a document; none where it leads nowhere.
JsonPath = Callable[[Any], list[Any]]

_STEP = r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^'\\]*)'\]|\[\"([^\"\\]*)\"\]"
_SIMPLE = re.compile(rf"\$(?:{_STEP})*")


@dataclass(frozen=True, slots=True)
class BodyMatcher:
    """The test of a request's body. `wanted` tells a person what it asks for."""

    wanted: str
    matches: Callable[[RequestView], bool]
    closeness: Callable[[RequestView], float] | None = None

    def distance(self, request: RequestView) -> float:
        """0 for a match, 1 for a body that shares nothing."""
        if self.matches(request):
            return 0.0
        return self.closeness(request) if self.closeness else MISMATCH


def compile_body(pattern: ValuePattern) -> BodyMatcher:
    """The matcher that a stub's body pattern asks for; StubFileError where it cannot be."""
    make = BODY_OPERATORS.get(pattern.operator)
    if make is not None:
        return make(pattern)
    matcher = compile_value(pattern)
    return BodyMatcher(
        f"{pattern.operator} {pattern.operand}",
        lambda request: matcher.matches(request.text),
        lambda request: matcher.distance(request.text),
    )


def compile_jsonpath(expression: str) -> JsonPath:
    """Compile a JSONPath; StubFileError where it does not parse."""
    if _SIMPLE.fullmatch(expression):
        return _look_up(
            [
                int(index) if index else name or quoted or double
                for name, index, quoted, double in re.findall(_STEP, expression)
            ]
        )
    try:
        compiled = parse_jsonpath(expression)
    except (JSONPathError, ValueError, TypeError, AttributeError) as error:
        raise StubFileError(f"JSONPath {expression!r} does not parse: {error}") from error
    return lambda document: [found.value for found in compiled.find(document)]


def _look_up(steps: list[str | int]) -> JsonPath:
    def values(document: Any) -> list[Any]:
        for step in steps:
            try:
                document = document[step]
            except (KeyError, IndexError, TypeError):
                return []
        return [document]

    return values


def _matches_jsonpath(pattern: ValuePattern) -> BodyMatcher:
    """`matchesJsonPath`: an expression that finds something, or whose value passes a matcher of its own."""
    operand = pattern.operand
    if isinstance(operand, Mapping):
        expression = str(operand.get("expression", ""))
        inner = _inner(operand)
    else:
        expression, inner = str(operand), None
    path = compile_jsonpath(expression)

    def values(request: RequestView) -> list[Any]:
        return [] if request.json is MALFORMED else path(request.json)

    wanted = f"matchesJsonPath {expression}"
    if inner is None:
        return BodyMatcher(wanted, lambda request: _found(values(request)))
    test = compile_value(inner)
    return BodyMatcher(
        f"{wanted} {inner.operator} {inner.operand}",
        lambda request: any(test.matches(_as_text(value)) for value in values(request) or [None]),
    )


def _inner(operand: Mapping[str, object]) -> ValuePattern:
    for operator in OPERATORS:
        if operator in operand:
            return ValuePattern(operator, operand[operator])
    raise StubFileError(
        "matchesJsonPath with an expression needs a matcher beside it", hint="such as equalTo"
    )


def _found(values: Iterable[Any]) -> bool:
    return any(value not in (None, [], {}) for value in values)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def _equal_to_json(pattern: ValuePattern) -> BodyMatcher:
    """`equalToJson`, with `ignoreArrayOrder` and `ignoreExtraElements`."""
    wanted: Any = pattern.operand
    if isinstance(wanted, str):
        try:
            wanted = orjson.loads(wanted)
        except orjson.JSONDecodeError as error:
            raise StubFileError(f"equalToJson is not JSON: {error}") from error
    loose = _Loose(
        bool(pattern.options.get("ignoreArrayOrder")), bool(pattern.options.get("ignoreExtraElements"))
    )
    told = f"equalToJson {orjson.dumps(wanted).decode()}"
    return BodyMatcher(told, lambda request: loose.covers(wanted, request.json))


def _same(wanted: Any, found: Any) -> bool:
    """Equality of two JSON scalars, in which true is not 1."""
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return bool(wanted == found)


@dataclass(frozen=True, slots=True)
class _Loose:
    """Comparison of JSON values that overlooks what `equalToJson` is told to ignore."""

    order: bool
    extra: bool

    def covers(self, wanted: Any, found: Any) -> bool:
        if isinstance(wanted, dict):
            return isinstance(found, dict) and self._covers_object(wanted, found)
        if isinstance(wanted, list):
            return isinstance(found, list) and self._covers_array(wanted, found)
        return _same(wanted, found)

    def _covers_object(self, wanted: dict[str, Any], found: dict[str, Any]) -> bool:
        if not self.extra and len(wanted) != len(found):
            return False
        return all(key in found and self.covers(value, found[key]) for key, value in wanted.items())

    def _covers_array(self, wanted: list[Any], found: list[Any]) -> bool:
        if len(found) < len(wanted) or (not self.extra and len(found) > len(wanted)):
            return False
        if not self.order:
            return all(map(self.covers, wanted, found))
        left = list(found)
        for one in wanted:
            position = next((at for at, other in enumerate(left) if self.covers(one, other)), None)
            if position is None:
                return False
            del left[position]
        return True


BODY_OPERATORS: Mapping[str, Callable[[ValuePattern], BodyMatcher]] = {
    "equalToJson": _equal_to_json,
    "matchesJsonPath": _matches_jsonpath,
}
