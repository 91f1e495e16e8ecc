"""A served request: what was planned, and what was observed."""

from __future__ import annotations

from typing import NamedTuple

from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse

__all__ = ["ServeEvent"]


class ServeEvent(NamedTuple):
    """One request that the mock answered, or that its caller gave up.

    Times are nanoseconds of the monotonic clock. `stub` is the name of the stub that answered, None for
    a miss; `operation` is what the samples are grouped by. `first_byte_ns` is None when the caller left.
    """

    wall_ns: int
    request: RequestView
    response: RenderedResponse
    plan: DelayPlan
    stub: str | None
    first_byte_ns: int | None
    end_ns: int
    in_flight: int

    @property
    def lateness_ns(self) -> int | None:
        """The mock's own error: the first byte behind its plan; None when none was sent."""
        return None if self.first_byte_ns is None else self.first_byte_ns - self.plan.first_byte_ns

    @property
    def caller_left(self) -> bool:
        return self.first_byte_ns is None
