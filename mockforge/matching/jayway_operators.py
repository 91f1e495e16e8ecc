"""The functions of Jayway's JsonPath (`.size()`) and the operators of its filters (`=~`, `in`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mockforge.matching.regexes import FullMatch

__all__ = ["FUNCTIONS", "NOTHING", "OPERATORS", "members"]

#: What a path in a filter gives where it leads nowhere, and a function of what it does not apply to.
NOTHING: Final = object()


def members(value: Any) -> list[Any]:
    """What is directly in an object or array."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _size(value: Any) -> Any:
    return len(value) if isinstance(value, list | dict | str) else NOTHING


def _numbers(reduce: Callable[[list[float]], float]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        numbers = [each for each in members(value) if _is_number(each)]
        return reduce(numbers) if numbers else NOTHING

    return apply


FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "size": _size,
    "length": _size,
    "keys": lambda value: list(value) if isinstance(value, dict) else NOTHING,
    "first": lambda value: value[0] if isinstance(value, list) and value else NOTHING,
    "last": lambda value: value[-1] if isinstance(value, list) and value else NOTHING,
    "min": _numbers(min),
    "max": _numbers(max),
    "sum": _numbers(sum),
    "avg": _numbers(lambda numbers: sum(numbers) / len(numbers)),
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(left: Any, right: Any) -> bool:
    """Equal, or a text that is the number on the other side, as Jayway has it."""
    if isinstance(left, str) and _is_number(right):
        left, right = right, left
    if isinstance(right, str) and _is_number(left):
        try:
            return bool(left == float(right))
        except ValueError:
            return False
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(left: Any, right: Any) -> bool:
        alike = (_is_number(left) and _is_number(right)) or (isinstance(left, str) and isinstance(right, str))
        return alike and compare(left, right)

    return test


def _fits(value: Any, fullmatch: FullMatch) -> bool:
    if isinstance(value, list):
        return any(_fits(each, fullmatch) for each in value)
    if not isinstance(value, str) and not _is_number(value):
        return False
    return callable(fullmatch) and fullmatch(value if isinstance(value, str) else str(value)) is not None


def _in(value: Any, among: Any) -> bool:
    return isinstance(among, list) and any(_equal(value, each) for each in among)


def _all_in(values: Any, among: Any) -> bool:
    return isinstance(values, list) and all(_in(each, among) for each in values)


def _any_in(values: Any, among: Any) -> bool:
    return isinstance(values, list) and any(_in(each, among) for each in values)


def _contains(whole: Any, part: Any) -> bool:
    return part in whole if isinstance(whole, str) and isinstance(part, str) else _in(part, whole)


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: left is not NOTHING and not _equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "=~": _fits,
    "in": _in,
    "nin": lambda value, among: value is not NOTHING and not _in(value, among),
    "subsetof": _all_in,
    "anyof": _any_in,
    "noneof": lambda values, among: isinstance(values, list) and not _any_in(values, among),
    "contains": _contains,
    "size": lambda value, size: _equal(_size(value), size),
    "empty": lambda value, empty: isinstance(value, list | dict | str) and (not value) is empty,
}
