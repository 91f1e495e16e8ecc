"""Which requests changed something, and when: what tells an answer that has a state from one of chance."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict

from mockforge.learning.operations import path_of

__all__ = ["SAFE_METHODS", "Writes"]

#: Methods that change nothing (RFC 9110 §9.2.1).
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Writes:
    """The successful requests of a recording that were not safe, by the resources that they may have changed.

    A write to `/orders/17/items` may change `/orders/17/items` and everything above it but the root; unless
    it is a POST, which adds something, also what lies below.
    """

    def __init__(self) -> None:
        self._below: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._touched: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def add(self, method: str, target: str, arrived_ns: int) -> None:
        """Note one request; a safe one changes nothing."""
        if method.upper() in SAFE_METHODS:
            return
        path = path_of(target)
        seen = (arrived_ns, f"{method} {path}")
        for touched in (path, *_above(path)):
            insort(self._touched[touched], seen)
        if method.upper() != "POST":
            insort(self._below[path], seen)

    def between(self, target: str, after_ns: int, upto_ns: int) -> str | None:
        """The last write in that time that may have changed what `target` answers: `PUT /orders/17`."""
        path = path_of(target)
        found = [
            times[last - 1]
            for times in (self._touched.get(path), *(self._below.get(above) for above in _above(path)))
            if times
            and (last := bisect_right(times, (upto_ns, "\U0010ffff")))
            and times[last - 1][0] > after_ns
        ]
        return max(found)[1] if found else None


def _above(path: str) -> list[str]:
    """`/orders/17` and `/orders` of `/orders/17/items`."""
    parts = path.rstrip("/").split("/")
    return ["/".join(parts[:end]) for end in range(len(parts) - 1, 1, -1)]
