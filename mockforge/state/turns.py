"""Whose turn it is, where several answers are given in turn."""

from __future__ import annotations

from collections.abc import Hashable

__all__ = ["Turns"]


class Turns:
    """A counter per key; it outlives an edit of the stubs, so that a reload does not start over."""

    def __init__(self) -> None:
        self._next: dict[Hashable, int] = {}

    def take(self, key: Hashable, among: int) -> int:
        """The index, below `among`, whose turn it is; the next call gives the one after."""
        turn = self._next.get(key, 0)
        self._next[key] = turn + 1
        return turn % among
