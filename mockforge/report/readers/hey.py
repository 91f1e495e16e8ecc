"""hey: its CSV (`-o csv`), and what it prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary
from mockforge.report.readers.opened import Opened, read_rows
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, NS_PER_S, Sample, ToolRun, ToolSummary

__all__ = ["READERS"]

_HEADER = b"response-time,DNS+dialup,DNS,Request-write"
_STEP_NS = 100_000
_MOST = 1_000_000
_CLOSED = "hey waits for an answer before it sends on: what a stall held back was never sent"
_ROUNDING = "hey rounds to 0.1 ms"
_MISSING = "hey writes only requests that were answered: failed connections are missing"

_LEVEL = re.compile(r"^\s+(\d+)% in ([\d.]+) secs", re.MULTILINE)
_TOTAL = re.compile(r"^\s+(Total|Slowest|Fastest|Average|Requests/sec):\s+(\S+)", re.MULTILINE)
_STATUS = re.compile(r"^\s+\[(\d+)\]\s+(\d+) responses", re.MULTILINE)
_ERROR = re.compile(r"^\s+\[(\d+)\]\t(?!\d+ responses)(.+)$", re.MULTILINE)


def _read_csv(path: Path) -> ToolRun:
    run = ToolRun("hey", _STEP_NS, wall=False, remarks=[_ROUNDING, _MISSING, _CLOSED])

    def take(row: Mapping[str, str]) -> None:
        total_s, read_s = float(row["response-time"]), float(row["Response-read"])
        status = int(row["status-code"])
        run.add(
            Sample(
                label=ANY,
                start_ns=float(row["offset"]) * NS_PER_S,
                total_ns=total_s * NS_PER_S,
                status=status,
                failed=status >= 400,
                ttfb_ns=(total_s - read_s) * NS_PER_S,
            )
        )

    read_rows(path, run, take)
    if len(run) >= _MOST:
        run.remarks.append(f"hey keeps only the first {_MOST:,} requests: later ones are missing")
    return run


def _read_text(path: Path) -> ToolSummary:
    with Opened(path) as opened:
        text = opened.file.read().decode("utf-8", "replace")
    said = dict(_TOTAL.findall(text))
    statuses = {code: int(count) for code, count in _STATUS.findall(text)}
    errors = {why.strip(): int(count) for count, why in _ERROR.findall(text)}
    errors |= {code: count for code, count in statuses.items() if int(code) >= 400}
    answered = sum(statuses.values())
    if not answered:
        raise ComparisonError("hey got no answer at all, so there is nothing to compare", where=str(path))
    quantiles = {int(level) / 100: float(value) * 1e3 for level, value in _LEVEL.findall(text)}
    quantiles |= {0.0: float(said["Fastest"]) * 1e3, 1.0: float(said["Slowest"]) * 1e3}
    total_s = float(said["Total"])
    unanswered = sum(count for why, count in errors.items() if why not in statuses)
    return ToolSummary(
        tool="hey",
        overall=OperationSummary(
            name=ANY,
            count=answered + unanswered,
            failed=sum(errors.values()),
            mean_ms=float(said["Average"]) * 1e3,
            quantiles_ms=dict(sorted(quantiles.items())),
            answered_per_s=(answered - sum(n for why, n in errors.items() if why in statuses)) / total_s,
        ),
        duration_s=total_s,
        resolution_ns=_STEP_NS,
        errors=errors,
        remarks=[_ROUNDING, _CLOSED],
    )


READERS = (
    Reader(
        name="hey CSV",
        made_by="`hey -o csv`",
        recognises=lambda head: head.startswith(_HEADER),
        read=_read_csv,
        measures="connecting and sending to last byte; first byte",
        rounding="0.1 ms",
        defects="failed connections are missing; the first 1,000,000 requests only; closed loop",
    ),
    Reader(
        name="hey text",
        made_by="`hey > FILE`",
        recognises=lambda head: b"Latency distribution:" in head and b"resp wait:" in head,
        read=_read_text,
        measures="all requests together: p50, p90, p95, p99 of those answered",
        rounding="0.1 ms",
        defects="closed loop",
        summary=True,
    ),
)
