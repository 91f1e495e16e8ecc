"""Which of many URLs are most like a request's, found without comparing it with each of them.

URLs are known by their runs of three characters. Rare runs say more than those that most URLs have, so the
rarest of the request's are looked up first, until enough has been looked at.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from math import log
from typing import Generic, TypeVar

__all__ = ["LikelyUrls"]

Key = TypeVar("Key", bound=Hashable)

_RUN = 3
#: So many URLs are looked at, over all runs of a request, however many there are.
_MOST_LOOKED_AT = 5_000
#: Longer URLs are known by their beginning.
_LONGEST = 500


class LikelyUrls(Generic[Key]):
    """URLs by their runs; each under a key of its own. An empty URL is one that admits any."""

    def __init__(self) -> None:
        self._urls: dict[Key, str] = {}
        self._having: dict[str, dict[Key, None]] = {}
        self._any: dict[Key, None] = {}

    def add(self, key: Key, url: str) -> None:
        self._urls[key] = url
        if not url:
            self._any[key] = None
        for run in _runs(url):
            self._having.setdefault(run, {})[key] = None

    def remove(self, key: Key) -> None:
        url = self._urls.pop(key)
        self._any.pop(key, None)
        for run in _runs(url):
            keys = self._having[run]
            del keys[key]
            if not keys:
                del self._having[run]

    def most_like(self, target: str, most: int) -> list[Key]:
        """The keys of so many URLs, the likeliest first: those that admit any before all others."""
        if len(self._urls) <= most:
            return list(self._urls)
        found = list(self._any)[: most // 2]
        scores = self._scores(target)
        rest = most - len(found)
        found += heapq.nlargest(rest, scores, key=lambda key: (scores[key], -self._excess(key, target)))
        if len(found) < most:
            chosen = set(found)
            others = (key for key in self._urls if key not in chosen)
            found += [key for key, _ in zip(others, range(most - len(found)), strict=False)]
        return found

    def _scores(self, target: str) -> dict[Key, float]:
        """What URLs have in common with the target, each run by how much it says."""
        scores: dict[Key, float] = {}
        room = _MOST_LOOKED_AT
        none: dict[Key, None] = {}
        for keys in sorted((self._having.get(run, none) for run in _runs(target)), key=len):
            if len(keys) > room and scores:
                break
            room -= len(keys)
            said = log(1 + len(self._urls) / len(keys)) if keys else 0.0
            for key in keys:
                scores[key] = scores.get(key, 0.0) + said
        return scores

    def _excess(self, key: Key, target: str) -> int:
        return abs(len(self._urls[key]) - len(target))


def _runs(url: str) -> set[str]:
    text = f" {url[:_LONGEST]} " if url else ""
    return {text[at : at + _RUN] for at in range(len(text) - _RUN + 1)}
