"""The HTTP server under the mock: uvicorn on a socket already bound, the fast lane its protocol."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from functools import partial

import uvicorn

from mockforge.server.app import MockApp
from mockforge.server.protocol import FastLaneProtocol
from mockforge.server.sweep import sweep_regularly

__all__ = ["serving"]

#: What is in flight when the server ends gets this long.
_SHUTDOWN_S = 30


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the command decides when to end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: MockApp, sock: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on a listening socket while the block runs; what is in flight at its end is finished."""
    config = uvicorn.Config(
        app,
        http=partial(FastLaneProtocol, app.lane),  # type: ignore[arg-type]
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    sweeping = asyncio.create_task(sweep_regularly(app.lane, server.server_state.connections))
    try:
        yield
    finally:
        sweeping.cancel()
        server.should_exit = True
        await task
