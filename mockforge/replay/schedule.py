"""When each recorded request is due: a pure function of the recorded arrivals and the wanted pace.

The recorded gaps are kept, so that bursts stay bursts, and all are scaled by one factor. No clock is
read here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mockforge.errors import RecordingError, UsageError
from mockforge.model.exchange import Exchange, Request

__all__ = ["Schedule", "ScheduledRequest", "check_pace", "make_schedule"]


@dataclass(frozen=True, slots=True)
class ScheduledRequest:
    """A request and when it is due, in ns from the first one's due time.

    `operation` is the name that the recording gave it, or None.
    """

    due_ns: int
    request: Request
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Requests in the order in which they are due; at speed 2.0 they come twice as fast as recorded."""

    requests: tuple[ScheduledRequest, ...]
    speed: float

    def __len__(self) -> int:
        return len(self.requests)

    @property
    def span_ns(self) -> int:
        """From the first due time to the last."""
        return self.requests[-1].due_ns - self.requests[0].due_ns

    @property
    def rate(self) -> float:
        """Mean requests a second over the span; NaN where all are due at once."""
        return (len(self) - 1) / self.span_ns * 1e9 if self.span_ns else math.nan


def check_pace(speed: float | None, rate: float | None) -> None:
    """Raises UsageError where the two exclude each other or are no positive numbers."""
    if speed is not None and rate is not None:
        raise UsageError(
            f"--speed {speed:g} and --rate {rate:g} exclude each other", hint="give one of the two"
        )
    for option, value in (("--speed", speed), ("--rate", rate)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise UsageError(
                f"{option} is {value:g}, and must be above zero", hint=f"for example {option} 1.5"
            )


def make_schedule(
    exchanges: Sequence[Exchange], *, speed: float | None = None, rate: float | None = None
) -> Schedule:
    """The recorded requests at `speed` times the recorded pace, or at a mean of `rate` requests a second.

    With neither, at the recorded pace. Raises UsageError for an impossible pace, RecordingError where
    there is nothing to send.
    """
    check_pace(speed, rate)
    if not exchanges:
        raise RecordingError("the recording has no exchanges, so there is nothing to replay")
    ordered = sorted(exchanges, key=lambda exchange: exchange.arrived_ns)
    first_ns = ordered[0].arrived_ns
    if rate is not None:
        speed = _speed_for(rate, len(ordered), ordered[-1].arrived_ns - first_ns)
    factor = speed if speed is not None else 1.0
    requests = tuple(
        ScheduledRequest(round((one.arrived_ns - first_ns) / factor), one.request, one.operation)
        for one in ordered
    )
    return Schedule(requests, factor)


def _speed_for(rate: float, count: int, span_ns: int) -> float:
    """The speed at which `count` requests recorded over `span_ns` come at a mean of `rate` a second."""
    if count == 1:
        return 1.0
    if span_ns == 0:
        raise UsageError(
            f"--rate {rate:g} cannot be had: all {count} requests were recorded at one moment",
            hint="leave --rate away",
        )
    return rate / ((count - 1) / span_ns * 1e9)
