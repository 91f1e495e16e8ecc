"""How well a load that was not recorded is predicted, on simulated services whose truth is known.

Each service is recorded at 0.5 and at 0.7 of its capacity and learned; what the learned station makes of 0.85
is held against two simulations of the service itself, over the same arrivals with demands drawn anew. What
those two differ by (A/A) is what no model can beat. No machine's noise comes into it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.identifiability import Times, served_in_order, served_shared, trace_of
from benchmarks.measure import Bench, Figures, Measured, Row
from benchmarks.results import Check, Contestant
from mockforge.learning.capacity import predicted_ns
from mockforge.learning.performance import fit_performance

__all__ = ["ROWS", "SERVICES", "Service", "predicted"]

_MEAN_NS = 20e6
_RECORDED, _PREDICTED = (0.5, 0.7), 0.85
_EXCHANGES, _PREDICTED_EXCHANGES = 6_000, 30_000
_NOISE_NS = 0.1e6
_BOUND, _NOISE = 0.15, 1.5


@dataclass(frozen=True, slots=True)
class Service:
    """`departed` from arrivals and demands (ns, 20 ms on average); it completes `pace` times as many a second
    as one server does.
    """

    name: str
    departed: Callable[[Times, Times], Times]
    pace: float
    steady: bool = False

    def recorded(self, loads: tuple[float, ...], each: int, seed: tuple[int, int]) -> tuple[Times, Times]:
        """Arrivals, `each` at every load, and departures; the seeds are of arrivals and of demands."""
        came, asked = (np.random.default_rng(one) for one in seed)
        gaps = [came.exponential(_MEAN_NS / (self.pace * load), each) for load in loads]
        arrived = np.cumsum(np.concatenate(gaps))
        demands = np.full(arrived.size, _MEAN_NS)
        if not self.steady:
            demands = _MEAN_NS * np.exp(asked.normal(-0.125, 0.5, arrived.size))
        late = asked.exponential(_NOISE_NS, arrived.size)
        return arrived, self.departed(arrived, demands) + late


def _gate(arrived: Times, demands: Times) -> Times:
    """One passes each demand, and takes 2 ms behind the gate."""
    return served_in_order(arrived, demands, 1) - demands + 2e6


SERVICES = (
    Service("8 servers in order", lambda came, asked: served_in_order(came, asked, 8), 8.0),
    Service("4 workers on 1 core, 8 ms of it fixed", lambda c, a: served_shared(c, a, [1.0], 4) + 8e6, 1.0),
    Service("a pace that grows to 1.5", lambda c, a: served_shared(c, a, [1.0, 1.3, 1.42, 1.5]), 1.5),
    Service("a throttle that delays", _gate, 1.0, steady=True),
)


def predicted(service: Service, seed: int) -> Figures:
    """p95 at the load that was not recorded, and how far the model and the truth itself are off there."""
    began = time.process_time()
    trace = trace_of(*service.recorded(_RECORDED, _EXCHANGES, (seed, seed + 1)))
    learned = fit_performance(trace)
    seconds = time.process_time() - began
    runs = [
        service.recorded((_PREDICTED,), _PREDICTED_EXCHANGES, (seed + 2, seed + 3 + again))
        for again in (0, 1)
    ]
    arrived = np.rint(runs[0][0]).astype(np.int64)
    truths = [float(np.quantile(departed - came, 0.95)) for came, departed in runs]
    served = predicted_ns(
        learned.fit, trace.operation, arrived, np.zeros(arrived.size, dtype=np.int64), seed + 5
    )
    if learned.refused_station is not None or not learned.fit.identifiable:
        served = trace.total_ns.astype(np.float64)
    truth = float(np.mean(truths))
    return {
        "real_p95_ms": truth / 1e6,
        "mock_p95_ms": float(np.quantile(served, 0.95)) / 1e6,
        "p95_off": float(np.quantile(served, 0.95)) / truth - 1,
        "p95_aa": truths[1] / truths[0] - 1,
        "p95_naive": float(np.quantile(trace.total_ns, 0.95)) / truth - 1,
        "seconds": seconds,
    }


def _measure(bench: Bench) -> Measured:
    contestants, checks = [], []
    for service in SERVICES:
        rounds = tuple(predicted(service, 10 * seed) for seed in range(bench.scale.rounds))
        shares = tuple(abs(each["p95_off"]) / max(_BOUND, _NOISE * abs(each["p95_aa"])) for each in rounds)
        checks.append(Check(f"{service.name}: p95 off, over what is allowed", "at most", 1.0, "×", shares))
        contestants.append(Contestant(service.name, rounds))
        bench.say(f"  {service.name}: {', '.join(f'{share:.2f}' for share in shares)}")
    return Measured(
        "Latency predicted at a load that was not recorded, of simulated services",
        f"Recorded at {_RECORDED[0]:g} and {_RECORDED[1]:g} of capacity, {_EXCHANGES:,} exchanges each, with "
        f"0.1 ms of noise; p95 at {_PREDICTED:g}, in ms. Off: the model's over the truth's. A/A: two "
        "simulations of the truth over the same arrivals. Naive: the p95 of the recorded latencies over it. "
        "Allowed: 15 %, or 1.5 times the A/A difference.",
        tuple(checks),
        tuple(contestants),
    )


ROWS: dict[str, Row] = {"prediction": _measure}
