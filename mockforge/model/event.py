"""A served request: what was planned, and what was observed."""

from __future__ import annotations

from typing import NamedTuple

from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse

__all__ = ["ServeEvent"]


class ServeEvent(NamedTuple):
    """One request that the mock answered, or that its caller gave up.

    Times are nanoseconds of the monotonic clock. `stub` is the name of the stub that answered, None for
    a miss. `plan` is the engine's, but an answer that had to wait for those ahead of it on its connection was
    due when its turn came, and one that waited at a station when that was done with it; where its caller
    left before, it is the earliest that could have been. `first_byte_ns` is None where nothing was sent. The
    end is the answer's last byte or, where the caller left before all of it was handed over, that moment.
    """

    wall_ns: int
    request: RequestView
    response: RenderedResponse
    plan: DelayPlan
    stub: str | None
    first_byte_ns: int | None
    end_ns: int
    in_flight: int
    caller_left: bool = False

    @property
    def last_byte_ns(self) -> int | None:
        """When the answer was out; None when the caller left before."""
        return None if self.caller_left else self.end_ns

    @property
    def lateness_ns(self) -> int | None:
        """The mock's own error: the first byte behind its plan; None when none was sent."""
        return None if self.first_byte_ns is None else self.first_byte_ns - self.plan.first_byte_ns
