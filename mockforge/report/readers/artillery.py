"""Artillery: its result in JSON (`--output FILE`), of version 2 and of 1.6 and before."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary
from mockforge.report.readers.opened import document
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, NS_PER_MS, ToolSummary

__all__ = ["READERS"]

_LEVELS = {
    "min": 0.0, "p50": 0.5, "median": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999,
    "max": 1.0,
}  # fmt: skip
_FIRST_BYTE = "Artillery's http.response_time ends at the first byte: compare it with times to the first byte"
_SKETCH = "Artillery's percentiles are within 1 % of themselves, rounded to 0.1 ms"
_PLUGIN = "plugins.metrics-by-endpoint."
_TIME_OF = f"{_PLUGIN}response_time."
_ENDPOINT = re.compile(rf"{re.escape(_PLUGIN)}(?P<endpoint>.*)\.(?:codes|errors)\.[^.]+")
_NAMED = re.compile(r" \(.*\)$")
_PRECISION = 0.01


def _recognises(head: bytes) -> bool:
    return (
        head.startswith(b"{")
        and b'"aggregate"' in head
        and (b'"counters"' in head or b'"scenariosCreated"' in head)
    )


def _read(path: Path) -> ToolSummary:
    aggregate = document(path)["aggregate"]
    legacy = "counters" not in aggregate
    summary = ToolSummary(
        "Artillery", resolution_ns=NS_PER_MS // 10, precision=_PRECISION, remarks=[_FIRST_BYTE, _SKETCH]
    )
    (_read_legacy if legacy else _read_new)(aggregate, summary)
    if not len(summary):
        raise ComparisonError("this Artillery result has no requests", where=str(path))
    return summary


def _read_new(aggregate: Mapping[str, Any], summary: ToolSummary) -> None:
    counters, times = aggregate["counters"], aggregate.get("summaries") or aggregate.get("histograms") or {}
    begin, end = aggregate.get("firstCounterAt"), aggregate.get("lastCounterAt")
    summary.started_wall_ns = int(begin or 0) * NS_PER_MS
    summary.duration_s = (end - begin) / 1e3 if begin and end else math.nan
    summary.errors = _below(counters, "errors.")
    unanswered = sum(summary.errors.values())
    answered = int(counters.get("http.responses", 0))
    bad = _bad(_below(counters, "http.codes."))
    summary.errors |= bad
    counts = answered + unanswered, sum(bad.values()) + unanswered
    summary.overall = _operation(ANY, times.get("http.response_time", {}), counts, summary.duration_s)
    summary.operations = [
        _operation(
            label, times.get(f"{_TIME_OF}{endpoint}", {}), _counts(counters, endpoint), summary.duration_s
        )
        for endpoint, label in _endpoints(counters).items()
    ]


def _endpoints(counters: Mapping[str, int]) -> dict[str, str]:
    """The endpoints of the plugin, with their paths: `/orders (get order)` is a path and a request's name."""
    matches = (_ENDPOINT.fullmatch(name) for name in counters)
    endpoints = dict.fromkeys(found["endpoint"] for found in matches if found)
    paths = {endpoint: _NAMED.sub("", endpoint) for endpoint in endpoints}
    shared = Counter(paths.values())
    return {endpoint: path if shared[path] == 1 else endpoint for endpoint, path in paths.items()}


def _counts(counters: Mapping[str, int], endpoint: str) -> tuple[int, int]:
    """The requests of an endpoint, and those that failed."""
    codes, errors = (_below(counters, f"{_PLUGIN}{endpoint}.{kind}.") for kind in ("codes", "errors"))
    unanswered = sum(errors.values())
    return sum(codes.values()) + unanswered, sum(_bad(codes).values()) + unanswered


def _read_legacy(aggregate: Mapping[str, Any], summary: ToolSummary) -> None:
    codes, summary.errors = aggregate.get("codes") or {}, dict(aggregate.get("errors") or {})
    unanswered, count = sum(summary.errors.values()), sum(codes.values())
    summary.errors |= _bad(codes)
    rate = (aggregate.get("rps") or {}).get("mean") or math.nan
    summary.duration_s = int(aggregate.get("requestsCompleted") or count) / rate
    failed = sum(_bad(codes).values())
    summary.overall = _operation(
        ANY, aggregate.get("latency") or {}, (count + unanswered, failed + unanswered), summary.duration_s
    )


def _operation(
    name: str, figures: Mapping[str, Any], counts: tuple[int, int], duration_s: float
) -> OperationSummary:
    count, failed = counts
    quantiles = {p: float(figures[key]) for key, p in _LEVELS.items() if figures.get(key) is not None}
    return OperationSummary(
        name=name,
        count=count,
        failed=failed,
        mean_ms=math.nan,
        ttfb_quantiles_ms=quantiles,
        answered_per_s=(count - failed) / duration_s if duration_s else math.nan,
    )


def _below(counters: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): n for name, n in counters.items() if name.startswith(prefix)}


def _bad(codes: Mapping[str, int]) -> dict[str, int]:
    """How often each status of 400 and above was counted."""
    return {code: count for code, count in codes.items() if code.isdigit() and int(code) >= 400}


READERS = (
    Reader(
        name="Artillery JSON",
        made_by="`artillery run --output FILE` (operations: plugin metrics-by-endpoint), and that of 1.6",
        recognises=_recognises,
        read=_read,
        measures="sending to **first** byte: p50, p75, p90, p95, p99, p99.9",
        rounding="0.1 ms, and 1 % of the value",
        defects="`http.response_time` is the time to the first byte, and is compared as such",
        summary=True,
    ),
)
