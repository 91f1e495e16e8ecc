"""oha: its result in JSON, CSV (`--output-format`) and SQLite (`--db-url`)."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary
from mockforge.report.readers.opened import document, read_rows
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, NS_PER_S, Sample, ToolRun, ToolSummary

__all__ = ["READERS"]

_STEP_NS = 1
_SUCCESSES = "oha writes only requests that were answered: errors are missing"
_FROM_SEND = "oha times from the actual send unless it ran with -q and --latency-correction"
_LATE = "oha's latencies count from when a request was due (--latency-correction)"
_ROWS = """
SELECT url, start, coalesce(start_latency_correction, start), end, status, len_bytes FROM oha ORDER BY start
"""


def _read_csv(path: Path) -> ToolRun:
    run = ToolRun("oha", _STEP_NS, wall=False, remarks=[_SUCCESSES, _FROM_SEND])

    def take(row: Mapping[str, str]) -> None:
        status = int(row["status"])
        run.add(
            Sample(
                label=ANY,
                start_ns=float(row["request-start"]) * NS_PER_S,
                total_ns=float(row["request-duration"]) * NS_PER_S,
                status=status,
                failed=status >= 400,
                ttfb_ns=float(row["Response-delay"]) * NS_PER_S,
                size=int(float(row["bytes"])),
            )
        )

    read_rows(path, run, take)
    return run


def _read_sqlite(path: Path) -> ToolRun:
    run = ToolRun("oha", _STEP_NS, wall=False, remarks=[_SUCCESSES])
    corrected = False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            for url, start, due, end, status, size in database.execute(_ROWS):
                corrected |= due != start
                run.add(
                    Sample(
                        label=f"GET {url}",
                        start_ns=due * NS_PER_S,
                        total_ns=(end - due) * NS_PER_S,
                        status=status,
                        failed=status >= 400,
                        size=size,
                        lateness_ns=(start - due) * NS_PER_S if due != start else -1,
                    )
                )
    except sqlite3.DatabaseError as error:
        raise ComparisonError(f"oha's table cannot be read: {error}", where=str(path)) from error
    run.remarks.append(_LATE if corrected else _FROM_SEND)
    return run


def _read_json(path: Path) -> ToolSummary:
    result = document(path)
    summary, statuses = result["summary"], result.get("statusCodeDistribution") or {}
    errors = {why: int(count) for why, count in (result.get("errorDistribution") or {}).items()}
    unanswered = sum(count for why, count in errors.items() if "deadline" not in why)
    bad = {code: int(count) for code, count in statuses.items() if int(code) >= 400}
    answered = sum(int(count) for count in statuses.values())
    failed = sum(bad.values())
    quantiles = _quantiles(result.get("latencyPercentiles") or {})
    for p, name in ((0.0, "fastest"), (1.0, "slowest")):
        if summary.get(name) is not None:
            quantiles[p] = float(summary[name]) * 1e3
    total_s, average = float(summary["total"]), summary.get("average")
    return ToolSummary(
        tool="oha",
        overall=OperationSummary(
            name=ANY,
            count=answered + unanswered,
            failed=failed + unanswered,
            mean_ms=float(average) * 1e3 if average is not None else math.nan,
            quantiles_ms=dict(sorted(quantiles.items())),
            ttfb_quantiles_ms=_quantiles(result.get("firstBytePercentiles") or {}),
            answered_per_s=(answered - failed) / total_s if total_s else math.nan,
        ),
        duration_s=total_s,
        errors=errors | bad,
        remarks=[_FROM_SEND],
    )


def _quantiles(figures: Mapping[str, float | None]) -> dict[float, float]:
    """Percentiles in ms, from seconds by `p99.9`."""
    return {
        round(float(name.removeprefix("p")) / 100, 9): value * 1e3
        for name, value in figures.items()
        if value is not None
    }


READERS = (
    Reader(
        name="oha CSV",
        made_by="`oha --output-format csv`",
        recognises=lambda head: head.startswith(b"request-start,DNS,DNS+dialup,Response-delay"),
        read=_read_csv,
        measures="actual send (when due with `--latency-correction`) to last byte; first byte; bytes",
        rounding="none",
        defects="successes only: errors are missing",
    ),
    Reader(
        name="oha SQLite",
        made_by="`oha --db-url FILE`",
        recognises=lambda head: (
            head.startswith(b"SQLite format 3\0") and b"oha" in head and b"len_bytes" in head
        ),
        read=_read_sqlite,
        measures="when due where `--latency-correction` was given, else actual send, to last byte; bytes",
        rounding="none",
        defects="successes only: errors are missing",
    ),
    Reader(
        name="oha JSON",
        made_by="`oha --output-format json`",
        recognises=lambda head: (
            head.startswith(b"{") and b'"summary"' in head and b'"requestsPerSec"' in head
        ),
        read=_read_json,
        measures="all requests together: p50, p90, p95, p99, p99.9; first byte",
        rounding="none",
        defects="actual send unless `--latency-correction`",
        summary=True,
    ),
)
