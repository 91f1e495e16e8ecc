"""Two levels in one report: how the dependency's deviation bears on what its callers' users see.

A caller's mean latency is its own time and its calls': calls a request times their mean latency. What the
calls' time moves by between the real run and the mocked one is what the dependency explains of the shift.
Calls made side by side count in full, so that it is the most that they can explain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from mockforge.report.deviation import ALL_OPERATIONS, CallerLevel, DeviationReport, OperationDeviation
from mockforge.report.explained import Explained, Part, Shift
from mockforge.report.nesting import Calls

__all__ = ["explain"]


def explain(
    dependency: DeviationReport, caller: DeviationReport, real: Calls | None, mock: Calls | None
) -> CallerLevel:
    """The caller's report with what the dependency explains of it.

    `real` and `mock` are what calls the caller's requests made; where either is None, every request is taken
    to make as many calls as all do on average.
    """
    known = real is not None and mock is not None
    means = {one.name: one for one in dependency.operations}
    explained = []
    for operation in (*caller.ranked, caller.overall):
        if real is not None and mock is not None:
            parts = _found(operation, caller, real, mock)
        else:
            parts = _assumed(dependency, caller)
        explained.append(_explained(operation, parts, means))
    return CallerLevel(
        report=caller,
        nested=known,
        operations=tuple(explained[:-1]),
        overall=explained[-1],
        within=(real.within, mock.within) if real is not None and mock is not None else (math.nan, math.nan),
    )


def _explained(
    operation: OperationDeviation, parts: list[Part], means: Mapping[str, OperationDeviation]
) -> Explained:
    mean = operation.mean_ms
    dependency = Shift(
        sum(part.shift_ms for part in parts),
        *_around(sum(part.shift_ms for part in parts), _error(parts, means)),
    )
    return Explained(
        operation.name,
        (mean.a, mean.b),
        _shift(operation),
        dependency,
        tuple(sorted(parts, key=lambda part: -abs(part.shift_ms))),
    )


def _shift(operation: OperationDeviation) -> Shift:
    metric = operation.metric("mean")
    if metric is None or math.isnan(metric.deviation):
        return Shift(math.nan)
    if not metric.interval:
        return Shift(metric.difference)
    return Shift(metric.difference, metric.a * metric.low, metric.a * metric.high)


def _error(parts: list[Part], means: Mapping[str, OperationDeviation]) -> float:
    """The half-width of what the parts add: each by its operation's mean, as uncertain as that is."""
    squares = 0.0
    for part in parts:
        metric = means[part.name].metric("mean") if part.name in means else None
        if metric is None or not metric.bounded or not metric.interval:
            return math.inf
        squares += (max(part.calls) * metric.a * (metric.high - metric.low) / 2) ** 2
    return math.sqrt(squares)


def _around(value: float, half: float) -> tuple[float, float]:
    return value - half, value + half


def _found(operation: OperationDeviation, caller: DeviationReport, real: Calls, mock: Calls) -> list[Part]:
    """The parts of one of the caller's operations, or of all together, by their shares of its requests."""
    if operation.name != ALL_OPERATIONS:
        return [Part(name, *_both(operation.name, name, real, mock)) for name in _dependencies(real, mock)]
    parts = []
    for name in _dependencies(real, mock):
        calls, times = [0.0, 0.0], [0.0, 0.0]
        for one in caller.operations:
            for side, (found, whole) in enumerate(
                ((real, caller.overall.count.a), (mock, caller.overall.count.b))
            ):
                share = (one.count.a, one.count.b)[side] / whole
                per_request = found.per_request.get((one.name, name), 0.0) * share
                calls[side] += per_request
                times[side] += per_request * found.mean_ms.get((one.name, name), 0.0)
        means = tuple(time / count if count else 0.0 for time, count in zip(times, calls, strict=True))
        parts.append(Part(name, (calls[0], calls[1]), (means[0], means[1])))
    return parts


def _dependencies(real: Calls, mock: Calls) -> list[str]:
    return sorted({name for _, name in (*real.per_request, *mock.per_request)})


def _both(
    caller: str, name: str, real: Calls, mock: Calls
) -> tuple[tuple[float, float], tuple[float, float]]:
    key = (caller, name)
    return (
        (real.per_request.get(key, 0.0), mock.per_request.get(key, 0.0)),
        (real.mean_ms.get(key, 0.0), mock.mean_ms.get(key, 0.0)),
    )


def _assumed(dependency: DeviationReport, caller: DeviationReport) -> list[Part]:
    """As many calls of each request as come of all."""
    requests = caller.overall.count
    return [
        Part(
            one.name,
            (
                one.count.a / requests.a if requests.a else 0.0,
                one.count.b / requests.b if requests.b else 0.0,
            ),
            (one.mean_ms.a, one.mean_ms.b),
        )
        for one in dependency.operations
    ]
