"""What the connections of one service share: the engine, its journal, the time, and the limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from mockforge.clock import Clock, DeadlineTimer, SystemClock
from mockforge.engine import Engine
from mockforge.model.request import RequestView
from mockforge.server.callbacks import Callbacks
from mockforge.server.gateway import Gateway
from mockforge.server.stations import Stations
from mockforge.state.journal import Journal

__all__ = ["Lane", "Limits"]


_MOST_KNOWN = 4_096
_LONGEST_KNOWN = 4_096


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may ask for. Sizes in bytes, times in seconds."""

    body: int = 10 * 1024 * 1024
    target: int = 16 * 1024
    head: int = 64 * 1024
    #: Requests of one connection that wait for their turn; beyond, it is not read on.
    pipelined: int = 64
    #: A request must be complete this long after its first byte.
    slow_sender_s: float = 30.0
    #: A connection without a request is closed; longer than callers' pools keep one.
    idle_s: float = 75.0
    #: A connection that takes nothing of what it is sent for so long is dropped.
    send_s: float = 60.0


class Lane:
    """One service's engine and journal, with the running loop's timer. The timer exists from `start` on."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        gateway: Gateway | None = None,
    ) -> None:
        self.engine = engine
        self.journal = journal
        self.clock = clock or SystemClock()
        self.limits = limits or Limits()
        #: The way to upstreams, for stubs that pass requests on.
        self.gateway = gateway
        self.in_flight = 0
        #: Whether the server is ending: nothing is begun that only a caller would end.
        self.ends = False
        #: What requests were parsed from these bytes, each a whole request on a connection that stays.
        self.known: dict[bytes, RequestView] = {}
        self.wall_offset_ns = self.clock.wall_ns() - self.clock.now_ns()
        self.callbacks = Callbacks(self)
        self.stations = Stations(engine, self.clock, lambda: self.timer)
        self._timer: DeadlineTimer | None = None

    @property
    def timer(self) -> DeadlineTimer:
        """The deadline timer of the running loop, made when it is first needed."""
        if self._timer is None:
            self._timer = DeadlineTimer(asyncio.get_running_loop(), self.clock)
        return self._timer

    def remember(self, data: bytes, request: RequestView) -> None:
        """Keep what was parsed, within bounds that no caller can exceed."""
        if len(data) > _LONGEST_KNOWN:
            return
        if len(self.known) >= _MOST_KNOWN:
            self.known.clear()
        self.known[data] = request

    def close(self) -> None:
        """Free the timer; what waits on it is dropped."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None
