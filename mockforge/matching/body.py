"""Matchers of the body: as text, as JSON, by JSONPath.

To add one: write a function that compiles a pattern into a `BodyMatcher`, and enter it in `BODY_OPERATORS`.
Every matcher of values is one of the body's text as well. As in WireMock, an empty body is no body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from mockforge.errors import StubFileError
from mockforge.matching.json import compile_json_equality
from mockforge.matching.jsonpath import JsonPath, compile_jsonpath
from mockforge.matching.values import MISMATCH, OPERATORS, compile_value
from mockforge.model.request import MALFORMED, RequestView
from mockforge.model.stub import ValuePattern

__all__ = ["BODY_OPERATORS", "BodyMatcher", "compile_body"]

#: The test of the values that a JSONPath finds.
FoundTest = Callable[[list[Any]], bool]


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
        return (self.closeness and self.closeness(request)) or MISMATCH


def compile_body(pattern: ValuePattern) -> BodyMatcher:
    """The matcher that a stub's body pattern asks for; StubFileError where it cannot be."""
    make = BODY_OPERATORS.get(pattern.operator)
    if make is not None:
        return make(pattern)
    if pattern.operator not in OPERATORS:
        hint = f"known: {', '.join([*OPERATORS, *BODY_OPERATORS])}"
        raise StubFileError(f"matcher {pattern.operator!r} is not known", hint=hint)
    matcher = compile_value(pattern)
    return BodyMatcher(
        f"{pattern.operator} {pattern.operand}",
        lambda request: matcher.matches(request.text if request.body else None),
        lambda request: matcher.distance(request.text if request.body else None),
    )


def _equal_to_json(pattern: ValuePattern) -> BodyMatcher:
    equality = compile_json_equality(pattern.operand, pattern.options)
    return BodyMatcher(
        f"equalToJson {equality.text}",
        lambda request: equality.matches(request.json),
        lambda request: equality.distance(request.json),
    )


def _matches_jsonpath(pattern: ValuePattern) -> BodyMatcher:
    """An expression that finds something, or one with a matcher beside it that what it finds must pass."""
    operand = pattern.operand
    written = operand if isinstance(operand, Mapping) else {}
    path = compile_jsonpath(str(written.get("expression", "") if written else operand))
    wanted = f"matchesJsonPath {path.expression}"
    passes = _finds_something(path)
    if written:
        inner = _inner(written)
        wanted += f" {inner.operator} {inner.operand}"
        passes = _as_json(path, inner) if inner.operator == "equalToJson" else _as_text(path, inner)
    find = path.find

    def matches(request: RequestView) -> bool:
        document = request.json
        return document is not MALFORMED and passes(find(document))

    return BodyMatcher(wanted, matches)


def _inner(written: Mapping[str, object]) -> ValuePattern:
    """The pattern beside an expression."""
    for operator in (*OPERATORS, "equalToJson"):
        if operator in written:
            options = {key: value for key, value in written.items() if key not in ("expression", operator)}
            return ValuePattern(operator, written[operator], options)
    raise StubFileError(
        "matchesJsonPath with an expression needs a matcher beside it", hint="such as equalTo"
    )


def _finds_something(path: JsonPath) -> FoundTest:
    if path.definite:
        return lambda values: bool(values) and values[0] not in (None, [], {})
    return bool


def _as_text(path: JsonPath, inner: ValuePattern) -> FoundTest:
    """Whether any value found passes as text, of one array found any element; `absent`: there is none."""
    test = compile_value(inner).matches

    def passes(values: list[Any]) -> bool:
        if path.definite and values and isinstance(values[0], list):
            values = values[0]
        texts = [text for value in values if (text := _text(value)) is not None]
        return any(map(test, texts)) if texts else inner.operator == "absent"

    return passes


def _text(value: Any) -> str | None:
    """A JSON value as text; None for null, and for what is nested deeper than can be written."""
    if value is None or isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return None


def _as_json(path: JsonPath, inner: ValuePattern) -> FoundTest:
    """Whether the value found is the wanted one; of a path to many, the array of all of them."""
    matches = compile_json_equality(inner.operand, inner.options).matches
    if path.definite:
        return lambda values: bool(values) and matches(values[0])
    return matches


BODY_OPERATORS: Mapping[str, Callable[[ValuePattern], BodyMatcher]] = {
    "equalToJson": _equal_to_json,
    "matchesJsonPath": _matches_jsonpath,
}
