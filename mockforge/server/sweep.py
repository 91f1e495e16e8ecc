"""Connections that overstay: slow senders and idle ones, found by one sweep instead of a timer each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from mockforge.server.lane import Lane
from mockforge.server.protocol import FastLaneProtocol

__all__ = ["sweep", "sweep_regularly"]

_EVERY_S = 1.0
#: So many connections are looked at before whatever is due in between has its turn.
_AT_ONCE = 500


async def sweep_regularly(lane: Lane, connections: Iterable[object]) -> None:
    """Sweep every second until cancelled; `connections` is the server's own, live set."""
    while True:
        await asyncio.sleep(_EVERY_S)
        now = list(connections)
        for first in range(0, len(now), _AT_ONCE):
            sweep(lane, now[first : first + _AT_ONCE])
            await asyncio.sleep(0)


def sweep(lane: Lane, connections: Iterable[object]) -> None:
    """End what has been quiet or sending for too long. A connection that is owed an answer is neither."""
    now_ns = lane.clock.now_ns()
    for connection in connections:
        if isinstance(connection, FastLaneProtocol):
            connection.expire(now_ns)
