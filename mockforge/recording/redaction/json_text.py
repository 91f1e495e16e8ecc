"""Secrets in a JSON text: by the names of members, by JSONPath, and by their look in any string or number.

The text is never written anew: the values' places are found in it, and only there it changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson

from mockforge.matching.jsonpath import JsonPath
from mockforge.recording.redaction.edits import Edit, Finding, findings, shown_name
from mockforge.recording.redaction.names import Names
from mockforge.recording.redaction.secret_values import Secrets
from mockforge.recording.redaction.text import Texts

__all__ = ["JsonTexts", "Leaf", "leaves", "missing_end", "parsed_json"]

#: A string, a mark of structure, or a number or literal.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_TOKEN_OR_CUT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}
#: The rest of a value that is cut off, and what comes after it up to the next mark: after a value, within a
#: string, in a name, after one, before a value, after a comma, in a number, in an escape, in a literal.
_ENDINGS = (
    *(("", end) for end in ("", '"', '":null', ":null", "null", '"":null')),
    ("0", ""),
    *((rest, end) for end in ('"', '":null') for rest in ("\\", "0", "00", "000", "0000")),
    *(("", rest) for rest in ("rue", "ue", "e", "alse", "lse", "se", "ull", "ll", "l")),
)
_ESCAPED = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_DEEPEST = 3

Path = tuple[str | int, ...]


class Leaf(NamedTuple):
    """A string, number or member's name; a string's stretch is what stands between its quotes.

    A key's path is that of the object that it is in.
    """

    start: int
    end: int
    path: Path
    kind: str


class _Level:
    """An object or array that the scan is inside of, at the member or item `at`."""

    __slots__ = ("at", "is_object", "path", "wants_key")

    def __init__(self, path: Path, *, is_object: bool) -> None:
        self.path = path
        self.is_object = is_object
        self.wants_key = is_object
        self.at: str | int = "" if is_object else 0


class _Scan:
    """Where in the structure a scan is; `top` is the innermost object or array."""

    def __init__(self) -> None:
        self._levels = [_Level((), is_object=False)]
        self.top = self._levels[0]

    def path(self) -> Path:
        """The path of the value that comes."""
        return (*self.top.path, self.top.at) if len(self._levels) > 1 else ()

    def step(self, mark: str) -> None:
        """Go on past a mark of structure."""
        top = self.top
        if mark == ":":
            top.wants_key = False
        elif mark == ",":
            top.wants_key = top.is_object
            if isinstance(top.at, int):
                top.at += 1
        elif mark in "{[":
            self.top = _Level(self.path(), is_object=mark == "{")
            self._levels.append(self.top)
        else:
            self._levels.pop()
            self.top = self._levels[-1]


def leaves(text: str) -> Iterator[Leaf]:
    """The strings, numbers and keys of a valid JSON text, in order; literals are left out."""
    scan = _Scan()
    for match in _TOKEN.finditer(text):
        first = match[0][0]
        if first in "{}[],:":
            scan.step(first)
        elif first == '"':
            inside = (match.start() + 1, match.end() - 1)
            if scan.top.wants_key:
                scan.top.at = unescaped(text[inside[0] : inside[1]])
                yield Leaf(*inside, scan.top.path, "key")
            else:
                yield Leaf(*inside, scan.path(), "string")
        elif first not in "tfn":
            yield Leaf(*match.span(), scan.path(), "number")


def unescaped(written: str) -> str:
    """The text that stands in a JSON string."""
    return written if "\\" not in written else str(json.loads(f'"{written}"', strict=False))


def parsed_json(text: str) -> Any:
    """The value of a text that is a JSON object or array; None where it is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def missing_end(text: str) -> tuple[str, str] | None:
    """What makes a JSON text whole that is cut off: the rest of its last value, and what closes all others.

    None where the text is no beginning of an object or array.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return None
    open_ones: list[str] = []
    for match in _TOKEN_OR_CUT.finditer(text):
        mark = match[0]
        if mark in _CLOSING:
            open_ones.append(_CLOSING[mark])
        elif mark in "}]" and open_ones:
            open_ones.pop()
    closing = "".join(reversed(open_ones))
    for last, end in _ENDINGS:
        if parsed_json(f"{text}{last}{end}{closing}") is not None:
            return last, end + closing
    return None


class JsonTexts:
    """Finds the secrets of a JSON text."""

    def __init__(self, names: Names, paths: Iterable[JsonPath], secrets: Secrets, texts: Texts) -> None:
        self._names = names
        self._paths = tuple(paths)
        self._secrets = secrets
        self._texts = texts

    def edits(self, text: str, value: Any, place: str, found: list[Finding], depth: int = 0) -> list[Edit]:
        """What to replace in `text`, whose value is `value`, in order; each is entered in `found`."""
        marked = _paths_found(value, self._paths) if self._paths else frozenset()
        edits: list[Edit] = []
        for leaf in leaves(text):
            rule = self._rule(leaf, marked)
            if rule:
                new = [self._secret(text, leaf, rule)]
                found += findings(text, new, f"{place} {_shown(leaf.path)}")
            else:
                new = self._inside(text, leaf, place, found, depth)
            edits += new
        return edits

    def _rule(self, leaf: Leaf, marked: frozenset[Path]) -> str | None:
        """Why a leaf is secret as a whole, if it is.

        Under a telling name all strings are, in whatever it holds, and the numbers that are not members of
        another object.
        """
        if leaf.kind == "key" or leaf.start == leaf.end:
            return None
        if marked and any(leaf.path[:length] in marked for length in range(len(leaf.path) + 1)):
            return "jsonPath"
        for part in reversed(leaf.path):
            if isinstance(part, str):
                if part in self._names:
                    return "parameter"
                if leaf.kind == "number":
                    return None
        return None

    def _secret(self, text: str, leaf: Leaf, rule: str) -> Edit:
        written = text[leaf.start : leaf.end]
        if leaf.kind == "number":
            return Edit(leaf.start, leaf.end, self._secrets.number(written), rule)
        value = unescaped(written)
        new = self._secrets.of(value)
        return Edit(leaf.start, leaf.end, written if new == value else _escaped(new), rule)

    def _inside(self, text: str, leaf: Leaf, place: str, found: list[Finding], depth: int) -> list[Edit]:
        """Edits within a leaf that is not secret as a whole."""
        written = text[leaf.start : leaf.end]
        if "\\" not in written and self._texts.are_quiet(written):
            return []
        value = unescaped(written) if leaf.kind != "number" else written
        here = f"{place} {_shown(leaf.path)}"
        nested = parsed_json(value) if leaf.kind == "string" and depth < _DEEPEST else None
        if nested is not None:
            inner = self.edits(value, nested, here, found, depth + 1)
        else:
            inner = self._texts.edits(value, here, found)
        if not inner:
            return []
        at = range(len(written) + 1) if value == written else _offsets(written)
        return [_in_written(edit, leaf.start, at, written, value) for edit in inner]


def _in_written(edit: Edit, start: int, at: Sequence[int], written: str, value: str) -> Edit:
    """The edit of a string's text as one of how it is written, from `start`, its characters being `at`."""
    first, last = at[edit.start], at[edit.end]
    same = value[edit.start : edit.end] == edit.new
    return Edit(start + first, start + last, written[first:last] if same else _escaped(edit.new), edit.rule)


