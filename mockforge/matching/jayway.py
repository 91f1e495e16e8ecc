"""Expressions of Jayway's JsonPath, which WireMock's stubs are written in, beyond what jsonpath-ng knows.

    path      $ or @, then steps: .name ['a','b'] [0] [-1] [1:3] [0,2] [*] .* ..name [?(filter)] .size()
    filter    term, !term, (filter), filter && filter, filter || filter
    term      operand, or operand OPERATOR operand, such as == =~ in contains: see OPERATORS
    operand   a path, 'text', a number, true, false, null, [list], /regular expression/i

A step is a function from the values so far to the values that it leads to; a filter is one from a value and
the root to a verdict. What jsonpath-ng alone has (arithmetic, `=~ 'text'`) is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from mockforge.errors import StubFileError
from mockforge.matching.jayway_operators import FUNCTIONS, NOTHING, OPERATORS, members
from mockforge.matching.regexes import compile_regex

__all__ = ["JaywayPath", "NotJaywayError", "parse_jayway"]

Step = Callable[[list[Any], Any], list[Any]]
Operand = Callable[[Any, Any], Any]
Filter = Callable[[Any, Any], bool]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<regex>/(?:[^/\\]|\\.)+/[a-zA-Z]*)
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<mark>\.\.|==|!=|<=|>=|=~|&&|\|\||\?\(|[$@.\[\](),:*<>!])
    | (?P<word>[^\s.\[\](),:*<>!=&|'"$@?/]+)
    )""",
    re.VERBOSE,
)


class NotJaywayError(ValueError):
    """An expression that this grammar does not have."""


@dataclass(frozen=True, slots=True)
class JaywayPath:
    """`find` gives the values that the path leads to in a document; a `definite` one leads to one at most."""

    find: Callable[[Any], list[Any]]
    definite: bool


def parse_jayway(expression: str) -> JaywayPath:
    """Compile an expression; NotJaywayError where the grammar does not have it."""
    parser = _Parser(_tokens(expression))
    parser.take("$")
    try:
        steps, definite = parser.steps()
    except RecursionError:
        raise NotJaywayError("nested too deeply") from None
    except (StubFileError, ValueError) as error:
        raise NotJaywayError(str(error)) from error
    if parser.kind:
        raise NotJaywayError(f"near {parser.value!r}")
    return JaywayPath(lambda document: _walk(steps, document, document), definite)


