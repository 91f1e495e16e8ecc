"""What a replay shows while it runs and at its end, and whether its figures can be trusted.

Two latencies stand side by side: the *response* time counts from the intended send time, the *service*
time from the actual one. They differ by the send lag, which is the sender's own fault.
"""

from __future__ import annotations

import math

import numpy as np

from mockforge.model.exchange import Exchange
from mockforge.stats.sketch import QuantileSketch

__all__ = ["OperationStatistics", "ReplayStatistics", "generator_limit"]

_LAG_FLOOR_NS = 1_000_000
_LAG_SHARE = 0.05
_DROPPED_SHARE = 0.001

#: Values that wait to be taken in: a few tens of microseconds of work.
_AT_ONCE = 512


class _Gathered:
    """A sketch that takes its values in by the hundred, at a tenth of the cost of one by one."""

    __slots__ = ("_sketch", "_waiting")

    def __init__(self) -> None:
        self._sketch = QuantileSketch()
        self._waiting: list[int] = []

    def add(self, value: int) -> None:
        self._waiting.append(value)
        if len(self._waiting) >= _AT_ONCE:
            self._take_in()

    @property
    def sketch(self) -> QuantileSketch:
        """Of all values so far."""
        if self._waiting:
            self._take_in()
        return self._sketch

    def _take_in(self) -> None:
        self._sketch.add_many(np.array(self._waiting, dtype=np.float64))
        self._waiting.clear()


class OperationStatistics:
    """Counts and latencies (ns) of one operation. A request that was not sent is an error without latency."""

    __slots__ = ("_response", "_service", "count", "errors")

    def __init__(self) -> None:
        self.count = 0
        self.errors = 0
        self._response = _Gathered()
        self._service = _Gathered()

    def add(self, exchange: Exchange) -> None:
        self.count += 1
        self.errors += exchange.failed
        if exchange.lateness_ns is not None:
            self._response.add(exchange.total_ns)
            self._service.add(exchange.total_ns - exchange.lateness_ns)

    @property
    def response_ns(self) -> QuantileSketch:
        """From the due time."""
        return self._response.sketch

    @property
    def service_ns(self) -> QuantileSketch:
        """From the sending."""
        return self._service.sketch

    def merge(self, other: OperationStatistics) -> None:
        """Add the other's counts and latencies."""
        self.count += other.count
        self.errors += other.errors
        self.response_ns.merge(other.response_ns)
        self.service_ns.merge(other.service_ns)


class ReplayStatistics:
    """Grows by one exchange at a time; costs about a microsecond each."""

    def __init__(self) -> None:
        self.by_operation: dict[str, OperationStatistics] = {}
        self.count = 0
        self.dropped = 0
        #: From the first due time to the last end.
        self.duration_ns = 0
        #: Failures without a complete answer, by their `phase: reason`.
        self.failures: dict[str, int] = {}
        self._lag = _Gathered()

    def add(self, exchange: Exchange, operation: str) -> None:
        """Count `exchange` under the name `operation`."""
        one = self.by_operation.get(operation)
        if one is None:
            one = self.by_operation[operation] = OperationStatistics()
        one.add(exchange)
        self.count += 1
        self.duration_ns = max(self.duration_ns, exchange.arrived_ns + exchange.total_ns)
        if exchange.lateness_ns is None:
            self.dropped += 1
        else:
            self._lag.add(exchange.lateness_ns)
        if exchange.error is not None:
            self.failures[exchange.error] = self.failures.get(exchange.error, 0) + 1

    @property
    def lag_ns(self) -> QuantileSketch:
        """How late requests were sent."""
        return self._lag.sketch

    @property
    def overall(self) -> OperationStatistics:
        """All operations together, added up when it is asked for."""
        everything = OperationStatistics()
        for one in self.by_operation.values():
            everything.merge(one)
        return everything


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
    if statistics.dropped > _DROPPED_SHARE * statistics.count:
        reasons.append(f"{statistics.dropped} of {statistics.count} requests were dropped")
    return "; ".join(reasons) or None