def _escaped(text: str) -> str:
    """`text` as it stands in a JSON string."""
    return json.dumps(text)[1:-1]


def _offsets(written: str) -> list[int]:
    """Where each character of a JSON string's text begins in what is written, and where the last one ends."""
    return [*(match.start() for match in _ESCAPED.finditer(written)), len(written)]


def _shown(path: Path) -> str:
    """A path for the report: items as `[*]`, and names as `shown_name` has them."""
    parts = ["$"]
    for part in islice(path, 20):
        if isinstance(part, int):
            parts.append("[*]")
        else:
            parts.append(f".{shown_name(part)}")
    return "".join(parts)


def _paths_found(document: Any, paths: Iterable[JsonPath]) -> frozenset[Path]:
    """The places of what the JSONPaths find in the document."""
    places: dict[int, Path] = {}
    own = _distinct(document, (), places)
    return frozenset(places[id(each)] for path in paths for each in path.find(own) if id(each) in places)


class _Text(str):
    """A string that is no other one, however equal."""

    __slots__ = ()


class _Int(int):
    """A whole number that is no other one."""

    __slots__ = ()


class _Float(float):
    """A number that is no other one."""

    __slots__ = ()


def _distinct(value: Any, path: Path, places: dict[int, Path]) -> Any:
    """A copy of a JSON value in which no two parts are the same object; the place of each by its identity."""
    copy: Any
    if isinstance(value, dict):
        copy = {name: _distinct(each, (*path, name), places) for name, each in value.items()}
    elif isinstance(value, list):
        copy = [_distinct(each, (*path, index), places) for index, each in enumerate(value)]
    elif isinstance(value, str):
        copy = _Text(value)
    elif isinstance(value, bool) or value is None:
        return value
    else:
        copy = _Int(value) if isinstance(value, int) else _Float(value)
    places[id(copy)] = path
    return copy
