"""The registry of matchers of one value, by the names that stubs give them.

To add one: write a function that compiles a `ValuePattern` into a `ValueMatcher`, and enter it in
`OPERATORS`. The stub file's form, the contract tests and the table in docs/matching.md go by this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mockforge.errors import StubFileError
from mockforge.matching import datetimes, numbers, values
from mockforge.matching.graphql import equal_to_graphql
from mockforge.matching.json import compile_json_equality, equal_to_json, of_json
from mockforge.matching.json_schema import matches_json_schema
from mockforge.matching.jsonpath import JsonPath, compile_jsonpath
from mockforge.matching.values import MISMATCH, ValueMatcher
from mockforge.matching.xml import XML_OPTIONS, equal_to_xml
from mockforge.matching.xpath import compile_xpath
from mockforge.model.request import MALFORMED
from mockforge.model.stub import ValuePattern

__all__ = ["OPERATORS", "OPTIONS", "Operator", "compile_value", "described", "pattern_of"]

#: The test of the values that a JSONPath finds.
FoundTest = Callable[[list[Any]], bool]


@dataclass(frozen=True, slots=True)
class Operator:
    """A matcher as stubs know it: how it is made, what it matches (for the docs), the options beside it."""

    make: Callable[[ValuePattern], ValueMatcher]
    meaning: str
    options: tuple[str, ...] = ()


def compile_value(pattern: ValuePattern) -> ValueMatcher:
    """The matcher that a stub asks for; StubFileError where it cannot be."""
    operator = OPERATORS.get(pattern.operator)
    if operator is None:
        hint = f"known: {', '.join(OPERATORS)}"
        raise StubFileError(f"matcher {pattern.operator!r} is not known", hint=hint)
    return operator.make(pattern)


def pattern_of(written: object) -> ValuePattern:
    """The pattern that stands in another one's operand; StubFileError where it is none."""
    keys = [key for key in OPERATORS if key in written] if isinstance(written, Mapping) else []
    if len(keys) != 1:
        raise StubFileError("needs one matcher", hint="such as equalTo")
    assert isinstance(written, Mapping)
    options = {key: value for key, value in written.items() if key in OPTIONS}
    return ValuePattern(keys[0], written[keys[0]], options)


def described(pattern: ValuePattern) -> str:
    """What a pattern asks for, on one line for a person."""
    operand = pattern.operand
    if isinstance(operand, Mapping | list | tuple):
        operand = orjson.dumps(operand).decode()
    return f"{pattern.operator} {operand}"


def _patterns(pattern: ValuePattern) -> list[ValuePattern]:
    operand = pattern.operand
    if not isinstance(operand, Sequence) or isinstance(operand, str) or not operand:
        raise StubFileError(f"{pattern.operator} needs a list of matchers")
    return [pattern_of(each) for each in operand]


def _and(pattern: ValuePattern) -> ValueMatcher:
    inner = [compile_value(each) for each in _patterns(pattern)]
    tests = [each.matches for each in inner]
    return ValueMatcher(
        lambda value: all(test(value) for test in tests),
        lambda value: sum(each.distance(value) for each in inner) / len(inner),
    )


def _or(pattern: ValuePattern) -> ValueMatcher:
    inner = [compile_value(each) for each in _patterns(pattern)]
    tests = [each.matches for each in inner]
    return ValueMatcher(
        lambda value: any(test(value) for test in tests),
        lambda value: min(each.distance(value) for each in inner),
    )


def _not(pattern: ValuePattern) -> ValueMatcher:
    test = compile_value(pattern_of(pattern.operand)).matches
    return ValueMatcher(lambda value: not test(value))


def _matches_jsonpath(pattern: ValuePattern) -> ValueMatcher:
    """An expression that finds something, or one with a matcher beside it that what it finds must pass."""
    operand = pattern.operand
    written = operand if isinstance(operand, Mapping) else {"expression": operand}
    path = compile_jsonpath(str(written.get("expression", "")))
    inner = _beside(written)
    if inner is None:
        passes = _finds_something(path)
    elif inner.operator == "equalToJson":
        passes = _as_json(path, inner)
    else:
        passes = _as_text(path, inner)
    find = path.find
    return of_json(lambda document: document is not MALFORMED and passes(find(document)))


