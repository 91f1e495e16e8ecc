"""Query parameters that only keep caches away: told by their names, shapes and cardinality."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mockforge.learning.shapes import shape_of
from mockforge.learning.volatile import moment_s

__all__ = ["cache_busters"]

_NAMES = frozenset(
    {"_", "t", "ts", "r", "cb", "rnd", "rand", "random", "nonce", "cache", "bust", "buster", "nocache"}
    | {"_t", "_ts", "_dc", "_nocache", "cachebuster", "cache_buster", "timestamp"}
)
_LEAST = 5
_NEARLY_ALL = 0.9
_NEAR_S = 600.0
_SHAPES = ("number", "hash", "uuid", "token")


def cache_busters(asked: Sequence[tuple[dict[str, list[str]], float]]) -> frozenset[str]:
    """The names among the queries asked, each with its time in seconds since the epoch.

    Values must hardly ever repeat and look made up; and either the name is one that people give to
    such parameters, or every value is the time of its request.
    """
    values: dict[str, list[tuple[str, float]]] = {}
    for query, at_s in asked:
        for name, given in query.items():
            values.setdefault(name, []).append((",".join(given), at_s))
    return frozenset(name for name, given in values.items() if _is_buster(name, given))


def _is_buster(name: str, given: Sequence[tuple[str, float]]) -> bool:
    distinct = {value for value, _ in given}
    if len(distinct) < max(_LEAST, _NEARLY_ALL * len(given)):
        return False
    if name.lower() in _NAMES:
        return all(shape_of(value) in _SHAPES or _is_fraction(value) for value in distinct)
    return all(_is_now(given))


def _is_fraction(value: str) -> bool:
    """`0.7364`, as Math.random() gives them."""
    return value.startswith("0.") and value[2:].isdigit()


def _is_now(given: Iterable[tuple[str, float]]) -> Iterable[bool]:
    for value, at_s in given:
        moment = moment_s(int(value)) if value.isdigit() and len(value) <= 15 else None
        yield moment is not None and abs(moment - at_s) <= _NEAR_S
