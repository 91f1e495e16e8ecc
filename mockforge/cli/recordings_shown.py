"""How recordings and their exchanges are shown in tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.table import Table

from mockforge.cli.console import table
from mockforge.learning.operations import Operations
from mockforge.model.exchange import Marker
from mockforge.recording.store import Columns, Line, RecordingReader
from mockforge.report.figures import count, milliseconds, percent, rate
from mockforge.stats.quantiles import quantiles

__all__ = [
    "exchange_table",
    "marker_table",
    "operation_table",
    "seconds",
    "size_of",
    "sizes",
    "summary",
    "time_of_day",
]

_LONGEST_TARGET = 60


def summary(reader: RecordingReader, columns: Columns, markers: Sequence[Marker], chosen: str) -> list[str]:
    """What the recording is, a line each; `columns` are of the exchanges that `chosen` selects."""
    meta, path = reader.meta, reader.path
    failed = int(columns.failed.sum())
    growing = path.with_name(path.name + "-wal").exists()
    number = len(columns)
    lines = [
        f"{path}: {meta.kind} of {meta.target or 'no one target'}",
        f"started    {time_of_day(meta.started_wall_ns)}, {seconds(_length_s(columns))} long",
        f"exchanges  {count(number)} ({rate(_rate(columns))}), "
        f"{count(failed)} errors ({percent(failed / number if number else math.nan)})",
        f"file       {sizes(size_of(path))}, schema version {reader.version}, written by {meta.program}"
        + (", still being written or not closed" if growing else ""),
    ]
    if chosen:
        lines.append(f"filter     {chosen}: {count(number)} of {count(reader.count)} exchanges")
    if markers:
        shown = (f"{marker.label} at {seconds(marker.at_ns / 1e9)}" for marker in markers)
        lines.append(f"markers    {', '.join(shown)}")
    return lines


def operation_table(columns: Columns) -> Table:
    """Counts, errors, rate and latency quantiles of each operation, the busiest first."""
    requests = list(zip(columns.method, columns.target, strict=True))
    name_of = Operations.find(requests).names(requests)
    names = sorted(set(name_of.values()))
    place = {name: index for index, name in enumerate(names)}
    place_of = {request: place[name] for request, name in name_of.items()}
    operation = np.fromiter((place_of[request] for request in requests), np.int32, len(requests))
    numbers = np.bincount(operation, minlength=len(names))
    per_second = _rate(columns) / len(columns) if len(columns) else math.nan
    rows = []
    for index in sorted(range(len(names)), key=lambda index: (-numbers[index], names[index])):
        of_it = operation == index
        number = int(numbers[index])
        levels = quantiles(columns.total_ns[of_it] / 1e6, (0.5, 0.95, 0.99))
        figures = [count(number), count(int(columns.failed[of_it].sum())), rate(number * per_second)]
        rows.append([escape(names[index]), *figures, *(milliseconds(float(level)) for level in levels)])
    heads = ("operation", "count", "errors", "rate", "p50 ms", "p95 ms", "p99 ms")
    return table("per operation", heads, rows)


def exchange_table(title: str, lines: Iterable[Line]) -> Table:
    """One row an exchange."""
    heads = ("request", "id", "at s", "status", "ttfb ms", "total ms", "in flight")
    rows = [
        [
            _request(line),
            str(line.id),
            f"{line.arrived_ns / 1e9:,.3f}",
            _outcome(line),
            milliseconds(math.nan if line.ttfb_ns is None else line.ttfb_ns / 1e6),
            milliseconds(line.total_ns / 1e6),
            str(line.in_flight),
        ]
        for line in lines
    ]
    return table(escape(title), heads, rows)


def marker_table(markers: Sequence[Marker], columns: Columns) -> Table:
    """One row a marker, with the exchanges that arrived from it to the next one."""
    starts = np.array([marker.at_ns for marker in markers], dtype=np.int64)
    ends = np.searchsorted(columns.arrived_ns, np.append(starts[1:], np.iinfo(np.int64).max))
    within = ends - np.searchsorted(columns.arrived_ns, starts)
    rows = [
        [escape(marker.label), f"{marker.at_ns / 1e9:,.3f}", time_of_day(marker.wall_ns), count(int(number))]
        for marker, number in zip(markers, within, strict=True)
    ]
    return table("markers", ("marker", "at s", "time", "exchanges to the next"), rows)


def time_of_day(wall_ns: int) -> str:
    """`2026-11-24 02:00:00Z`; a dash for what no calendar has."""
    try:
        moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=wall_ns // 10**9)
    except OverflowError:
        return "–"
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"


def seconds(number: float) -> str:
    """`0.42 s`, `12.3 s`, `3 min 20 s`, `2 h 5 min`."""
    if number < 60:
        return f"{number:.2f} s" if number < 10 else f"{number:.1f} s"
    whole = round(number)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def sizes(number: int) -> str:
    """`812 B`, `4.1 kB`, `23.4 MB`."""
    size, unit = float(number), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 999.95:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def size_of(path: Path) -> int:
    """Bytes of a recording, the journal beside it included."""
    journal = path.with_name(path.name + "-wal")
    return path.stat().st_size + (journal.stat().st_size if journal.exists() else 0)


def _length_s(columns: Columns) -> float:
    """From the first arrival to the last end."""
    if not len(columns):
        return 0.0
    return float((columns.arrived_ns + columns.total_ns).max() - columns.arrived_ns.min()) / 1e9


def _rate(columns: Columns) -> float:
    """Exchanges a second; NaN where they take no time."""
    length_s = _length_s(columns)
    return len(columns) / length_s if length_s else math.nan


def _request(line: Line) -> str:
    target = line.target
    if len(target) > _LONGEST_TARGET:
        target = f"{target[: _LONGEST_TARGET - 1]}…"
    return escape(f"{line.method} {target}")


def _outcome(line: Line) -> str:
    status = "–" if line.status is None else str(line.status)
    return escape(f"{status} {line.error}") if line.error else status
