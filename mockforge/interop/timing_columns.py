"""The columns of a table of timings: what their names mean, and which unit they say.

A name is read without case and punctuation. Its last word may be a unit: `duration_ms`, `Latency (us)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mockforge.interop.source import Source, SourceError
from mockforge.recording.foreign.instants import UNITS

__all__ = ["ALIASES", "Layout", "layout_of", "looks_like_timings"]

#: What a column may be called; the first that a table has is taken. `latency` is the whole time, unless
#: the table has that under another name.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "start": (
        "wall",
        "start",
        "start time",
        "started",
        "started at",
        "request start",
        "timestamp",
        "time stamp",
        "date time",
        "datetime",
        "time",
        "date",
        "ts",
        "offset",
    ),
    "duration": (
        "total",
        "duration",
        "elapsed",
        "elapsed time",
        "total time",
        "request duration",
        "request time",
        "response time",
        "took",
        "latency",
    ),
    "ttfb": (
        "ttfb",
        "first byte",
        "time to first byte",
        "wait",
        "waiting",
        "response delay",
        "latency",
    ),
    "method": ("method", "http method", "request method", "verb"),
    "url": ("url", "target", "uri", "request uri", "path", "request path", "endpoint", "label", "name"),
    "status": ("status", "status code", "http status", "response code", "code"),
    "error": ("error", "error message", "failure message", "exception"),
    "connect": ("connect", "connect time"),
    "tls": ("tls", "tls time"),
    "lateness": ("lateness",),
    "arrived": ("arrived",),
    "in_flight": ("in flight",),
    "connection": ("connection id",),
    "operation": ("operation",),
    "request_size": ("request size", "sent bytes", "bytes out"),
    "response_size": ("response size", "bytes in", "size", "bytes"),
}
_DURATIONS = ("duration", "ttfb", "connect", "tls", "lateness", "arrived")

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column is what: `columns` has a column's index by what it holds, `unit_ns` a time's unit.

    A start without a unit is ISO 8601, or a number whose size tells.
    """

    columns: Mapping[str, int]
    unit_ns: Mapping[str, int]


def looks_like_timings(names: Sequence[str]) -> bool:
    """Whether a table with these columns has when requests began and how long they took."""
    return {"start", "duration"} <= _found(names).keys()


def layout_of(names: Sequence[str], source: Source, known_ns: Mapping[int, int] | None = None) -> Layout:
    """The layout of a table; `known_ns` has the unit of columns whose type tells it.

    Raises SourceError where a needed column or its unit is missing.
    """
    where = str(source.path)
    found = _found(names)
    for needed in ("start", "duration"):
        if needed not in found:
            raise SourceError(
                f"it has no column for the {needed}: its columns are {', '.join(names)}",
                where=where,
                hint=f"name one {', '.join(_spelled(alias) for alias in ALIASES[needed][:5])}, …",
            )
    units: dict[str, int] = {}
    for part in ("start", *_DURATIONS):
        unit_ns = _unit(part, names, found, source, known_ns or {})
        if unit_ns is not None:
            units[part] = unit_ns
    return Layout({part: index for part, (index, _) in found.items()}, units)


def _unit(
    part: str,
    names: Sequence[str],
    found: Mapping[str, tuple[int, str]],
    source: Source,
    known_ns: Mapping[int, int],
) -> int | None:
    if part not in found:
        return None
    index, unit = found[part]
    said = unit or (source.time_unit if part == "start" else source.duration_unit) or ""
    if index in known_ns:
        return known_ns[index]
    if said:
        return UNITS[said]
    if part == "start":
        return None
    raise SourceError(
        f"its column {names[index]!r} does not say its unit",
        where=str(source.path),
        hint=f"say it with --duration-unit (s, ms, us, ns), or name the column {names[index]}_ms",
    )


def _found(names: Sequence[str]) -> dict[str, tuple[int, str]]:
    """The index and unit of each column that is known, by what it holds."""
    split = [_split(name) for name in names]
    by_words: dict[str, int] = {}
    for index, (words, _) in enumerate(split):
        by_words.setdefault(words, index)
    found: dict[str, tuple[int, str]] = {}
    for part, aliases in ALIASES.items():
        taken = {index for index, _ in found.values()}
        for alias in aliases:
            place = by_words.get(alias)
            if place is not None and place not in taken:
                found[part] = (place, split[place][1])
                break
    return found


def _split(name: str) -> tuple[str, str]:
    """The words of a column's name, and its unit, empty where it says none."""
    plain = name.replace("µ", "u").replace("μ", "u")
    words = _WORDS.findall(_CAMEL.sub(" ", plain).lower())
    if len(words) > 1 and words[-1] in UNITS:
        return " ".join(words[:-1]), words[-1]
    return " ".join(words), ""


def _spelled(alias: str) -> str:
    return alias.replace(" ", "_")
