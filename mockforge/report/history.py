"""The gap over many comparisons: a folder's JSON reports in the order of their runs, and where it changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from mockforge.errors import ComparisonError
from mockforge.report.deviation import ALL_OPERATIONS
from mockforge.stats.change_points import ChangePoint, change_points

__all__ = ["Entry", "History", "Series", "read_history"]

_SCHEMA = "mockforge.deviation/"
_HEAD_BYTES = 256


@dataclass(frozen=True, slots=True)
class Entry:
    """One report: when its mocked run began (the file's own time where that is unknown), and its gaps.

    Gaps are shares, by operation and of all; an operation without one is left out.
    """

    path: Path
    at_ns: int
    verdict: str
    gaps: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Series:
    """The gap of one operation, or of all: `entries` index the history's, `changes` index `entries`."""

    name: str
    entries: tuple[int, ...]
    gaps: tuple[float, ...]
    changes: tuple[ChangePoint, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Reports by time; the series, that of all requests first; the damaged files, with what is wrong."""

    entries: tuple[Entry, ...]
    series: tuple[Series, ...]
    damaged: tuple[tuple[Path, str], ...] = ()


def read_history(folder: Path) -> History:
    """The history that the JSON reports of a folder and those below it make; other files are passed over.

    Raises ComparisonError where there is no such folder, or no report in it.
    """
    if not folder.is_dir():
        raise ComparisonError("there is no such folder", where=str(folder))
    entries, damaged = [], []
    for path in sorted(folder.rglob("*.json")):
        try:
            if _is_report(path):
                entries.append(_entry(path))
        except (KeyError, TypeError, ValueError, OSError) as error:
            damaged.append((path, f"{type(error).__name__}: {error}"))
    if not entries:
        raise ComparisonError(
            "there are no reports in it",
            where=str(folder),
            hint="mockforge compare REAL MOCK --json FOLDER/NAME.json, once a run",
        )
    entries.sort(key=lambda entry: (entry.at_ns, str(entry.path)))
    return History(tuple(entries), tuple(_all_series(entries)), tuple(damaged))


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        return _SCHEMA.encode() in file.read(_HEAD_BYTES)


def _entry(path: Path) -> Entry:
    report = orjson.loads(path.read_bytes())
    gaps = {operation["name"]: operation["gap_share"] for operation in report["operations"]}
    gaps[ALL_OPERATIONS] = report["gap_share"]
    return Entry(
        path=path,
        at_ns=_began_ns(report["mock"]) or _began_ns(report["real"]) or path.stat().st_mtime_ns,
        verdict=str(report["verdict"]),
        gaps={name: float(gap) for name, gap in gaps.items() if gap is not None and math.isfinite(gap)},
    )


def _began_ns(runs: Any) -> int:
    """When a side's first run began; 0 where unknown. Before `mockforge.deviation/2` a side was one run."""
    origins = [run.get("origin") or {} for run in (runs if isinstance(runs, list) else [runs])]
    return min((int(at) for origin in origins if (at := origin.get("started_wall_ns"))), default=0)


def _all_series(entries: list[Entry]) -> Iterator[Series]:
    names = {name for entry in entries for name in entry.gaps} - {ALL_OPERATIONS}
    for name in (ALL_OPERATIONS, *sorted(names)):
        having = tuple(index for index, entry in enumerate(entries) if name in entry.gaps)
        gaps = tuple(entries[index].gaps[name] for index in having)
        yield Series(name, having, gaps, change_points(gaps))
