"""A served request: what was planned, and what was observed."""

from __future__ import annotations

from typing import NamedTuple

from mockforge.model.request import RequestView
from mockforge.model.response import DelayPlan, RenderedResponse
from mockforge.model.upstream import OutgoingRequest

__all__ = ["Forwarded", "Paced", "ServeEvent", "SubEvent"]


#: Faults after which the answer is whole.
_HARMLESS = (None, "SLOW_HEADERS")


class Forwarded(NamedTuple):
    """Where a request was passed on to, and what became of it there.

    Times are nanoseconds of the monotonic clock; `connect_ns` and `tls_ns` are how long a new connection
    took, None where a kept one served. `body_bytes` came, whether or not the event keeps them. The `error`
    is `phase: reason`, None where the upstream's answer was complete; `cut` says that the caller had got a
    part of it by then, and was cut off.
    """

    url: str
    asked_ns: int
    first_byte_ns: int | None = None
    end_ns: int | None = None
    connect_ns: int | None = None
    tls_ns: int | None = None
    body_bytes: int = 0
    error: str | None = None
    cut: bool = False


class Paced(NamedTuple):
    """What became of an answer whose bytes did not all go out at once.

    `planned_end_ns` is when its last byte, or the fault's end, was due; None where it never was. `failure`
    says why the mock itself could not send what it should have. `sent_bytes` count the head, too.
    """

    planned_end_ns: int | None
    fault: str | None = None
    failure: str | None = None
    sent_bytes: int = 0


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
    paced: Paced | None = None

    @property
    def last_byte_ns(self) -> int | None:
        """When the answer was out; None when the caller left before."""
        return None if self.caller_left else self.end_ns

    @property
    def broken(self) -> str | None:
        """Why the caller got no whole answer, as a recording says it; None where it did, or left."""
        paced = self.paced
        if self.forwarded is not None and self.forwarded.cut:
            return self.forwarded.error
        if self.caller_left or paced is None:
            return None
        what = paced.failure or (None if paced.fault in _HARMLESS else paced.fault)
        if what is None or (paced.failure is not None and self.response.status >= 500):
            return None
        return f"{'wait' if self.first_byte_ns is None else 'body'}: {what}"

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
