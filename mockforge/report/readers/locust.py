"""Locust: its CSV files (`--csv PREFIX`: stats, stats_history, failures) and its JSON (`--json`)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary
from mockforge.report.readers.opened import document, read_rows
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, NS_PER_MS, NS_PER_S, ToolRun, ToolSummary

__all__ = ["READERS"]

_ALL = "Aggregated"
#: 104.9 ms is written as 100 ms: the most that two significant digits are off.
_PRECISION = 0.0476
_DIGITS = (
    "Locust rounds to whole milliseconds, and from 100 ms on to two significant digits (up to 4.8 % off): "
    "its percentiles cannot tell deviations smaller than that"
)
_CLOSED = "Locust's users wait for an answer before they send on: what a stall held back was never sent"
_LEVEL = re.compile(r"([\d.]+)%")

Row = Mapping[str, str]


def _read_stats(path: Path) -> ToolSummary:
    summary = _summary()
    rows: list[Row] = []
    _take_all(path, summary, rows.append)
    for row in rows:
        count, failed = int(row["Request Count"]), int(row["Failure Count"])
        rate, failing = float(row["Requests/s"]), float(row["Failures/s"])
        quantiles = _quantiles(row) | {
            0.0: float(row["Min Response Time"]),
            1.0: float(row["Max Response Time"]),
        }
        mean_ms = float(row["Average Response Time"])
        _enter(summary, row, (count, failed), mean_ms, quantiles, rate - failing)
        if row["Name"] == _ALL and rate:
            summary.duration_s = count / rate
    summary.errors = _failures_beside(path)
    return summary


def _read_history(path: Path) -> ToolSummary:
    """The last totals of each operation. Its percentiles are of the last ten seconds alone, and not read."""
    summary = _summary()
    last: dict[tuple[str, str], Row] = {}
    stamps: list[int] = []

    def take(row: Row) -> None:
        stamps.append(int(row["Timestamp"]))
        last[row["Type"], row["Name"]] = row

    _take_all(path, summary, take)
    summary.remarks.append(
        "Locust's history has no percentiles of the whole run but the median: see its stats.csv"
    )
    summary.duration_s = float(stamps[-1] - stamps[0]) if stamps else math.nan
    summary.started_wall_ns = stamps[0] * NS_PER_S if stamps else 0
    for row in last.values():
        count, failed = int(row["Total Request Count"]), int(row["Total Failure Count"])
        quantiles = {
            p: float(row[f"Total {name} Response Time"])
            for p, name in ((0.0, "Min"), (0.5, "Median"), (1.0, "Max"))
        }
        rate = (count - failed) / summary.duration_s if summary.duration_s else math.nan
        _enter(summary, row, (count, failed), float(row["Total Average Response Time"]), quantiles, rate)
    return summary


def _read_json(path: Path) -> ToolSummary:
    summary = _summary()
    whole: dict[float, int] = {}
    found = document(path)
    ends = [one["last_request_timestamp"] or one["start_time"] for one in found]
    begin_s = min((one["start_time"] for one in found), default=0)
    summary.duration_s = max(ends, default=0) - begin_s
    summary.started_wall_ns = round(begin_s * NS_PER_S)
    for one in found:
        times = {float(ms): int(count) for ms, count in one["response_times"].items()}
        for ms, count in times.items():
            whole[ms] = whole.get(ms, 0) + count
        summary.operations.append(
            _of_times(_name(one["method"], one["name"]), [one], times, summary.duration_s)
        )
    summary.overall = _of_times(ANY, found, whole, summary.duration_s)
    return summary


def _of_times(
    name: str, entries: Iterable[Mapping[str, Any]], times: Mapping[float, int], duration_s: float
) -> OperationSummary:
    entries = list(entries)
    count, failed = (sum(one[key] for one in entries) for key in ("num_requests", "num_failures"))
    total_ms = sum(one["total_response_time"] for one in entries)
    return OperationSummary(
        name=name,
        count=count,
        failed=failed,
        mean_ms=total_ms / count if count else math.nan,
        quantiles_ms={
            p: _at(times, p) for p in (0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999) if times
        },
        answered_per_s=(count - failed) / duration_s if duration_s else math.nan,
    )


def _at(times: Mapping[float, int], p: float) -> float:
    """The quantile of values with their counts, as Locust has it: the least that so many are not above."""
    left = math.ceil(sum(times.values()) * p)
    for ms in sorted(times):
        left -= times[ms]
        if left <= 0:
            return ms
    return max(times)


def _refuse_failures(path: Path) -> ToolSummary:
    beside = path.name.replace("_failures", "_stats").replace("_exceptions", "_stats")
    raise ComparisonError(
        "this is Locust's list of failures, without latencies",
        where=str(path),
        hint=f"name the file with the requests, {beside}; its failures are read beside it",
    )


def _summary() -> ToolSummary:
    return ToolSummary("Locust", resolution_ns=NS_PER_MS, precision=_PRECISION, remarks=[_DIGITS, _CLOSED])


def _take_all(path: Path, summary: ToolSummary, take: Any) -> None:
    torn = ToolRun("Locust", 0)
    read_rows(path, torn, take)
    if torn.torn:
        summary.remarks.append(f"the file is torn, {torn.torn}; it was read up to there")


def _enter(
    summary: ToolSummary,
    row: Row,
    counts: tuple[int, int],
    mean_ms: float,
    quantiles: Mapping[float, float],
    answered_per_s: float,
) -> None:
    whole = row["Name"] == _ALL and not row["Type"]
    operation = OperationSummary(
        name=ANY if whole else _name(row["Type"], row["Name"]),
        count=counts[0],
        failed=counts[1],
        mean_ms=mean_ms,
        quantiles_ms=dict(sorted(quantiles.items())),
        answered_per_s=answered_per_s,
    )
    if whole:
        summary.overall = operation
    else:
        summary.operations.append(operation)


def _name(method: str, name: str) -> str:
    return f"{method} {name}" if method else name


def _quantiles(row: Row) -> dict[float, float]:
    found = ((_LEVEL.fullmatch(name), value) for name, value in row.items())
    return {
        round(float(level[1]) / 100, 9): float(value) for level, value in found if level and value != "N/A"
    }


def _failures_beside(path: Path) -> dict[str, int]:
    """How often each request failed and why, from the file that Locust writes beside its stats."""
    beside = path.with_name(path.name.replace("_stats", "_failures"))
    errors: dict[str, int] = {}
    if beside != path and beside.is_file():
        read_rows(
            beside,
            ToolRun("Locust", 0),
            lambda row: errors.update(
                {f"{_name(row['Method'], row['Name'])}: {row['Error']}": int(row["Occurrences"])}
            ),
        )
    return errors


_MEASURES = "sending to last byte, each operation"
_ROUNDING = "1 ms below 100 ms, two significant digits above: up to 4.8 %"

READERS = (
    Reader(
        name="Locust stats",
        made_by="`locust --csv PREFIX`: `PREFIX_stats.csv`; failures from `PREFIX_failures.csv` beside it",
        recognises=lambda head: head.startswith(b"Type,Name,") and b"Request Count" in head,
        read=_read_stats,
        measures=f"{_MEASURES}; p50 to p99.9",
        rounding=_ROUNDING,
        defects="two significant digits; closed loop",
        summary=True,
    ),
    Reader(
        name="Locust history",
        made_by="`locust --csv PREFIX --csv-full-history`: `PREFIX_stats_history.csv`",
        recognises=lambda head: head.startswith(b"Timestamp,User Count,Type,Name"),
        read=_read_history,
        measures=f"{_MEASURES}; median, mean",
        rounding=_ROUNDING,
        defects="two significant digits; closed loop; no percentiles of the whole run",
        summary=True,
    ),
    Reader(
        name="Locust JSON",
        made_by="`locust --json`",
        recognises=lambda head: head.startswith(b"[") and b'"num_requests"' in head,
        read=_read_json,
        measures=f"{_MEASURES}; every percentile",
        rounding=_ROUNDING,
        defects="two significant digits; closed loop",
        summary=True,
    ),
    Reader(
        name="Locust failures",
        made_by="`locust --csv PREFIX`: `PREFIX_failures.csv`, `PREFIX_exceptions.csv`",
        recognises=lambda head: head.startswith(
            (b"Method,Name,Error,Occurrences", b"Count,Message,Traceback")
        ),
        read=_refuse_failures,
        measures="nothing: the error names the file to compare",
        rounding="none",
        summary=True,
    ),
)
