"""The report as JSON, for programs; the keys are stable and described in docs/compare.md."""

from __future__ import annotations

import json
import math
from typing import Any

from mockforge.report.deviation import DeviationReport, OperationDeviation, Pair, RunSummary
from mockforge.report.remarks import remarks
from mockforge.report.verdicts import Metric

__all__ = ["SCHEMA", "render_json"]

#: The schema's name and version; the version rises when a key changes its meaning or goes.
SCHEMA = "mockforge.deviation/1"

_DIGITS = 6


def render_json(report: DeviationReport) -> str:
    """The whole report but for its samples. What is unknown is null."""
    document = {
        "schema": SCHEMA,
        "program": report.program,
        "gap_share": _number(report.gap),
        "verdict": report.verdict.value,
        "real": _run(report.a),
        "mock": _run(report.b),
        "overall": _operation(report.overall),
        "operations": [_operation(operation) for operation in report.operations],
        "only_real": list(report.only_a),
        "only_mock": list(report.only_b),
        "remarks": [
            {"code": remark.code, "grave": remark.grave, "text": remark.text} for remark in remarks(report)
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _number(value: float) -> float | None:
    return round(value, _DIGITS) if math.isfinite(value) else None


def _run(run: RunSummary) -> dict[str, Any]:
    origin = run.origin
    return {
        "name": run.name,
        "kind": run.kind,
        "requests": run.count,
        "duration_s": _number(run.duration_s),
        "offered_per_s": _number(run.offered_per_s),
        "lateness_p50_ms": _number(run.lateness_p50_ms),
        "lateness_p99_ms": _number(run.lateness_p99_ms),
        "origin": None
        if origin is None
        else {
            "path": origin.path,
            "target": origin.target,
            "program": origin.program,
            "started_wall_ns": origin.started_wall_ns,
            "notes": dict(origin.notes),
        },
    }


def _operation(operation: OperationDeviation) -> dict[str, Any]:
    errors, throughput = operation.error_rate, operation.throughput
    return {
        "name": operation.name,
        "gap_share": _number(operation.gap),
        "contribution_share": _number(operation.contribution),
        "request_share": _number(operation.share),
        "few_samples": operation.few,
        "noise_share": _number(operation.noise),
        "verdict": operation.verdict.value,
        "metrics": [_metric(metric) for metric in operation.metrics],
        "requests": {"real": int(operation.count.a), "mock": int(operation.count.b)},
        "latency": {
            "mean": _latency(operation.mean_ms),
            "p50": _latency(operation.p50_ms),
            "p95": _latency(operation.p95_ms),
            "p99": _latency(operation.p99_ms),
        },
        "error_rate": {
            "real_share": _number(errors.a),
            "mock_share": _number(errors.b),
            "difference_share": _number(errors.difference),
        },
        "throughput": {
            "real_per_s": _number(throughput.a),
            "mock_per_s": _number(throughput.b),
            "deviation_share": _number(throughput.deviation),
        },
    }


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "deviation_share": _number(metric.deviation),
        "low_share": _number(metric.low),
        "high_share": _number(metric.high),
        "tolerance_share": _number(metric.tolerance),
        "verdict": metric.verdict.value,
        "times_as_many_samples": None if metric.needed is None else _number(metric.needed),
    }


def _latency(pair: Pair) -> dict[str, float | None]:
    return {
        "real_ms": _number(pair.a),
        "mock_ms": _number(pair.b),
        "deviation_share": _number(pair.deviation),
    }