def _tokens(expression: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(expression.rstrip()):
        token = _TOKEN.match(expression, at)
        if token is None:
            raise NotJaywayError(f"near {expression[at : at + 20]!r}")
        kind = token.lastgroup or ""
        found.append((kind, token[kind]))
        at = token.end()
    return found


def _walk(steps: list[Step], value: Any, root: Any) -> list[Any]:
    values = [value]
    for step in steps:
        values = step(values, root)
    return values


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [*tokens, ("", "")]
        self._at = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def value(self) -> str:
        return self._tokens[self._at][1]

    def next(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        self._at += bool(token[0])
        return token

    def accepts(self, mark: str) -> bool:
        """Whether the mark stands here, which is then behind."""
        if self._tokens[self._at] not in (("mark", mark), ("word", mark)):
            return False
        self._at += 1
        return True

    def take(self, mark: str) -> None:
        if not self.accepts(mark):
            raise NotJaywayError(f"wants {mark!r}, has {self.value!r}")

    def steps(self) -> tuple[list[Step], bool]:
        """Steps as far as they go, and whether they lead to one value at most."""
        steps: list[Step] = []
        definite = True
        while True:
            if self.accepts(".."):
                steps.append(lambda values, root: [each for value in values for each in _below(value)])
                definite = False
                if self.kind == "mark" and self.value == "[":
                    continue
                step, one = self._dotted()
            elif self.accepts("."):
                step, one = self._dotted()
            elif self.accepts("["):
                step, one = self._bracketed()
            else:
                return steps, definite
            steps.append(step)
            definite = definite and one

    def _dotted(self) -> tuple[Step, bool]:
        if self.accepts("*"):
            return _children, False
        kind, name = self.next()
        if kind not in ("word", "number"):
            raise NotJaywayError(f"wants a name, has {name!r}")
        if self.accepts("("):
            self.take(")")
            if name not in FUNCTIONS:
                raise NotJaywayError(f"function {name}() is not known: {', '.join(FUNCTIONS)}")
            return _applied(FUNCTIONS[name]), True
        return _named([name]), True

    def _bracketed(self) -> tuple[Step, bool]:
        if self.accepts("*"):
            self.take("]")
            return _children, False
        if self.accepts("?("):
            test = self.either()
            self.take(")")
            self.take("]")
            return _filtered(test), False
        if self.kind == "text":
            names = [_text(self.next()[1])]
            while self.accepts(","):
                names.append(_text(self.next()[1]))
            self.take("]")
            return _named(names), len(names) == 1
        return self._indices()

    def _indices(self) -> tuple[Step, bool]:
        first = self._index()
        if self.accepts(":"):
            last = self._index()
            self.take("]")
            return _sliced(slice(first, last)), False
        if first is None:
            raise NotJaywayError(f"wants an index, has {self.value!r}")
        indices = [first]
        while self.accepts(","):
            indices.append(int(self.next()[1]))
        self.take("]")
        return _indexed(indices), len(indices) == 1

    def _index(self) -> int | None:
        return int(self.next()[1]) if self.kind == "number" and "." not in self.value else None

    def either(self) -> Filter:
        """Filters joined by ||."""
        tests = [self._both()]
        while self.accepts("||"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda value, root: any(test(value, root) for test in tests)

    def _both(self) -> Filter:
        tests = [self._term()]
        while self.accepts("&&"):
            tests.append(self._term())
        return tests[0] if len(tests) == 1 else lambda value, root: all(test(value, root) for test in tests)

    def _term(self) -> Filter:
        if self.accepts("!"):
            test = self._term()
            return lambda value, root: not test(value, root)
        if self.accepts("("):
            test = self.either()
            self.take(")")
            return test
        left = self._operand()
        name = self.value
        if name not in OPERATORS:
            return lambda value, root: left(value, root) is not NOTHING
        self.next()
        if name == "=~" and self.kind != "regex":
            raise NotJaywayError("=~ wants /a regular expression/")
        compare, right = OPERATORS[name], self._operand()
        return lambda value, root: compare(left(value, root), right(value, root))

    def _operand(self) -> Operand:
        kind, text = self.next()
        if kind == "mark" and text in "$@":
            steps, definite = self.steps()
            return _looked_up(steps, definite, from_root=text == "$")
        if kind == "mark" and text == "[":
            return _constant(self._list())
        return _constant(_literal(kind, text))

    def _list(self) -> list[Any]:
        values: list[Any] = []
        while not self.accepts("]"):
            values.append(_literal(*self.next()))
            if not self.accepts(","):
                self.take("]")
                break
        return values


def _text(token: str) -> str:
    if token[:1] not in ("'", '"'):
        raise NotJaywayError(f"wants a text, has {token!r}")
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def _literal(kind: str, text: str) -> Any:
    if kind == "text":
        return _text(text)
    if kind == "number":
        return orjson.loads(text)
    if kind == "regex":
        expression, _, flags = text[1:].rpartition("/")
        return compile_regex(expression, ignore_case="i" in flags)
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    raise NotJaywayError(f"near {text!r}")


def _constant(constant: Any) -> Operand:
    return lambda value, root: constant


def _looked_up(steps: list[Step], definite: bool, *, from_root: bool) -> Operand:
    def look_up(value: Any, root: Any) -> Any:
        found = _walk(steps, root if from_root else value, root)
        if definite:
            return found[0] if found else NOTHING
        return found

    return look_up


def _named(names: list[str]) -> Step:
    return lambda values, root: [
        value[name] for value in values if isinstance(value, dict) for name in names if name in value
    ]


def _indexed(indices: list[int]) -> Step:
    return lambda values, root: [
        value[index]
        for value in values
        if isinstance(value, list)
        for index in indices
        if -len(value) <= index < len(value)
    ]


def _sliced(part: slice) -> Step:
    return lambda values, root: [each for value in values if isinstance(value, list) for each in value[part]]


def _filtered(test: Filter) -> Step:
    """Elements of arrays that pass; an object stands for itself."""
    return lambda values, root: [
        each
        for value in values
        for each in (value if isinstance(value, list) else [value] if isinstance(value, dict) else ())
        if test(each, root)
    ]


def _applied(function: Callable[[Any], Any]) -> Step:
    return lambda values, root: [result for value in values if (result := function(value)) is not NOTHING]


def _children(values: list[Any], root: Any) -> list[Any]:
    return [each for value in values for each in members(value)]


def _below(value: Any) -> Iterator[Any]:
    """The value and all that is in it, without recursion, outer ones first."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(reversed(members(each)))
