"""Equality of JSON values, that overlooks what it is told to: the order of arrays, extra elements.

The wanted value is compiled, one test for each of its parts, so that comparing goes no deeper than it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mockforge.errors import StubFileError
from mockforge.matching.json_placeholders import compile_placeholder
from mockforge.matching.values import MISMATCH, ValueMatcher
from mockforge.model.request import MALFORMED
from mockforge.model.stub import ValuePattern

__all__ = ["JsonEquality", "compile_json_equality", "equal_to_json", "json_value", "of_json"]

JsonTest = Callable[[Any], bool]

#: Nobody writes a deeper value, and comparing one must not exhaust the stack.
_DEEPEST = 100
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class JsonEquality:
    """The test whether a JSON value is the wanted one; `text` is the wanted one as JSON."""

    text: str
    matches: JsonTest
    members: Mapping[str, JsonTest] = field(default_factory=dict)

    def distance(self, found: object) -> float:
        """0 for a match; of an object, the share of its members that are not as wanted; else 1."""
        if self.matches(found):
            return 0.0
        if not isinstance(found, dict) or not self.members:
            return MISMATCH
        right = sum(key in found and test(found[key]) for key, test in self.members.items())
        return MISMATCH - right / max(len(self.members), len(found))


@dataclass(frozen=True, slots=True)
class _Overlooked:
    order: bool
    extra: bool


def compile_json_equality(operand: object, options: Mapping[str, object]) -> JsonEquality:
    """From the operand of `equalToJson`, a JSON text or a structure, and its options.

    StubFileError where the text is not JSON, or the structure cannot be.
    """
    wanted = _parse(operand) if isinstance(operand, str) else operand
    try:
        text = orjson.dumps(wanted).decode()
    except orjson.JSONEncodeError as error:
        raise StubFileError(f"the wanted value cannot be JSON: {error}") from error
    overlooked = _Overlooked(bool(options.get("ignoreArrayOrder")), bool(options.get("ignoreExtraElements")))
    if isinstance(wanted, dict):
        members = {key: _compile(value, overlooked, 1) for key, value in wanted.items()}
        return JsonEquality(text, _object(members, overlooked.extra), members)
    return JsonEquality(text, _compile(wanted, overlooked, 0))


def equal_to_json(pattern: ValuePattern) -> ValueMatcher:
    """The matcher of `equalToJson`; StubFileError where its operand cannot be JSON."""
    equality = compile_json_equality(pattern.operand, pattern.options)
    return of_json(equality.matches, equality.distance)


def of_json(test: JsonTest, distance: Callable[[Any], float] | None = None) -> ValueMatcher:
    """A matcher of parsed JSON, which takes a text by parsing it."""
    return ValueMatcher(
        lambda value: value is not None and test(json_value(value)),
        (lambda value: distance(json_value(value))) if distance is not None else None,
        of_json=test,
        json_closeness=distance,
    )


def json_value(text: str) -> Any:
    """The JSON value that a text is, or MALFORMED."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return MALFORMED


def _parse(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        shown = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
        raise StubFileError(f"{shown!r} is not JSON: {error.msg}") from error


def _compile(wanted: Any, overlooked: _Overlooked, depth: int) -> JsonTest:
    if depth > _DEEPEST:
        raise StubFileError(f"the JSON is nested more than {_DEEPEST} levels deep")
    if isinstance(wanted, dict):
        members = {key: _compile(value, overlooked, depth + 1) for key, value in wanted.items()}
        return _object(members, overlooked.extra)
    if isinstance(wanted, list):
        tests = [_compile(value, overlooked, depth + 1) for value in wanted]
        return _array(tests, overlooked)
    if wanted is None or isinstance(wanted, bool):
        return lambda found: found is wanted
    if isinstance(wanted, str) and (placeholder := compile_placeholder(wanted)) is not None:
        return placeholder
    # In Python true equals 1; in JSON it does not.
    return lambda found: bool(found == wanted) and found is not True and found is not False


def _object(members: Mapping[str, JsonTest], extra: bool) -> JsonTest:
    tests = tuple(members.items())

    def matches(found: Any) -> bool:
        if not isinstance(found, dict) or (not extra and len(found) != len(tests)):
            return False
        for key, test in tests:  # noqa: SIM110 - a generator costs as much as the tests do
            if key not in found or not test(found[key]):
                return False
        return True

    return matches


def _array(tests: Sequence[JsonTest], overlooked: _Overlooked) -> JsonTest:
    def matches(found: Any) -> bool:
        if not isinstance(found, list) or len(found) < len(tests):
            return False
        if not overlooked.extra and len(found) > len(tests):
            return False
        if overlooked.order:
            return _assign(tests, found)
        return all(test(value) for test, value in zip(tests, found, strict=False))

    return matches


def _assign(tests: Sequence[JsonTest], found: Sequence[Any]) -> bool:
    """Whether each test can have a value of its own that passes it.

    First come, first served would do only where no value passes two tests, and with extra elements some do:
    `{}` passes whatever object, and must not take the one that another test needs. So a test that finds its
    values taken makes their holders look for others (an augmenting path of a bipartite matching).
    """
    holder: dict[int, int] = {}
    held: dict[int, int] = {}
    return all(_make_room(test, tests, found, holder, held) for test in range(len(tests)))


def _make_room(
    first: int, tests: Sequence[JsonTest], found: Sequence[Any], holder: dict[int, int], held: dict[int, int]
) -> bool:
    """Give test `first` a value, and those that lose theirs by it another one."""
    wanted_by: dict[int, int] = {}
    waiting = [first]
    for test in waiting:
        for at, value in enumerate(found):
            if at in wanted_by or not tests[test](value):
                continue
            wanted_by[at] = test
            if at in holder:
                waiting.append(holder[at])
                continue
            free: int | None = at
            while free is not None:
                taker = wanted_by[free]
                holder[free] = taker
                freed = held.get(taker)
                held[taker] = free
                free = freed
            return True
    return False
