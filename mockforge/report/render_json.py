"""The report as JSON, for programs; the keys are stable, and deviation.schema.json says what they hold."""

from __future__ import annotations

import json
import math
from importlib import resources
from typing import Any

from mockforge.report.deviation import CallerLevel, DeviationReport, OperationDeviation, Pair, RunSummary
from mockforge.report.expectations import Expected
from mockforge.report.explained import Explained, Shift
from mockforge.report.load import LoadBin
from mockforge.report.remarks import remarks
from mockforge.report.verdicts import Metric

__all__ = ["SCHEMA", "json_schema", "render_json"]

#: The form's name and version; the version rises when a key changes its meaning or goes.
SCHEMA = "mockforge.deviation/2"

_DIGITS = 6


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) that every document keeps."""
    text = (resources.files("mockforge.report") / "deviation.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def render_json(report: DeviationReport) -> str:
    """The whole report but for its samples. What is unknown is null."""
    document = {
        "schema": SCHEMA,
        "program": report.program,
        **_level(report),
        "caller": None if report.caller is None else _caller(report.caller),
        "remarks": [
            {"code": remark.code, "grave": remark.grave, "text": remark.text} for remark in remarks(report)
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _level(report: DeviationReport) -> dict[str, Any]:
    return {
        "gap_share": _number(report.gap),
        "verdict": report.verdict.value,
        "sampled": report.sampled,
        "real": [_run(run) for run in report.runs_a],
        "mock": [_run(run) for run in report.runs_b],
        "overall": _operation(report.overall),
        "operations": [_operation(operation) for operation in report.operations],
        "expected": [_expected(one) for one in report.expected],
        "only_real": list(report.only_a),
        "only_mock": list(report.only_b),
    }


def _caller(level: CallerLevel) -> dict[str, Any]:
    return {
        **_level(level.report),
        "nested": level.nested,
        "within_share": _pair(Pair(*level.within)),
        "explained": [_explained(one) for one in (*level.operations, level.overall)],
    }


def _explained(one: Explained) -> dict[str, Any]:
    return {
        "name": one.name,
        "mean_ms": _pair(Pair(*one.mean_ms)),
        "shift_ms": _shift(one.shift),
        "dependency_ms": _shift(one.dependency),
        "left_ms": _shift(one.left),
        "dependency_share": _number(one.share),
        "parts": [
            {
                "name": part.name,
                "calls": _pair(Pair(*part.calls)),
                "mean_ms": _pair(Pair(*part.mean_ms)),
                "shift_ms": _number(part.shift_ms),
            }
            for part in one.parts
        ],
    }


def _shift(shift: Shift) -> dict[str, float | None]:
    return {"shift": _number(shift.ms), "low": _number(shift.low), "high": _number(shift.high)}


def _number(value: float) -> float | None:
    return round(value, _DIGITS) if math.isfinite(value) else None


def _run(run: RunSummary) -> dict[str, Any]:
    origin = run.origin
    return {
        "name": run.name,
        "kind": run.kind,
        "requests": run.count,
        "sampled": run.sampled,
        "duration_s": _number(run.duration_s),
        "warmup_s": _number(run.warmup_s),
        "offered_per_s": _number(run.offered_per_s),
        "achieved_per_s": _number(run.achieved_per_s),
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
    return {
        "name": operation.name,
        "requests": _pair(operation.count),
        "request_share": _number(operation.share),
        "few_samples": operation.few,
        "gap_share": _number(operation.gap),
        "noise_share": _number(operation.noise),
        "contribution_share": _number(operation.contribution),
        "matched_share": None if operation.matched is None else _pair(operation.matched),
        "verdict": operation.verdict.value,
        "metrics": {metric.name: _metric(metric) for metric in operation.metrics},
        "load": [_load(one) for one in operation.load],
        "drift": {
            "looked_at": _pair(Pair(*operation.drift.looked_at)),
            "findings": [
                {
                    "kind": one.kind,
                    "what": one.what,
                    "real_share": _number(one.real),
                    "mock_share": _number(one.mock),
                }
                for one in operation.drift.findings
            ],
        },
    }


def _pair(pair: Pair) -> dict[str, float | None]:
    return {"real": _number(pair.a), "mock": _number(pair.b)}


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "family": metric.family,
        "unit": metric.unit.value,
        "real": _number(metric.a),
        "mock": _number(metric.b),
        "relative": metric.relative,
        "deviation": _number(metric.deviation),
        "low": _number(metric.low),
        "high": _number(metric.high),
        "difference": _number(metric.difference),
        "difference_low": _number(metric.difference_bounds[0]),
        "difference_high": _number(metric.difference_bounds[1]),
        "interval": metric.interval,
        "tolerance": _number(metric.tolerance),
        "verdict": metric.verdict.value if metric.verdict else None,
        "times_as_many_samples": None if metric.needed is None else _number(metric.needed),
    }


def _expected(one: Expected) -> dict[str, Any]:
    return {
        "text": one.text,
        "operation": one.operation,
        "value": _number(one.value),
        "low": _number(one.low),
        "high": _number(one.high),
        "verdict": one.verdict.value,
    }


def _load(one: LoadBin) -> dict[str, Any]:
    return {
        "in_flight": [one.low, one.high],
        "requests": _pair(Pair(*one.count)),
        "p50_ms": _pair(Pair(*one.p50_ms)),
        "p95_ms": _pair(Pair(*one.p95_ms)),
    }
