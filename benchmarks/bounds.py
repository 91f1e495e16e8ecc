"""The figures that MockForge must reach, taken out of what its servers measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.results import Check, Contestant, Sense

__all__ = ["Bound", "judged", "no_errors", "total"]

_OURS = "MockForge"


@dataclass(frozen=True, slots=True)
class Bound:
    """`key` is the figure of a contestant's rounds that `what` names in words."""

    what: str
    key: str
    sense: Sense
    value: float
    unit: str = ""


def judged(contestants: Sequence[Contestant], bound: Bound, name: str = _OURS) -> Check:
    """The figure of the contestant of this name, round by round, against the bound."""
    found = next(contestant for contestant in contestants if contestant.name == name)
    values = found.values(bound.key)
    if not found.rounds or len(values) < len(found.rounds):  # never the better rounds alone
        return Check(bound.what, bound.sense, bound.value, bound.unit, missing=_why(found, contestants))
    return Check(bound.what, bound.sense, bound.value, bound.unit, values)


def no_errors(contestants: Sequence[Contestant]) -> Check:
    """That nothing of MockForge's went wrong in any round."""
    return total(contestants, "errors", "errors")


def total(contestants: Sequence[Contestant], what: str, key: str) -> Check:
    """That a count of MockForge's, over all of its servers and rounds, is nought."""
    ours = [contestant for contestant in contestants if contestant.name.startswith(_OURS)]
    values = [value for contestant in ours for value in contestant.values(key)]
    missing = "" if values else _why(ours[0], contestants)
    return Check(what, "at most", 0, "", (sum(values),) if values else (), missing)


def _why(found: Contestant, contestants: Sequence[Contestant]) -> str:
    if found.missing:
        return f"not run: {found.missing}"
    others = [f"{other.name} not run" for other in contestants if other.missing]
    return ", ".join(others) or "not in every round"
