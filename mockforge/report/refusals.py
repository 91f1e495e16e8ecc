"""Why two runs cannot be compared, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

__all__ = ["nothing_in_common"]


def nothing_in_common(name_a: str, name_b: str, of_a: Sequence[str], of_b: Sequence[str]) -> str:
    """The refusal of two runs without a common operation, with near names."""
    message = f"no operation in common: {name_a} has {_some(of_a)}; {name_b} has {_some(of_b)}"
    near = [(name, match) for name in of_a for match in get_close_matches(name, of_b, 1, 0.7)]
    if near:
        message += f"; near names: {near[0][0]} and {near[0][1]}"
    name_a, name_b = near[0] if near else (of_a[0], of_b[0])
    return f"{message}; if they are the same, say so: --map '{name_b}={name_a}'"


def _some(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
