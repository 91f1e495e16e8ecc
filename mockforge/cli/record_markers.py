"""Marking the phases of a test while it is recorded: by a signal, or over HTTP on a port of its own.

    kill -USR1 PID                                                         "mark 1", "mark 2", …
    curl -X POST localhost:9099/__admin/markers -d '{"label": "ramp"}'

The recorder's own port cannot take it, as every path there is the backend's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mockforge.clock import Clock
from mockforge.model.exchange import Marker
from mockforge.proxy.progress import RunStart
from mockforge.server.admin import ADMIN_PREFIX
from mockforge.server.http import serving_app

__all__ = ["Marking", "marked_by_signal", "marked_over_http"]

_LONGEST_LABEL = 200
_USAGE = 'POST {"label": "ramp"}, the label at most 200 characters'


class Marking:
    """Gives markers, with their times, to everything that is recorded."""

    def __init__(self, clock: Clock, start: RunStart, mark: Callable[[Marker], object]) -> None:
        self.markers: list[Marker] = []
        self._clock = clock
        self._start = start
        self._mark = mark

    def add(self, label: str) -> Marker:
        """Mark this moment."""
        now_ns = self._clock.now_ns()
        at_ns = now_ns - self._start.now_ns
        marker = Marker(label, at_ns, self._start.wall_ns + at_ns)
        self.markers.append(marker)
        self._mark(marker)
        return marker


@contextlib.contextmanager
def marked_by_signal(marking: Marking, told: Callable[[str], object]) -> Iterator[None]:
    """SIGUSR1 marks the moment, where there is such a signal."""
    number = getattr(signal, "SIGUSR1", None)
    numbers = count(1)

    def on_signal() -> None:
        label = f"mark {next(numbers)}"
        marking.add(label)
        told(label)

    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError, ValueError):
        if number is not None:
            loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError, ValueError):
            if number is not None:
                loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def marked_over_http(marking: Marking, sock: socket.socket | None) -> AsyncIterator[None]:
    """Serve the markers' admin API on `sock` within the block; nothing where there is none."""
    if sock is None:
        yield
        return

    async def add(request: Request) -> JSONResponse:
        label = _label(await request.body())
        if label is None:
            return JSONResponse({"errors": [{"title": _USAGE}]}, status_code=422)
        return JSONResponse(_shown(marking.add(label)), status_code=201)

    async def listed(_: Request) -> JSONResponse:
        return JSONResponse({"markers": [_shown(marker) for marker in marking.markers]})

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "healthy"})

    path = f"{ADMIN_PREFIX}/markers"
    routes = [
        Route(path, add, methods=["POST"]),
        Route(path, listed),
        Route(f"{ADMIN_PREFIX}/health", health),
    ]
    async with serving_app(Starlette(routes=routes), sock):
        yield


def _label(body: bytes) -> str | None:
    try:
        written = json.loads(body)
    except ValueError:
        return None
    label = written.get("label") if isinstance(written, dict) else None
    fits = isinstance(label, str) and 0 < len(label.strip()) <= _LONGEST_LABEL
    return label.strip() if fits and isinstance(label, str) else None


def _shown(marker: Marker) -> dict[str, object]:
    return {"label": marker.label, "atNs": marker.at_ns, "wallNs": marker.wall_ns}
