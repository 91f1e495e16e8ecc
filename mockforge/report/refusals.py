"""Why two runs cannot be compared, in one line."""

from __future__ import annotations

from collections.abc import Sequence

from mockforge.report.naming import nearest

__all__ = ["nothing_in_common"]


def nothing_in_common(name_a: str, name_b: str, of_a: Sequence[str], of_b: Sequence[str]) -> str:
    """The refusal of two runs without a common operation, with near names."""
    message = f"no operation in common: {name_a} has {_some(of_a)}; {name_b} has {_some(of_b)}"
    pairs = ((name, nearest(name, of_b)) for name in of_a)
    like = next(((name, other) for name, other in pairs if other), None)
    if like is None:
        return f"{message}; where two are the same, say so: --map 'NAME IN {name_b}=NAME IN {name_a}'"
    return (
        f"{message}; near names: {like[0]} and {like[1]}; if they are the same: --map '{like[1]}={like[0]}'"
    )


def _some(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
