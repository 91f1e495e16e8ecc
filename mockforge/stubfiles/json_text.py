"""JSON text into plain values, with the line of each.

orjson gives the values. It knows no positions and drops all but the last of equal keys, so one pass over the
text's tokens notes where each stub begins and which keys stand twice; the line of anything else is looked for
when somebody asks, from the beginning of its stub.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from mockforge.stubfiles.parsed import Parsed
from mockforge.stubfiles.problems import Loc, RefusedError, brief

__all__ = ["parse_json"]

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]')
_BLANK = re.compile(r"[ \t\r\n]*")


def parse_json(text: str) -> Parsed:
    """The value in `text`; RefusedError, with its line, where it is none."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RefusedError(f"is not JSON: {error.msg}", line=error.lineno) from None
    positions = _Positions(text)
    return Parsed(value, positions.line, tuple(positions.refused))


@dataclass(frozen=True, slots=True)
class _Entry:
    """The beginning of a mapping's key or of a list's item, `depth` containers down."""

    depth: int
    key: str | int
    offset: int
    repeated: bool = False


class _Positions:
    """Where the values of a JSON text stand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._stubs: list[int] = []
        self.refused: list[RefusedError] = []
        top: str | int = ""
        for entry in _entries(text, 0):
            if entry.depth == 1:
                top = entry.key
            elif entry.depth == 2 and top == "mappings" and isinstance(entry.key, int):
                self._stubs.append(entry.offset)
            if entry.repeated:
                self.refused.append(
                    RefusedError(f"key {brief(entry.key)} stands twice", line=self._line_at(entry.offset))
                )

    def line(self, loc: Loc) -> int:
        offset, depth = 0, 0
        if len(loc) > 1 and loc[0] == "mappings" and isinstance(loc[1], int) and loc[1] < len(self._stubs):
            offset, depth = self._stubs[loc[1]], 2
        wanted = loc[depth:]
        found, best = 0, offset
        if wanted:
            for entry in _entries(self._text, offset):
                if entry.depth <= found:
                    break
                if entry.depth == found + 1 and entry.key == wanted[found]:
                    found, best = found + 1, entry.offset
                    if found == len(wanted):
                        break
        return self._line_at(best)

    def _line_at(self, offset: int) -> int:
        return bisect.bisect_left(self._breaks, offset) + 1


def _entries(text: str, start: int) -> Iterator[_Entry]:
    """Every key and item of the value that begins at `start`, in the order of the text. The text is valid."""
    containers: list[set[str] | None] = []
    counts: list[int] = []
    key_comes = False
    for token in _TOKEN.finditer(text, start):
        mark = token[0][0]
        if not containers and mark not in "{[":
            return
        if mark in "{[":
            containers.append(set() if mark == "{" else None)
            counts.append(0)
        elif mark in "}]":
            containers.pop()
            counts.pop()
            key_comes = False
            if not containers:
                return
            continue
        elif mark == '"':
            keys = containers[-1]
            if key_comes and keys is not None:
                key = orjson.loads(token[0]) if "\\" in token[0] else token[0][1:-1]
                yield _Entry(len(containers), key, token.start(), key in keys)
                keys.add(key)
            key_comes = False
            continue
        key_comes = containers[-1] is not None
        if not key_comes:
            item = _BLANK.match(text, token.end())
            yield _Entry(len(containers), counts[-1], item.end() if item else token.end())
            counts[-1] += 1
