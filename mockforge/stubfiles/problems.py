"""What is wrong in a stub file, said in one line: file, line, whose, key, what, and what would work."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

from mockforge.stubfiles.written import Scalar

__all__ = ["Loc", "Problem", "RefusedError", "brief", "key_path", "unknown_key"]

#: Where in a document: keys and indices from its top, `("mappings", 0, "response", "status")`.
Loc = tuple[str | int, ...]

_LONGEST_VALUE = 60


class RefusedError(ValueError):
    """A value that cannot be, before it is known where it stands; `line` only where a parser knows it."""

    def __init__(self, what: str, hint: str | None = None, *, line: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.line = line


@dataclass(frozen=True, slots=True)
class Problem:
    """One line for a person. `file` is as the user gave it; `subject` is whose problem it is: `stub 'x'`."""

    file: str
    line: int | None
    what: str
    hint: str | None = None
    subject: str | None = None
    key: Loc = ()

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        parts = [where, self.subject, key_path(self.key), self.what]
        line = ": ".join(part for part in parts if part)
        return f"{line} ({self.hint})" if self.hint else line


def key_path(key: Loc) -> str:
    """A place inside a document as people write it: `responses[1].headers.X-Id`."""
    path = ""
    for part in key:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":  # how pydantic marks a mapping's key as against its value
            path += f".{part}" if path else part
    return path


def brief(value: object) -> str:
    """A value for a message: as written, cut where it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value.text if isinstance(value, Scalar) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def unknown_key(key: str, known: Collection[str], elsewhere: Collection[str] = ()) -> RefusedError:
    """The refusal of a key that is none of `known`; those in `elsewhere` are WireMock's."""
    if key in elsewhere:
        return RefusedError(f"key {key!r} is WireMock's, and not supported yet", f"known: {', '.join(known)}")
    by_lower_case = {each.lower(): each for each in known}
    close = difflib.get_close_matches(key.lower(), by_lower_case, n=1)
    if close:
        return RefusedError(f"unknown key {key!r}, did you mean {by_lower_case[close[0]]!r}?")
    return RefusedError(f"unknown key {key!r}", f"known: {', '.join(known)}")
