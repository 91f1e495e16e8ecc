"""Many tests at once."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["holm"]


def holm(chances: Mapping[str, float], level: float) -> frozenset[str]:
    """The names whose hypothesis is rejected (Holm 1979): a true one among them at `level` at most.

    `chances` are p-values: the smallest is held against level / n, the next against level / (n - 1), until
    one stands.
    """
    rejected: set[str] = set()
    for name in sorted(chances, key=lambda name: chances[name]):
        if chances[name] > level / (len(chances) - len(rejected)):
            break
        rejected.add(name)
    return frozenset(rejected)
