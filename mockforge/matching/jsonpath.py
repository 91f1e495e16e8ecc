"""JSONPath: common expressions as direct look-ups (`$.a.b[0]`), Jayway's, and the others by jsonpath-ng."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonpath_ng import Child, Fields, Index, JSONPath, Root, This
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.filter import Expression
from jsonpath_ng.ext.parser import parse

from mockforge.errors import StubFileError
from mockforge.matching.jayway import NotJaywayError, parse_jayway

__all__ = ["JsonPath", "compile_jsonpath"]

_STEP = r"\.([A-Za-z_][\w-]*)|\[(\d{1,9})\]|\['([^'\\]*)'\]|\[\"([^\"\\]*)\"\]"
_SIMPLE = re.compile(rf"\$(?:{_STEP})*")
_LONGEST_SHOWN = 80
#: What an expression raises that does not apply to a document: arithmetic on texts, too deep a document.
_UNFIT = (
    JSONPathError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class JsonPath:
    """`find` gives the values in a document, none where the path leads nowhere; of a `definite` path one."""

    expression: str
    find: Callable[[Any], list[Any]]
    definite: bool


def compile_jsonpath(expression: str) -> JsonPath:
    """Compile a JSONPath; StubFileError where it does not parse."""
    if _SIMPLE.fullmatch(expression):
        steps = [
            int(index) if index else name or quoted or double
            for name, index, quoted, double in re.findall(_STEP, expression)
        ]
        return JsonPath(expression, _look_up(steps), definite=True)
    try:
        jayway = parse_jayway(expression)
    except NotJaywayError as unknown:
        not_jayway = str(unknown)
    else:
        return JsonPath(expression, jayway.find, jayway.definite)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # about spellings that are the user's to choose
            path = parse(expression)
        nodes = list(_nodes(path))
        _check_regexes(nodes)
    except Exception as error:  # whatever the parser raises, it is the expression that it cannot read
        reason = str(error).partition("\n")[0]
        shown = expression if len(expression) <= _LONGEST_SHOWN else expression[: _LONGEST_SHOWN - 1] + "…"
        raise StubFileError(f"JSONPath {shown!r} does not parse: {reason}; {not_jayway}") from error
    return JsonPath(expression, _evaluated(path), definite=all(map(_is_definite, nodes)))


def _look_up(steps: list[str | int]) -> Callable[[Any], list[Any]]:
    ways = [(list if isinstance(step, int) else dict, step) for step in steps]

    def find(document: Any) -> list[Any]:
        step: Any
        for container, step in ways:
            if not isinstance(document, container):  # a text has letters by number, too
                return []
            try:
                document = document[step]
            except (KeyError, IndexError):
                return []
        return [document]

    return find


def _evaluated(path: JSONPath) -> Callable[[Any], list[Any]]:
    def find(document: Any) -> list[Any]:
        try:
            return [found.value for found in path.find(document)]
        except _UNFIT:
            return []

    return find


def _nodes(path: JSONPath) -> Iterator[JSONPath]:
    yield path
    for value in vars(path).values():
        for part in value if isinstance(value, list | tuple) else (value,):
            if isinstance(part, JSONPath):
                yield from _nodes(part)


def _check_regexes(nodes: list[JSONPath]) -> None:
    """jsonpath-ng compiles those of `=~` only when it comes to them."""
    for node in nodes:
        if isinstance(node, Expression) and node.op == "=~":
            re.compile(str(node.value))


def _is_definite(node: JSONPath) -> bool:
    if isinstance(node, Fields):
        return len(node.fields) == 1
    if isinstance(node, Index):
        return len(node.indices) == 1
    return isinstance(node, Root | This | Child)
