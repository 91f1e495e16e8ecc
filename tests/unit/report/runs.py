"""Runs drawn from known laws: the truth that a report should find."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import Run

__all__ = ["ar1", "drawn_run", "run_of"]


def ar1(random: np.random.Generator, count: int, phi: float) -> NDArray[np.float64]:
    """A standard normal series, shape (count,), whose neighbours correlate by `phi`."""
    if not phi:
        return random.normal(size=count)
    noise = random.normal(size=count) * math.sqrt(1 - phi * phi)
    values = np.empty(count)
    last = float(random.normal())
    for index, step in enumerate(noise.tolist()):
        last = phi * last + step
        values[index] = last
    return values


def run_of(
    latency_ms: NDArray[np.float64],
    *,
    start_s: NDArray[np.float64] | None = None,
    failed: NDArray[np.bool_] | None = None,
    in_flight: NDArray[np.int32] | None = None,
    operation: str = "GET /",
    name: str = "run",
) -> Run:
    """One operation's run; requests come every 5 ms where nothing else is said."""
    count = latency_ms.size
    start = np.arange(count) * 0.005 if start_s is None else start_s
    failures = np.zeros(count, dtype=np.bool_) if failed is None else failed
    return Run(
        name=name,
        kind="recording",
        operations=(operation,),
        operation=np.zeros(count, dtype=np.int32),
        start_ns=(start * 1e9).astype(np.int64),
        total_ns=(latency_ms * 1e6).astype(np.int64),
        ttfb_ns=(latency_ms * 0.9e6).astype(np.int64),
        status=np.where(failures, 503, 200).astype(np.int32),
        failed=failures,
        in_flight=np.zeros(count, dtype=np.int32) if in_flight is None else in_flight,
        lateness_ns=np.full(count, -1, dtype=np.int64),
    )


def drawn_run(
    seed: int,
    count: int = 10_000,
    *,
    median_ms: float = 20,
    errors: float = 0.0,
    rate: float = 200,
    phi: float = 0.0,
) -> Run:
    """Lognormal latencies (sigma 0.6) at Poisson arrivals, as dependent as `phi` says."""
    random = np.random.default_rng(seed)
    start_s = np.cumsum(random.exponential(1 / rate, count))
    latency = median_ms * np.exp(0.6 * ar1(random, count, phi))
    return run_of(latency, start_s=start_s, failed=random.random(count) < errors, name=f"run-{seed}")
