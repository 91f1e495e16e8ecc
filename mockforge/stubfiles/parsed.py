"""What a parser makes of a file's text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockforge.stubfiles.problems import Loc, RefusedError

__all__ = ["Parsed"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """`line` gives the line, from 1, of the deepest part of a place that is written in the text.

    `refused` holds what is wrong with the text without making it unreadable, such as a key that stands twice.
    """

    value: object
    line: Callable[[Loc], int]
    refused: tuple[RefusedError, ...] = ()
