"""What of an answer is of its moment: parts that differ although the same was asked again.

Such parts (a clock's reading, a trace id, a counter) must not be taken for what a request chooses.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

from mockforge.learning.shapes import shape_of

__all__ = ["Seen", "Volatile", "find_volatile", "json_of", "moment_s"]

Path = tuple[str, ...]

#: Of the pairs of equal requests, this share must have got different values for a part to be volatile.
_SHARE = 0.5
_LEAST_PAIRS = 3
#: An instant this near to the time of its exchange is the time of its exchange.
_NEAR_S = 600.0
_NEARLY_ALL = 0.99
_MOST_SEEN = 2_000
_LEAST_FRESH = 5
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*")


class Seen(NamedTuple):
    """One answer: `asked` is equal for equal requests, `body` decoded, times in ns."""

    asked: Hashable
    status: int
    body: bytes
    arrived_ns: int
    wall_ns: int


@dataclass(frozen=True, slots=True)
class Volatile:
    """The volatile parts of an operation's answers: paths of JSON leaves (`*` for any element), each with
    what it looks like (`instant`, `id`, `value`), or the whole body where that is not JSON. `sized`: equal
    requests get bodies of equal length at least."""

    parts: Mapping[Path, str]
    whole: bool = False
    sized: bool = False

    def __bool__(self) -> bool:
        return self.whole or bool(self.parts)

    def steady(self, body: bytes) -> bytes:
        """The body without what is volatile: equal for two answers that say the same."""
        value = json_of(body) if self.parts else None
        if value is not None:
            try:
                return orjson.dumps(_without(value, (), self.parts), option=orjson.OPT_SORT_KEYS)
            except (orjson.JSONEncodeError, RecursionError):  # nested too deeply
                return body
        if self.whole:
            return b"%d bytes" % len(body) if self.sized else b""
        return body

    def described(self) -> list[str]:
        """`$.meta.at (instant)` for each part, for people."""
        if self.whole:
            return ["the whole body"]
        return [f"{_shown(path)} ({kind})" for path, kind in sorted(self.parts.items())]


def find_volatile(
    seen: Sequence[Seen], changed: Callable[[Seen, Seen], bool], *, creates: bool = False
) -> Volatile:
    """The volatile parts of an operation's answers, in the order of their arrival.

    `changed` says whether something was written between two equal requests, whose answers then prove
    nothing. `creates`: the operation makes things, so that an identifier of which no two are alike is fresh.
    """
    seen = seen[:_MOST_SEEN]
    values = [json_of(each.body) for each in seen]
    leaves = [dict(_gathered(value)) if value is not None else {} for value in values]
    differing, compared = _differing(seen, leaves, changed)
    is_json = sum(value is not None for value in values) > len(seen) / 2
    if not is_json:
        if not _mostly(differing[()], compared[()]):
            return Volatile({})
        lengths: dict[Hashable, set[int]] = defaultdict(set)
        for each in seen:
            lengths[each.asked].add(len(each.body))
        return Volatile({}, whole=True, sized=all(len(some) == 1 for some in lengths.values()))
    parts = {path: "value" for path in compared if path and _mostly(differing[path], compared[path])}
    parts |= {path: "id" for path in parts if _all_shaped(leaves, path)}
    parts |= dict.fromkeys(_instants(seen, leaves), "instant")
    if creates:
        parts |= dict.fromkeys(_fresh(leaves), "id")
    return Volatile(parts)


def json_of(body: bytes) -> Any:
    """The object or array that a body holds; None where it holds none."""
    if not body or body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _differing(
    seen: Sequence[Seen],
    leaves: Sequence[Mapping[Path, tuple[Any, ...]]],
    changed: Callable[[Seen, Seen], bool],
) -> tuple[Counter[Path], Counter[Path]]:
    """By path, how many successive pairs of equal requests differ there, and how many there are.

    The path () stands for the body as bytes.
    """
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for number, each in enumerate(seen):
        groups[each.asked].append(number)
    differing: Counter[Path] = Counter()
    compared: Counter[Path] = Counter()
    for numbers in groups.values():
        for one, other in pairwise(numbers):
            if seen[one].status != seen[other].status or changed(seen[one], seen[other]):
                continue
            compared[()] += 1
            differing[()] += seen[one].body != seen[other].body
            for path in leaves[one].keys() & leaves[other].keys():
                compared[path] += 1
                differing[path] += leaves[one][path] != leaves[other][path]
    return differing, compared


def _mostly(differing: int, compared: int) -> bool:
    return compared >= _LEAST_PAIRS and differing >= _SHARE * compared


def _all_shaped(leaves: Iterable[Mapping[Path, tuple[Any, ...]]], path: Path) -> bool:
    values = [value for each in leaves for value in each.get(path, ())]
    return all(isinstance(value, str) and shape_of(value) in ("uuid", "hash", "token") for value in values)


def _instants(seen: Sequence[Seen], leaves: Sequence[Mapping[Path, tuple[Any, ...]]]) -> Iterator[Path]:
    """Leaves that hold the time of their exchange; two different ones at least."""
    for path in sorted({path for each in leaves for path in each}):
        moments = [
            (moment_s(value), each.wall_ns / 1e9, value)
            for each, found in zip(seen, leaves, strict=True)
            for value in found.get(path, ())
        ]
        near = sum(at is not None and abs(at - wall) <= _NEAR_S for at, wall, _ in moments)
        if near >= _NEARLY_ALL * len(moments) and len({value for *_, value in moments}) > 1:
            yield path


def moment_s(value: Any) -> float | None:
    """Seconds since the epoch of an ISO 8601 or RFC 1123 date with a time, or of a count of s or ms."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value / 1000 if value > 1e11 else float(value) if value > 1e9 else None
    if not isinstance(value, str) or not 16 <= len(value) <= 40:
        return None
    try:
        at = datetime.fromisoformat(value) if _ISO.fullmatch(value) else parsedate_to_datetime(value)
    except (ValueError, IndexError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _fresh(leaves: Sequence[Mapping[Path, tuple[Any, ...]]]) -> Iterator[Path]:
    """Leaves that hold UUIDs, no two alike."""
    for path in sorted({path for each in leaves for path in each}):
        values = [value for each in leaves for value in each.get(path, ())]
        are_ids = all(isinstance(value, str) and shape_of(value) == "uuid" for value in values)
        if are_ids and len(values) >= _LEAST_FRESH and len(set(values)) == len(values):
            yield path


def _gathered(value: Any) -> Mapping[Path, tuple[Any, ...]]:
    """The scalars of a document by their path, those of a list's elements together."""
    found: dict[Path, list[Any]] = defaultdict(list)
    pending: list[tuple[Path, Any]] = [((), value)]
    while pending:
        path, each = pending.pop()
        if isinstance(each, dict):
            pending += [((*path, key), inner) for key, inner in each.items()]
        elif isinstance(each, list):
            pending += [((*path, "*"), inner) for inner in reversed(each)]
        elif path:
            found[path].append(each)
    return {path: tuple(values) for path, values in found.items()}


def _without(value: Any, path: Path, parts: Mapping[Path, str]) -> Any:
    if path in parts:
        return None
    if isinstance(value, dict):
        return {key: _without(each, (*path, key), parts) for key, each in value.items()}
    if isinstance(value, list):
        return [_without(each, (*path, "*"), parts) for each in value]
    return value


def _shown(path: Path) -> str:
    return "$" + "".join("[*]" if step == "*" else f".{step}" for step in path)
