"""Where the values of a JSON text lie, without making them: a text larger than memory is gone through.

Only brackets and strings are looked at; whether a value is well-formed shows when it is parsed.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterator
from typing import Any

import orjson

from mockforge.recording.foreign.unusable import Unusable

__all__ = ["Span", "begin_of", "elements", "member", "parsed", "written"]

Span = tuple[int, int]
Data = bytes | mmap.mmap

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[^ \t\r\n,\[\]{}\"]++")
_NEXT_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}])', re.DOTALL)
_OPENING = b"[{"
_BOM = b"\xef\xbb\xbf"


def begin_of(data: Data) -> int:
    """Where the text's value begins, after a byte order mark and blanks."""
    return _after_space(data, 3 if data[:3] == _BOM else 0)


def member(data: Data, at: int, name: str) -> tuple[int | None, dict[str, Span]]:
    """Where the value of `name` begins in the object at `at`, and the members that stand before it.

    None where the object has no such member, or where no object begins at `at`. Raises Unusable where the
    text ends too early.
    """
    passed: dict[str, Span] = {}
    if data[at : at + 1] != b"{":
        return None, passed
    at = _after_space(data, at + 1)
    while data[at : at + 1] == b'"':
        end = _end_of(data, at)
        key = parsed(data[at:end])
        at = _after_space(data, _after_space(data, end) + 1)
        if key == name:
            return at, passed
        end = _end_of(data, at)
        passed[str(key)] = (at, end)
        at = _after_space(data, _after_space(data, end) + 1)
    return None, passed


def elements(data: Data, at: int) -> Iterator[Span]:
    """The span of each element of the array at `at`. Raises Unusable where the text ends too early."""
    at = _after_space(data, at + 1)
    while data[at : at + 1] != b"]":
        end = _end_of(data, at)
        yield at, end
        at = _after_space(data, end)
        if data[at : at + 1] == b",":
            at = _after_space(data, at + 1)
        elif data[at : at + 1] != b"]":
            raise _cut()


def parsed(text: bytes) -> Any:
    """The value of a JSON text; raises Unusable where it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:  # takes what orjson does not: lone surrogates, NaN
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"is not JSON: {error}") from error


def written(value: object) -> bytes:
    """The inverse of `parsed`, on one line."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _after_space(data: Data, at: int) -> int:
    found = _SPACE.match(data, at)
    return found.end() if found else at


def _end_of(data: Data, at: int) -> int:
    """The end of the value that begins at `at`."""
    first = data[at : at + 1]
    if first and first in _OPENING:
        return _end_of_brackets(data, at)
    found = (_STRING if first == b'"' else _SCALAR).match(data, at)
    if found is None:
        raise _cut()
    return found.end()


def _end_of_brackets(data: Data, at: int) -> int:
    depth = 0
    while True:
        found = _NEXT_BRACKET.match(data, at)
        if found is None:
            raise _cut()
        at = found.end()
        depth += 1 if found[1] in _OPENING else -1
        if depth == 0:
            return at


def _cut() -> Unusable:
    return Unusable("the file ends in the middle, or is not JSON; what stands before that was read")
