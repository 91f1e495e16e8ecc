"""The HTTP server under the mock: uvicorn on a socket already bound, the fast lane its protocol."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn

from mockforge.errors import UsageError
from mockforge.server.app import MockApp
from mockforge.server.protocol import FastLaneProtocol
from mockforge.server.sweep import sweep_regularly
from mockforge.sockets import BACKLOG

__all__ = ["TlsFiles", "serving"]

#: What is in flight when the server ends gets this long.
_SHUTDOWN_S = 30


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the command decides when to end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate chain and its private key, PEM; without a `key`, the chain's file holds that too."""

    certificate: Path
    key: Path | None = None

    def check(self) -> None:
        """Raises UsageError where they cannot be read or do not belong together."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            files = f"{self.certificate}" if self.key is None else f"{self.certificate} and {self.key}"
            why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            raise UsageError(
                f"TLS cannot use {files}: {why}", hint="PEM files of one certificate and its key"
            ) from error


@contextlib.asynccontextmanager
async def serving(app: MockApp, sock: socket.socket, tls: TlsFiles | None = None) -> AsyncIterator[None]:
    """Serve `app` on a listening socket while the block runs; what is in flight at its end is finished."""
    config = uvicorn.Config(
        app,
        http=partial(FastLaneProtocol, app.lane),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",  # what a lifespan would end is ended here, whether or not the server ended well
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        backlog=BACKLOG,  # uvicorn listens once more, with its own unless told
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None or tls.key is None else str(tls.key),
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    sweeping = asyncio.create_task(sweep_regularly(app.lane, server.server_state.connections))
    try:
        yield
    finally:
        server.should_exit = True
        try:
            await task
        finally:
            sweeping.cancel()  # until now: a request that is never completed must not hold up the end
            app.lane.close()
