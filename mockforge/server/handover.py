"""A request that is not the mock's own to answer, handed on to the ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mockforge.model.request import RequestView

__all__ = ["asgi_cycle"]


def asgi_cycle(
    connection: HttpToolsProtocol, request: RequestView, *, keep_alive: bool, done: Callable[[], None]
) -> RequestResponseCycle:
    """The cycle that runs the application for a complete request; `done` is called when its answer is out."""
    path, _, query = request.target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": connection.asgi_version, "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "server": connection.server,
        "client": connection.client,
        "scheme": connection.scheme,
        "root_path": "",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "headers": [(name.lower(), value) for name, value in request.raw_headers],
        "state": connection.app_state.copy(),
    }
    cycle = RequestResponseCycle(
        scope=scope,  # type: ignore[arg-type]
        transport=connection.transport,
        flow=connection.flow,
        logger=connection.logger,
        access_logger=connection.access_logger,
        access_log=connection.access_log,
        default_headers=connection.server_state.default_headers,
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=done,
    )
    cycle.body = bytearray(request.body)
    cycle.more_body = False
    cycle.message_event.set()
    return cycle
