"""A fit from what `learn` has in hand: the times, the names of operations, and the performance model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_trace import Trace
from mockforge.learning.latency import fit_latency
from mockforge.learning.performance import Performance
from mockforge.report.fit import Calls, FitReport, OperationFit, operation_fit

__all__ = ["Named", "fit_of"]


@dataclass(frozen=True, slots=True)
class Named:
    """The service, the recording and the program, as the fit names them."""

    service: str
    source: str
    program: str = "mockforge"


def fit_of(
    named: Named,
    trace: Trace,
    operations: Sequence[str],
    performance: Performance,
    remarks: tuple[str, ...] = (),
) -> FitReport:
    """The fit of `performance`, learned from `trace`, whose operation numbers index `operations`.

    Operations are told apart by status. Looked at are exchanges that were answered, neither refused by the
    capacity nor ended by its time limit.
    """
    ended = performance.turned_away | performance.timed_out
    answered = ~ended & ~trace.aborted & (trace.status > 0)
    order = np.flatnonzero(answered)
    order = order[np.argsort(trace.arrived_ns[order], kind="stable")]
    calls = Calls(trace.arrived_ns[order], trace.answered_ns()[order] / 1e6, trace.operation[order])
    served_ns = performance.served_ns(trace, order)
    if served_ns is not None:
        calls = replace(calls, served_ms=served_ns / 1e6)
    if performance.timeouts is not None:
        remarks = (*remarks, f"time-outs: {performance.timeouts}")
    demand_ns = np.where(np.isnan(performance.demand_ns), trace.answered_ns(), performance.demand_ns)[order]
    span_ns = int(np.ptp(trace.arrived_ns)) if trace.arrived_ns.size else 0
    return FitReport(
        service=named.service,
        source=named.source,
        count=int(trace.arrived_ns.size),
        span_s=span_ns / 1e9,
        operations=tuple(_operations(calls, demand_ns, trace.status[order], operations)),
        capacity=performance.fit,
        calls=calls,
        spells=performance.spells,
        remarks=remarks,
        program=named.program,
    )


def _operations(
    calls: Calls, demand_ns: NDArray[np.float64], status: NDArray[np.int64], names: Sequence[str]
) -> Iterator[OperationFit]:
    """Each status of each operation, by name and then by how many answers had it."""
    for number, name in sorted(enumerate(names), key=lambda each: each[1]):
        own = calls.operation == number
        statuses, counts = np.unique(status[own], return_counts=True)
        for one in statuses[np.argsort(-counts, kind="stable")].tolist():
            which = own & (status == one)
            law = fit_latency(np.maximum(np.rint(demand_ns[which]), 1).astype(np.int64))
            served_ms = calls.served_ms[which] if calls.served_ms is not None else None
            yield operation_fit((name, str(one)), calls.latency_ms[which], law, served_ms)
