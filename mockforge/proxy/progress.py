"""An exchange while it is under way: what is known of it so far, and the Exchange that it ends as.

Times are monotonic nanoseconds until the end, where they become durations from the arrival.
"""

from __future__ import annotations

from dataclasses import dataclass

from mockforge.clock import Clock
from mockforge.model.exchange import Exchange, Request, Response

__all__ = ["ExchangeInProgress", "RunStart"]


@dataclass(frozen=True, slots=True)
class RunStart:
    """The moment that a run's times count from, on both clocks."""

    now_ns: int
    wall_ns: int

    @classmethod
    def of(cls, clock: Clock) -> RunStart:
        """This moment."""
        return cls(clock.now_ns(), clock.wall_ns())


@dataclass(slots=True)
class ExchangeInProgress:
    """A request whose last byte has come in, and what has happened to it since."""

    request: Request
    arrived_ns: int
    in_flight: int
    connection_id: int
    connect_ns: int | None = None
    first_byte_ns: int | None = None

    def ended(
        self, start: RunStart, ended_ns: int, response: Response | None, error: str | None = None
    ) -> Exchange:
        """The exchange, ended at `ended_ns` with what the caller got."""
        arrived_ns = self.arrived_ns - start.now_ns
        return Exchange(
            wall_ns=start.wall_ns + arrived_ns,
            arrived_ns=arrived_ns,
            request=self.request,
            response=response,
            total_ns=ended_ns - self.arrived_ns,
            ttfb_ns=None if self.first_byte_ns is None else self.first_byte_ns - self.arrived_ns,
            connect_ns=self.connect_ns,
            in_flight=self.in_flight,
            connection_id=self.connection_id,
            error=error,
        )
