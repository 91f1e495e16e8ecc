"""Fits written out by hand: a service with a station, one without, and the parts that both are made of."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity import Candidate, CapacityFit, RecordedLoad
from mockforge.learning.capacity_prediction import QuantileCheck
from mockforge.learning.capacity_station import FifoStation, NoLoadDependence, SharingStation
from mockforge.learning.latency import fit_latency
from mockforge.learning.load import LoadBehaviour
from mockforge.learning.load_limits import ColdStart, TimeLimit
from mockforge.learning.load_shedding import Shedding
from mockforge.learning.load_stalls import StallFit
from mockforge.learning.spells import find_spells
from mockforge.report.fit import Calls, FitReport, OperationFit, operation_fit

__all__ = ["EVIL", "capacity", "latencies", "operation", "service", "unidentified"]

EVIL = "GET /</script><script>alert(1)</script>&\"'"
_QUIET = LoadBehaviour(
    Shedding(0, None, "not seen: nothing was refused"),
    TimeLimit(None, "", 0, "not seen: every request was answered"),
    ColdStart(None, 0.0, 0, "not seen"),
    StallFit((), "not seen"),
)


def latencies(count: int, median_ms: float = 10.0) -> NDArray[np.float64]:
    """Lognormal latencies, each time the same."""
    return np.random.default_rng(count).lognormal(np.log(median_ms), 0.4, count)


def operation(
    name: str, recorded_ms: NDArray[np.float64], served_ms: NDArray[np.float64] | None = None
) -> OperationFit:
    """An operation with the law that its latencies give."""
    law = fit_latency(np.rint(recorded_ms * 1e6).astype(np.int64))
    return operation_fit((name, "200"), recorded_ms, law, served_ms)


def capacity(check: float = 0.0) -> CapacityFit:
    """Four servers of demands of 10 ms, learned rather than shared ones; the self-check is off by `check`."""
    station = FifoStation(4)
    return CapacityFit(
        station=station,
        offset_ns=0.0,
        demands_ns=np.full(100, 1e7),
        identifiable=True,
        reason="fifo, 4 servers; recorded at up to 28 in flight",
        recorded_up_to=RecordedLoad(28, 19),
        servers_interval=(4, 5),
        candidates=(
            Candidate(station, 0.0, 0.01, 0.05, True, 0),
            Candidate(SharingStation.of(3), 2e6, 0.2, float("inf"), False, 1),
        ),
        self_check=(QuantileCheck(0.5, 10.0, 10.0 * (1 + check)),),
        held_out_error=0.05,
        load=_QUIET,
    )


def unidentified() -> CapacityFit:
    """What a recording leaves that never saturated its backend."""
    reason = "recorded at up to 4 in flight, where latency does not depend on load"
    return replace(capacity(), station=NoLoadDependence(), identifiable=False, reason=reason, candidates=())


@cache
def service(count: int = 400) -> FitReport:
    """Two operations with one station behind them; the second one's name is markup."""
    recorded = latencies(count)
    arrived = np.arange(count, dtype=np.int64) * 4_000_000
    calls = Calls(arrived, recorded, np.zeros(count, dtype=np.int64), recorded * 1.1)
    spells = find_spells(arrived, np.rint(recorded * 1e6).astype(np.int64), np.zeros(count, dtype=np.int32))
    return FitReport(
        service="orders",
        source="recordings/<i>.mfrec",
        count=count + 12,
        span_s=1.6,
        operations=(
            operation("GET /orders/{id}", recorded, recorded * 1.1),
            operation(EVIL, latencies(12, 5.0)),
        ),
        capacity=capacity(),
        calls=calls,
        spells=spells,
        remarks=("OpenAPI: <b>GET /x</b> is not described",),
        program="mockforge 1",
    )
