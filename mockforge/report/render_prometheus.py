"""The report in Prometheus' text format, to be scraped from a file or pushed to a gateway."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from mockforge.report.deviation import DeviationReport, OperationDeviation, Pair
from mockforge.report.verdicts import Metric, Verdict

__all__ = ["render_prometheus"]

_CODE = {Verdict.WITHIN: 0, Verdict.OUTSIDE: 1, Verdict.INCONCLUSIVE: 3}
Labels = tuple[tuple[str, str], ...]


def render_prometheus(report: DeviationReport) -> str:
    """Gauges by operation; what is unknown is NaN. Verdicts are the exit codes."""
    operations = report.every
    lines = [
        *_gauge("gap_ratio", "W1 over the real mean.", ((_of(each), each.gap) for each in operations)),
        *_gauge(
            "noise_ratio",
            "The gap that two real runs have by chance.",
            ((_of(each), each.noise) for each in operations),
        ),
        *_gauge("requests", "Requests of each run.", _sides(operations, lambda each: each.count)),
        *_gauge("latency_seconds", "Latency quantiles of each run.", _latencies(operations)),
        *_gauge(
            "error_ratio", "Failing share of each run.", _sides(operations, lambda each: each.error_rate)
        ),
        *_gauge("real", "The real figure of a metric, in its unit.", _metrics(operations, lambda one: one.a)),
        *_gauge("mock", "The mock's figure of a metric.", _metrics(operations, lambda one: one.b)),
        *_gauge(
            "deviation_ratio",
            "The mock's figure less the real one, over it; of shares and distances the difference.",
            _metrics(operations, lambda one: one.deviation),
        ),
        *_gauge(
            "deviation_low", "The 95 % interval's lower bound.", _metrics(operations, lambda one: one.low)
        ),
        *_gauge("deviation_high", "Its upper bound.", _metrics(operations, lambda one: one.high)),
        *_gauge("verdict", "0 within, 1 outside, 3 inconclusive.", _verdicts(report)),
    ]
    if report.caller:
        explained = (*report.caller.operations, report.caller.overall)
        lines += [
            *_gauge(
                "caller_gap_ratio", "The gap that the caller's users see.", [((), report.caller.report.gap)]
            ),
            *_gauge(
                "caller_shift_seconds",
                "How much longer the caller's mean is on the mock.",
                (((("operation", one.name),), one.shift.ms / 1e3) for one in explained),
            ),
            *_gauge(
                "caller_explained_seconds",
                "What of it the dependency explains.",
                (((("operation", one.name),), one.dependency.ms / 1e3) for one in explained),
            ),
        ]
    return "\n".join(lines) + "\n"


def _gauge(name: str, says: str, samples: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    full = f"mockforge_deviation_{name}"
    yield f"# HELP {full} {says}"
    yield f"# TYPE {full} gauge"
    for labels, value in samples:
        written = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
        yield f"{full}{{{written}}} {_number(value)}"


def _of(operation: OperationDeviation, *more: tuple[str, str]) -> Labels:
    return (("operation", operation.name), *more)


def _sides(
    operations: Iterable[OperationDeviation], pair_of: Callable[[OperationDeviation], Pair]
) -> Iterator[tuple[Labels, float]]:
    for operation in operations:
        pair = pair_of(operation)
        yield _of(operation, ("run", "real")), pair.a
        yield _of(operation, ("run", "mock")), pair.b


def _latencies(operations: Iterable[OperationDeviation]) -> Iterator[tuple[Labels, float]]:
    for operation in operations:
        levels = (("0.5", operation.p50_ms), ("0.95", operation.p95_ms), ("0.99", operation.p99_ms))
        for quantile, pair in levels:
            yield _of(operation, ("run", "real"), ("quantile", quantile)), pair.a / 1e3
            yield _of(operation, ("run", "mock"), ("quantile", quantile)), pair.b / 1e3


def _metrics(
    operations: Iterable[OperationDeviation], figure: Callable[[Metric], float]
) -> Iterator[tuple[Labels, float]]:
    for operation in operations:
        for metric in operation.metrics:
            labels = _of(operation, ("metric", metric.name), ("unit", metric.unit.value))
            yield labels, figure(metric)


def _verdicts(report: DeviationReport) -> Iterator[tuple[Labels, float]]:
    yield (("operation", "run"), ("metric", "all")), _CODE[report.verdict]
    for operation in (*report.ranked, report.overall):
        for metric in operation.metrics:
            if metric.verdict is not None:
                yield _of(operation, ("metric", metric.name)), _CODE[metric.verdict]
    for one in report.expected:
        yield (("operation", one.operation), ("metric", one.text)), _CODE[one.verdict]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else f"{value:.9g}"