def _beside(written: Mapping[str, object]) -> ValuePattern | None:
    """The pattern beside an expression."""
    return None if len(written) == 1 else pattern_of(written)


def _finds_something(path: JsonPath) -> FoundTest:
    if path.definite:
        return lambda values: bool(values) and values[0] not in (None, [], {})
    return bool


def _as_text(path: JsonPath, inner: ValuePattern) -> FoundTest:
    """Whether any value found passes as text, of one array found any element or the whole as JSON.

    Where there is none, or null, only `absent` passes.
    """
    test = compile_value(inner).matches
    wants_none = inner.operator == "absent"

    def passes(values: list[Any]) -> bool:
        whole: list[Any] = []
        if path.definite and values and isinstance(values[0], list):
            whole, values = values, values[0]
        texts = [text for value in (*values, *whole) if (text := _text(value)) is not None]
        if wants_none and not values:
            return True
        return any(map(test, texts)) if texts else wants_none

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


def _matches_xpath(pattern: ValuePattern) -> ValueMatcher:
    """An expression that finds something, or one with a matcher beside it that a node found must pass."""
    operand = pattern.operand
    written = operand if isinstance(operand, Mapping) else {"expression": operand}
    namespaces = pattern.options.get("xPathNamespaces")
    find = compile_xpath(
        str(written.get("expression", "")), namespaces if isinstance(namespaces, Mapping) else {}
    )
    inner = _beside(written)
    if inner is None:
        return ValueMatcher(lambda value: bool(value and find(value)))
    matcher = compile_value(inner)
    test = matcher.matches

    def matches(value: str | None) -> bool:
        found = find(value) if value else None
        if found is None:
            return False
        return any(map(test, found)) if found else inner.operator == "absent"

    def closeness(value: str) -> float:
        return min((matcher.distance(each) for each in find(value) or ()), default=MISMATCH)

    return ValueMatcher(matches, closeness)


def _number(meaning: str) -> Operator:
    return Operator(numbers.compile_number, meaning)


def _time(meaning: str) -> Operator:
    return Operator(datetimes.compile_datetime, meaning, datetimes.DATE_OPTIONS)


OPERATORS: Mapping[str, Operator] = {
    "equalTo": Operator(values.equal_to, "this text", ("caseInsensitive",)),
    "contains": Operator(values.contains, "a text with this in it"),
    "doesNotContain": Operator(values.does_not_contain, "a text without this in it, or none"),
    "matches": Operator(values.matches, "a text that this regular expression matches wholly"),
    "doesNotMatch": Operator(values.does_not_match, "a text that it does not match wholly, or none"),
    "absent": Operator(values.absent, "`absent: true`: no value"),
    "binaryEqualTo": Operator(values.binary_equal_to, "these bytes, in base64"),
    "and": Operator(_and, "what passes all of a list of matchers"),
    "or": Operator(_or, "what passes one of a list of matchers"),
    "not": Operator(_not, "what this matcher does not match"),
    "equalToNumber": _number("this number, however written"),
    "greaterThanNumber": _number("a number above this one"),
    "greaterThanEqualNumber": _number("this number or one above it"),
    "lessThanNumber": _number("a number below this one"),
    "lessThanEqualNumber": _number("this number or one below it"),
    "before": _time("a date and time before this one"),
    "after": _time("a date and time after this one"),
    "equalToDateTime": _time("the same date and time"),
    "equalToJson": Operator(
        equal_to_json,
        "the same JSON, as JSON text or written out",
        ("ignoreArrayOrder", "ignoreExtraElements"),
    ),
    "matchesJsonPath": Operator(_matches_jsonpath, "JSON in which this JSONPath finds something"),
    "matchesJsonSchema": Operator(
        matches_json_schema, "what this JSON Schema, as text or written out, allows", ("schemaVersion",)
    ),
    "equalToXml": Operator(equal_to_xml, "the same XML", XML_OPTIONS),
    "matchesXPath": Operator(_matches_xpath, "XML in which this XPath finds something", ("xPathNamespaces",)),
    "equalToGraphql": Operator(equal_to_graphql, "the same GraphQL operation, however formatted"),
}
#: The operators that an option goes with, by the option.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    option: tuple(name for name, operator in OPERATORS.items() if option in operator.options)
    for option in dict.fromkeys(each for operator in OPERATORS.values() for each in operator.options)
}
