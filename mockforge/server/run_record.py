"""What the mock served, as exchanges: a real and a mocked run are then seen from the same vantage."""

from __future__ import annotations

from mockforge.model.event import ServeEvent
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers

__all__ = ["exchange_of"]


def exchange_of(event: ServeEvent, started_ns: int) -> Exchange:
    """The exchange of one serve event; `started_ns` is the run's start on the monotonic clock."""
    arrived_ns = event.plan.arrived_ns
    response, broken = event.response, event.broken
    return Exchange(
        wall_ns=event.wall_ns,
        arrived_ns=arrived_ns - started_ns,
        request=Request(
            event.request.method, event.request.target, event.request.headers, event.request.body
        ),
        response=None
        if event.caller_left or broken
        else Response(
            response.status, Headers.from_raw(response.headers), response.body, omitted=response.elsewhere
        ),
        total_ns=event.end_ns - arrived_ns,
        ttfb_ns=None if event.first_byte_ns is None else event.first_byte_ns - arrived_ns,
        in_flight=event.in_flight,
        lateness_ns=None if event.lateness_ns is None else max(0, event.lateness_ns),
        error="caller: left" if event.caller_left else broken,
        operation=event.stub,
    )
