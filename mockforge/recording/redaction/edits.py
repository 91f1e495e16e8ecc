"""Edits: which stretches of a text are replaced, and what was found on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

__all__ = ["Edit", "Find", "Finding", "apply", "findings", "gaps_between", "shown_name"]


class Edit(NamedTuple):
    """By `rule`, `text[start:end]` gives way to `new`.

    An edit that changes nothing still claims its stretch: what stands there is a pseudonym already, and no
    other rule is to look at it.
    """

    start: int
    end: int
    new: str
    rule: str


class Finding(NamedTuple):
    """That `rule` replaced something at `place`; holds nothing of what was there."""

    rule: str
    place: str


#: What one rule replaces in `text[start:end]`: edits in order that do not overlap. Characters around the
#: stretch may be looked at but not replaced.
Find = Callable[[str, int, int], Iterable[Edit]]


def apply(text: str, edits: Iterable[Edit]) -> str:
    """`text` with `edits` made; they are in order and do not overlap."""
    parts: list[str] = []
    done = 0
    for edit in edits:
        parts += (text[done : edit.start], edit.new)
        done = edit.end
    parts.append(text[done:])
    return "".join(parts)


def findings(text: str, edits: Iterable[Edit], place: str) -> list[Finding]:
    """Those of `edits` that change something, as findings."""
    return [Finding(edit.rule, place) for edit in edits if text[edit.start : edit.end] != edit.new]


def gaps_between(edits: Iterable[Edit], length: int) -> list[tuple[int, int]]:
    """The stretches of a text of that length that no edit claims."""
    gaps = []
    done = 0
    for edit in edits:
        if edit.start > done:
            gaps.append((done, edit.start))
        done = edit.end
    if length > done:
        gaps.append((done, length))
    return gaps


_PLAIN_NAME = re.compile(r"[A-Za-z_@$][A-Za-z_.-]{0,39}[0-9]{0,3}", re.ASCII)


def shown_name(name: str) -> str:
    """A name for a report; one that looks made up, and may be a secret or somebody's, is `*`."""
    return name if _PLAIN_NAME.fullmatch(name) else "*"
