"""What a replay shows while it runs and at its end, and whether its figures can be trusted.

Two latencies stand side by side: the *response* time counts from the intended send time, the *service*
time from the actual one. They differ by the send lag, which is the sender's own fault.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from mockforge.model.exchange import Exchange
from mockforge.stats.sketch import QuantileSketch

__all__ = ["OperationStatistics", "ReplayStatistics", "generator_limit"]

_LAG_FLOOR_NS = 1_000_000
_LAG_SHARE = 0.05
_DROPPED_SHARE = 0.001


@dataclass(slots=True)
class OperationStatistics:
    """Counts and latencies (ns) of one operation. A request that was not sent is an error without latency."""

    count: int = 0
    errors: int = 0
    response_ns: QuantileSketch = field(default_factory=QuantileSketch)
    service_ns: QuantileSketch = field(default_factory=QuantileSketch)

    def add(self, exchange: Exchange) -> None:
        self.count += 1
        self.errors += exchange.failed
        if exchange.lateness_ns is not None:
            self.response_ns.add(exchange.total_ns)
            self.service_ns.add(exchange.total_ns - exchange.lateness_ns)


class ReplayStatistics:
    """Grows by one exchange at a time; costs a few microseconds each."""

    def __init__(self) -> None:
        self.overall = OperationStatistics()
        self.by_operation: dict[str, OperationStatistics] = {}
        self.lag_ns = QuantileSketch()
        self.dropped = 0
        #: From the first due time to the last end.
        self.duration_ns = 0
        #: Failures without a complete answer, by their `phase: reason`.
        self.failures: dict[str, int] = {}

    def add(self, exchange: Exchange, operation: str) -> None:
        """Count `exchange` under the name `operation`."""
        self.overall.add(exchange)
        self.by_operation.setdefault(operation, OperationStatistics()).add(exchange)
        self.duration_ns = max(self.duration_ns, exchange.arrived_ns + exchange.total_ns)
        if exchange.lateness_ns is None:
            self.dropped += 1
        else:
            self.lag_ns.add(exchange.lateness_ns)
        if exchange.error is not None:
            self.failures[exchange.error] = self.failures.get(exchange.error, 0) + 1


def generator_limit(statistics: ReplayStatistics) -> str | None:
    """Why the sender, not the target, bounded the run; None where it did not.

    It did where the send lag's p99 is above 1 ms and above 5 % of the median response, or where more than
    0.1 % of the requests were dropped.
    """
    reasons = []
    lag_ns = statistics.lag_ns.quantile(0.99)
    median_ns = statistics.overall.response_ns.quantile(0.5)
    allowed_ns = _LAG_FLOOR_NS if math.isnan(median_ns) else max(_LAG_FLOOR_NS, _LAG_SHARE * median_ns)
    if lag_ns > allowed_ns:
        reasons.append(f"send lag p99 {lag_ns / 1e6:.2f} ms is above {allowed_ns / 1e6:.2f} ms")
    if statistics.dropped > _DROPPED_SHARE * statistics.overall.count:
        reasons.append(f"{statistics.dropped} of {statistics.overall.count} requests were dropped")
    return "; ".join(reasons) or None
