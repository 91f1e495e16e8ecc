"""autocannon: its result in JSON (`--json`)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from mockforge.model.sample import OperationSummary
from mockforge.recording.foreign.instants import iso_ns
from mockforge.report.readers.opened import document
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, NS_PER_MS, ToolSummary

__all__ = ["READERS"]

_LEVELS = {
    "min": 0.0, "p1": 0.01, "p2_5": 0.025, "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9,
    "p97_5": 0.975, "p99": 0.99, "p99_9": 0.999, "p99_99": 0.9999, "max": 1.0,
}  # fmt: skip
_ROUNDING = "autocannon rounds to whole milliseconds and has no p95"
_CLOSED = "autocannon waits for an answer before it sends on: what a stall held back was never sent"
_CORRECTED = (
    "autocannon's correction for coordinated omission is wrong (-R without -C): it takes 1 ms for the time "
    "between requests and added {added} latencies to {real} real ones, so that its percentiles and its mean "
    "say nothing and are left out; run it with -C"
)


def _recognises(head: bytes) -> bool:
    return head.startswith(b"{") and b'"p97_5"' in head and b'"latency"' in head


def _read(path: Path) -> ToolSummary:
    result = document(path)
    latency, requests = result["latency"], result["requests"]
    answered, unanswered = int(requests["total"]), int(result["errors"])
    errors = {
        name: int(result.get(name) or 0) for name in ("timeouts", "resets", "4xx", "5xx") if result.get(name)
    }
    failed_answers = errors.get("4xx", 0) + errors.get("5xx", 0)
    if unanswered > errors.get("timeouts", 0):
        errors["errors"] = unanswered - errors.get("timeouts", 0)
    recorded = int(latency.get("totalCount") or answered)
    corrected = recorded > answered + unanswered
    path_asked = urlsplit(result.get("url") or "").path
    quantiles = {p: float(latency[key]) for key, p in _LEVELS.items() if key in latency}
    whole = OperationSummary(
        name=f"GET {path_asked or '/'}" if result.get("url") else ANY,
        count=answered + unanswered,
        failed=failed_answers + unanswered,
        mean_ms=float("nan") if corrected else float(latency["mean"]),
        quantiles_ms={} if corrected else quantiles,
        answered_per_s=(answered - failed_answers) / float(result["duration"]),
    )
    remarks = [_ROUNDING, _CLOSED]
    if corrected:
        remarks.insert(0, _CORRECTED.format(added=f"{recorded - answered:,}", real=f"{answered:,}"))
    return ToolSummary(
        tool="autocannon",
        operations=[whole] if result.get("url") else [],
        overall=whole,
        duration_s=float(result["duration"]),
        started_wall_ns=iso_ns(result["start"]),
        resolution_ns=NS_PER_MS,
        errors=errors,
        remarks=remarks,
    )


READERS = (
    Reader(
        name="autocannon JSON",
        made_by="`autocannon --json`",
        recognises=_recognises,
        read=_read,
        measures="the one address: p50, p75, p90, p97.5, p99, p99.9; no p95",
        rounding="1 ms",
        defects="`-R` without `-C`: a wrong correction for coordinated omission: percentiles and mean are "
        "left out; else closed loop",
        summary=True,
    ),
)
