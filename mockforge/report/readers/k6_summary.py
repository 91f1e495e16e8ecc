"""k6's summary in its three shapes: `--summary-export`, handleSummary's data, and the machine-readable one.

The first has a metric's figures beside each other, the second below `values`, the third has a list of
metrics. Operations are the submetrics that a threshold made: `http_req_duration{name:orders}`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary
from mockforge.recording.foreign.instants import iso_ns
from mockforge.report.readers.opened import document
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, ToolSummary

__all__ = ["READERS"]

_DURATION = "http_req_duration"
_NAMED = re.compile(r"http_req_duration\{(?P<tags>(?:.*,\s*)?(?:name|url):\s*(?P<name>.*?))\}")
_LEVEL = re.compile(r"p\(?([\d.]+)\)?")
_FIXED = {"min": 0.0, "med": 0.5, "max": 1.0}
_FROM_SEND = "k6 times from the actual send: what a request waited for a free VU is not in its latency"

Figures = Mapping[str, Any]


def _recognises(head: bytes) -> bool:
    if not head.startswith(b"{") or b'"type":"Point"' in head:
        return False
    return any(b'"%s"' % word in head for word in (b"http_req_duration", b"k6_version", b"root_group")) or (
        b'"execution"' in head and b'"script"' in head
    )


def _read(path: Path) -> ToolSummary:
    summary = document(path)
    metrics = _metrics(summary)
    if _DURATION not in metrics:
        raise ComparisonError("this k6 summary has no http_req_duration: no HTTP was sent", where=str(path))
    requests = metrics.get("http_reqs", {})
    config, metadata = summary.get("config") or {}, summary.get("metadata") or {}
    duration_s = config.get("duration") or _duration_s(summary, requests)
    run = ToolSummary(
        tool="k6",
        overall=_operation(ANY, metrics, "", duration_s),
        operations=[
            _operation(found["name"], metrics, f"{{{found['tags']}}}", duration_s)
            for found in map(_NAMED.fullmatch, metrics)
            if found
        ],
        duration_s=duration_s,
        started_wall_ns=_started_ns(metadata, duration_s),
        remarks=[_FROM_SEND],
    )
    if "p(99)" not in metrics[_DURATION] and "p99" not in metrics[_DURATION]:
        run.remarks.append("this k6 summary has no p99 (--summary-trend-stats 'med,p(95),p(99)')")
    dropped = int(metrics.get("dropped_iterations", {}).get("count") or 0)
    if dropped:
        run.remarks.append(
            f"k6 dropped {dropped} iterations (dropped_iterations): they were due, and never sent"
        )
    return run


def _metrics(summary: Mapping[str, Any]) -> dict[str, Figures]:
    """The figures of each metric, whatever the shape."""
    found = summary.get("metrics") or (summary.get("results") or {}).get("metrics") or {}
    pairs = found.items() if isinstance(found, dict) else ((metric["name"], metric) for metric in found)
    return {name: metric.get("values", metric) for name, metric in pairs}


def _operation(name: str, metrics: Mapping[str, Figures], tags: str, duration_s: float) -> OperationSummary:
    """The operation whose submetrics have the tags, `{name:orders}`; without tags, all requests."""
    duration, waiting = metrics[_DURATION + tags], metrics.get("http_req_waiting" + tags, {})
    requests, failing = metrics.get("http_reqs" + tags, {}), metrics.get("http_req_failed" + tags, {})
    count = int(requests.get("count") or failing.get("total") or _total(failing))
    failed = failing.get("matches", failing.get("passes"))
    return OperationSummary(
        name=name,
        count=count,
        failed=int(failed) if failed is not None else None,
        mean_ms=float(duration.get("avg", math.nan)),
        quantiles_ms=_quantiles(duration),
        ttfb_quantiles_ms=_quantiles(waiting),
        answered_per_s=(count - (failed or 0)) / duration_s if count and duration_s else math.nan,
    )


def _total(rate: Figures) -> int:
    """A rate's total where it only has passes and fails."""
    return int(rate.get("passes", 0)) + int(rate.get("fails", 0))


def _quantiles(figures: Figures) -> dict[float, float]:
    found = {p: float(figures[name]) for name, p in _FIXED.items() if name in figures}
    for name, value in figures.items():
        level = _LEVEL.fullmatch(name)
        if level:
            found[round(float(level[1]) / 100, 9)] = float(value)
    return dict(sorted(found.items()))


def _duration_s(summary: Mapping[str, Any], requests: Figures) -> float:
    lasted_ms = (summary.get("state") or {}).get("testRunDurationMs")
    if lasted_ms:
        return float(lasted_ms) / 1e3
    return float(requests["count"]) / float(requests["rate"]) if requests.get("rate") else math.nan


def _started_ns(metadata: Mapping[str, Any], duration_s: float) -> int:
    made = metadata.get("generated_at") or metadata.get("generatedAt")
    return iso_ns(made) - round(duration_s * 1e9) if made else 0


READERS = (
    Reader(
        name="k6 summary",
        made_by="`k6 run --summary-export FILE`, `handleSummary`'s data, `--new-machine-readable-summary`",
        recognises=_recognises,
        read=_read,
        measures="actual send to last byte; all requests, and those that a threshold names, "
        "`http_req_duration{name:orders}`; p90, p95, and what `--summary-trend-stats` adds",
        rounding="none",
        defects="waiting for a free VU is not in it; no p99 unless asked for; `dropped_iterations` are said",
        summary=True,
    ),
)
