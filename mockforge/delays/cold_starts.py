"""Cold starts: the first requests, and those after a time in which nobody asked, ask for more than others."""

from __future__ import annotations

from mockforge.model.service import AfterIdle, ColdStart

__all__ = ["ColdStarts"]


class ColdStarts:
    """The demands of requests as they come, to a backend that is cold at first, after a pause, or both.

    A pause is from one arrival to the next. Of two reasons to be cold the worse one counts.
    """

    def __init__(self, start: ColdStart | None, idle: AfterIdle | None) -> None:
        self._idle = idle
        self._pause_ns = round(idle.idle_ms * 1e6) if idle else 0
        self._last_ns: int | None = None
        self._factor, self._left = (start.factor, start.requests) if start else (1.0, 0)

    def demand(self, now_ns: int, demand_ns: int) -> int:
        """What a request that comes now asks for, where it would ask for `demand_ns` of a warm backend."""
        idle, last_ns = self._idle, self._last_ns
        self._last_ns = now_ns
        if idle is not None and last_ns is not None and now_ns - last_ns >= self._pause_ns:
            self._factor = max(idle.factor, self._factor if self._left else 1.0)
            self._left = max(idle.requests, self._left)
        if not self._left:
            return demand_ns
        self._left -= 1
        return round(demand_ns * self._factor)
