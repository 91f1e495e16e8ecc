"""What has passed so far, in figures that are cheap to keep: for the line that is shown while recording."""

from __future__ import annotations

from collections import deque

from mockforge.model.exchange import Exchange
from mockforge.stats.sketch import QuantileSketch

__all__ = ["Traffic"]

_SECOND_NS = 1_000_000_000


class Traffic:
    """Counts of exchanges, the sketch of their latencies in ms, and the rate over the last seconds."""

    def __init__(self, window_s: int = 5) -> None:
        self.count = 0
        self.errors = 0
        self.latency_ms = QuantileSketch()
        self._window_s = window_s
        #: (second of the run, exchanges that ended in it), oldest first.
        self._seconds: deque[list[int]] = deque(maxlen=window_s + 1)

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        self.count += 1
        self.errors += exchange.failed
        self.latency_ms.add(exchange.total_ns / 1e6)
        second = (exchange.arrived_ns + exchange.total_ns) // _SECOND_NS
        if not self._seconds or self._seconds[-1][0] < second:
            self._seconds.append([second, 0])
        self._seconds[-1][1] += 1

    def rate(self, run_ns: int) -> float:
        """Exchanges per second that ended in the last whole seconds, `run_ns` after the run's start."""
        now = run_ns // _SECOND_NS
        span = min(self._window_s, now)
        if span == 0:
            return float(self.count)
        return sum(number for second, number in self._seconds if now - span <= second < now) / span
