"""A served request: what was planned, and what was observed."""

from __future__ import annotations

from typing import NamedTuple

from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse
from mockforge.model.upstream import OutgoingRequest

__all__ = ["Forwarded", "ServeEvent", "SubEvent"]


class Forwarded(NamedTuple):
    """Where a request was passed on to, and what became of it there.

    Times are nanoseconds of the monotonic clock; `connect_ns` and `tls_ns` are how long a new connection
    took, None where a kept one served. `body_bytes` came, whether or not the event keeps them. The `error`
    is `phase: reason`, None where the upstream's answer was complete.
    """

    url: str
    asked_ns: int
    first_byte_ns: int | None = None
    end_ns: int | None = None
    connect_ns: int | None = None
    tls_ns: int | None = None
    body_bytes: int = 0
    error: str | None = None


class ServeEvent(NamedTuple):
    """One request that the mock answered, or that its caller gave up.

    Times are nanoseconds of the monotonic clock. `stub` is the name of the stub that answered, None for
    a miss. `plan` is the engine's, but an answer that had to wait for those ahead of it on its connection was
    due when its turn came, and one that waited at a station when that was done with it; where its caller
    left before, it is the earliest that could have been. `first_byte_ns` is None where nothing was sent. The
    end is the answer's last byte or, where the caller left before all of it was handed over, that moment.
    An answer that an upstream gave was due when it was there, at the earliest.
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
    forwarded: Forwarded | None = None

    @property
    def last_byte_ns(self) -> int | None:
        """When the answer was out; None when the caller left before."""
        return None if self.caller_left else self.end_ns

    @property
    def lateness_ns(self) -> int | None:
        """The mock's own error: the first byte behind its plan; None when none was sent."""
        return None if self.first_byte_ns is None else self.first_byte_ns - self.plan.first_byte_ns


class SubEvent(NamedTuple):
    """What happened on account of an event, later than the event: a callback, its answer, or an error.

    `kind` is WireMock's word for it, `offset_ns` counts from the event's arrival.
    """

    kind: str
    offset_ns: int
    data: OutgoingRequest | RenderedResponse | str

    @property
    def size(self) -> int:
        """What its body or text takes, in bytes, roughly."""
        return len(self.data if isinstance(self.data, str) else self.data.body)
