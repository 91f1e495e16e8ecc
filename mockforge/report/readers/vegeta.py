"""vegeta: results as `vegeta encode` writes them, JSON lines or CSV, and the report in JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mockforge.errors import ComparisonError
from mockforge.model.sample import FailureKind, OperationSummary
from mockforge.recording.foreign.failures import kind_of
from mockforge.recording.foreign.instants import iso_ns
from mockforge.report.readers.opened import document, read_json_lines, read_rows
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, NS_PER_MS, NS_PER_S, Sample, ToolRun, ToolSummary

__all__ = ["READERS"]

#: vegeta's CSV has no header.
_COLUMNS = [
    "timestamp",
    "code",
    "latency",
    "bytes_out",
    "bytes_in",
    "error",
    "body",
    "attack",
    "seq",
    "method",
    "url",
    "headers",
]
_ROW = re.compile(rb"\d{18,19},\d{1,3},\d+,\d+,\d+,")
_LEVELS = {"min": 0.0, "50th": 0.5, "90th": 0.9, "95th": 0.95, "99th": 0.99, "max": 1.0}
_FROM_SEND = (
    "vegeta times from the actual send: what a request waited for a free worker is not in its latency"
)


def _is_json(head: bytes) -> bool:
    first = head.split(b"\n", 1)[0]
    return b'"attack"' in first and b'"latency"' in first


def _is_csv(head: bytes) -> bool:
    return _ROW.match(head) is not None


def _is_report(head: bytes) -> bool:
    return head.startswith(b"{") and b'"latencies"' in head and b'"50th"' in head


def _is_binary(head: bytes) -> bool:
    return b"Result\x01" in head[:16] and b"Timestamp" in head


def _read_json(path: Path) -> ToolRun:
    run = ToolRun("vegeta", 1, remarks=[_FROM_SEND])
    read_json_lines(path, run, lambda hit: run.add(_sample(hit, iso_ns(hit["timestamp"]))))
    return run


def _read_csv(path: Path) -> ToolRun:
    run = ToolRun("vegeta", 1, remarks=[_FROM_SEND])
    read_rows(path, run, lambda row: run.add(_sample(row, int(row["timestamp"]))), columns=_COLUMNS)
    return run


def _sample(hit: Mapping[str, Any], start_ns: int) -> Sample:
    code, error = int(hit["code"]), hit.get("error") or ""
    return Sample(
        label=f"{hit.get('method') or 'GET'} {hit.get('url') or '/'}",
        start_ns=start_ns,
        total_ns=int(hit["latency"]),
        status=code,
        failed=bool(error) or not 0 < code < 400,
        size=int(hit["bytes_in"]) if code else -1,
        failure=FailureKind.NONE if code else kind_of(error),
    )


def _read_report(path: Path) -> ToolSummary:
    report = document(path)
    latencies, requests = report["latencies"], int(report["requests"])
    whole = OperationSummary(
        name=ANY,
        count=requests,
        failed=requests - round(report["success"] * requests),
        mean_ms=latencies["mean"] / NS_PER_MS,
        quantiles_ms={p: latencies[name] / NS_PER_MS for name, p in _LEVELS.items() if name in latencies},
        answered_per_s=float(report["throughput"]),
    )
    return ToolSummary(
        tool="vegeta",
        overall=whole,
        duration_s=(report["duration"] + report["wait"]) / NS_PER_S,
        started_wall_ns=iso_ns(report["earliest"]),
        errors={code: count for code, count in report["status_codes"].items() if not 0 < int(code) < 400},
        remarks=[_FROM_SEND],
    )


def _refuse_binary(path: Path) -> ToolRun:
    raise ComparisonError(
        "these are vegeta's binary results (Go's gob), which only vegeta reads",
        where=str(path),
        hint=f"vegeta encode --to csv {path.name} > {path.stem}.csv, and compare that",
    )


_MEASURES = "actual send to last byte; bytes of the body"

READERS = (
    Reader(
        name="vegeta JSON",
        made_by="`vegeta encode`",
        recognises=_is_json,
        read=_read_json,
        measures=_MEASURES,
        rounding="none",
        defects="waiting for a free worker is not in it",
    ),
    Reader(
        name="vegeta CSV",
        made_by="`vegeta encode --to csv`",
        recognises=_is_csv,
        read=_read_csv,
        measures=_MEASURES,
        rounding="none",
        defects="waiting for a free worker is not in it",
    ),
    Reader(
        name="vegeta report (JSON)",
        made_by="`vegeta report -type json`",
        recognises=_is_report,
        read=_read_report,
        measures="all requests together: p50, p90, p95, p99",
        rounding="none",
        defects="as above; percentiles are estimates of a t-digest",
        summary=True,
    ),
    Reader(
        name="vegeta results (binary)",
        made_by="`vegeta attack`",
        recognises=_is_binary,
        read=_refuse_binary,
        measures="nothing: the error says to run `vegeta encode`",
        rounding="none",
    ),
)
