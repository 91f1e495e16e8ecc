"""ApacheBench: its table of requests (`-g`), its table of percentiles (`-e`), and what it prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary
from mockforge.report.readers.opened import Opened, read_rows
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, NS_PER_MS, NS_PER_S, Sample, ToolRun, ToolSummary

__all__ = ["READERS"]

_NO_COUNTS = "ab's table of percentiles has neither counts nor rate"
_CLOSED = "ab waits for an answer before it sends on: what a stall held back was never sent"
_ROUNDING = "ab rounds to whole milliseconds"
_TABLE = (
    "ab's table has whole seconds of start and is sorted by duration, so that order and dependence within a "
    "second are not known; it has neither status nor failures"
)
_NO_COUNTS = "ab's table of percentiles has neither counts nor rate"

_FIGURE = re.compile(r"^(Time taken for tests|Complete requests|Non-2xx responses):\s+([\d.]+)", re.M)
_SPREAD = re.compile(r"^Total:\s+(\d+)\s+(\d+)\s+[\d.]+\s+\d+\s+(\d+)", re.M)
_LEVEL = re.compile(r"^\s+(\d+)%\s+(\d+)", re.M)
_ADDRESS = re.compile(r"^Document Path:\s+(\S+)", re.M)


def _read_table(path: Path) -> ToolRun:
    run = ToolRun(
        "ab", NS_PER_MS, start_step_ns=NS_PER_S, ordered=False, remarks=[_ROUNDING, _TABLE, _CLOSED]
    )

    def take(row: Mapping[str, str]) -> None:
        run.add(
            Sample(
                label=ANY,
                start_ns=int(row["seconds"]) * NS_PER_S,
                total_ns=int(row["ttime"]) * NS_PER_MS,
                status=200,
                ttfb_ns=(int(row["ctime"]) + int(row["wait"])) * NS_PER_MS,
            )
        )

    read_rows(path, run, take, delimiter="\t")
    return run


def _read_percentiles(path: Path) -> ToolSummary:
    summary = ToolSummary("ab", resolution_ns=1_000, remarks=[_NO_COUNTS, _CLOSED])
    levels: dict[float, float] = {}
    run = ToolRun("ab", 0)

    def take(row: Mapping[str, str]) -> None:
        levels[int(row["Percentage served"]) / 100] = float(row["Time in ms"])

    read_rows(path, run, take)
    if run.torn:
        summary.remarks.append(f"the file is torn, {run.torn}; it was read up to there")
    summary.overall = OperationSummary(name=ANY, count=1, quantiles_ms=levels)
    return summary


def _read_text(path: Path) -> ToolSummary:
    with Opened(path) as opened:
        text = opened.file.read().decode("utf-8", "replace")
    said, spread, address = dict(_FIGURE.findall(text)), _SPREAD.search(text), _ADDRESS.search(text)
    if spread is None or "Complete requests" not in said:
        raise ComparisonError("ab was stopped before it had any result", where=str(path))
    count, total_s = int(said["Complete requests"]), float(said["Time taken for tests"])
    failed = int(said.get("Non-2xx responses", "0"))
    name = f"GET {address[1]}" if address else ANY
    whole = OperationSummary(
        name=name,
        count=count,
        failed=failed,
        mean_ms=float(spread[2]),
        quantiles_ms={0.0: float(spread[1])} | {int(p) / 100: float(ms) for p, ms in _LEVEL.findall(text)},
        answered_per_s=(count - failed) / total_s if total_s else float("nan"),
    )
    return ToolSummary(
        tool="ab",
        operations=[whole] if address else [],
        overall=whole,
        duration_s=total_s,
        resolution_ns=NS_PER_MS,
        errors={"not 2xx": failed} if failed else {},
        remarks=[_ROUNDING, _CLOSED],
    )


READERS = (
    Reader(
        name="ab table",
        made_by="`ab -g FILE`",
        recognises=lambda head: head.startswith(b"starttime\tseconds\tctime\tdtime\tttime\twait"),
        read=_read_table,
        measures="connecting and sending to last byte; first byte",
        rounding="1 ms; starts to whole seconds",
        defects="sorted by duration: no order within a second; neither status nor failures; closed loop",
    ),
    Reader(
        name="ab percentiles",
        made_by="`ab -e FILE`",
        recognises=lambda head: head.startswith(b"Percentage served,Time in ms"),
        read=_read_percentiles,
        measures="all requests together: every percentile",
        rounding="1 µs",
        defects="neither counts nor rate; closed loop",
        summary=True,
    ),
    Reader(
        name="ab text",
        made_by="`ab > FILE`",
        recognises=lambda head: b"This is ApacheBench" in head,
        read=_read_text,
        measures="the one address: p50, p90, p95, p99",
        rounding="1 ms",
        defects="closed loop",
        summary=True,
    ),
)
