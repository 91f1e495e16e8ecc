"""The HTTP server under the mock: uvicorn on a socket already bound, the fast lane its protocol."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from mockforge.errors import UsageError
from mockforge.server.app import MockApp
from mockforge.server.hosts import Hosts, SharedPortProtocol
from mockforge.server.protocol import FastLaneProtocol
from mockforge.server.sweep import sweep_regularly
from mockforge.sockets import BACKLOG

__all__ = ["Listening", "TlsFiles", "serving", "serving_all", "serving_app"]

#: What is in flight when the server ends gets this long.
_SHUTDOWN_S = 30
_TELL_AGAIN_S = 0.1


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

    @classmethod
    def of(cls, certificate: Path | None, key: Path | None) -> TlsFiles | None:
        """The two options of a command line, None where neither is given; raises UsageError where they
        cannot be used."""
        if certificate is None:
            if key is not None:
                raise UsageError("--tls-key without --tls-cert", hint="give the certificate too")
            return None
        tls = cls(certificate, key)
        tls.context()
        return tls

    def context(self) -> ssl.SSLContext:
        """A server's context; raises UsageError where they cannot be read or do not belong together."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            files = f"{self.certificate}" if self.key is None else f"{self.certificate} and {self.key}"
            why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            raise UsageError(
                f"TLS cannot use {files}: {why}", hint="PEM files of one certificate and its key"
            ) from error
        return context


@contextlib.asynccontextmanager
async def serving_app(app: Starlette, sock: socket.socket) -> AsyncIterator[None]:
    """Serve a plain application on a listening socket while the block runs."""
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


@dataclass(frozen=True, slots=True)
class Listening:
    """A listening socket, and whose it is: one service's, or several services' by host."""

    sock: socket.socket
    app: MockApp | Hosts

    @property
    def apps(self) -> list[MockApp]:
        return self.app.apps if isinstance(self.app, Hosts) else [self.app]

    def protocol(self) -> Callable[..., asyncio.Protocol]:
        """What makes the protocol of a connection."""
        if isinstance(self.app, Hosts):
            return partial(SharedPortProtocol, self.app)
        return partial(FastLaneProtocol, self.app.lane)


@contextlib.asynccontextmanager
async def serving(
    app: MockApp | Hosts, sock: socket.socket, tls: TlsFiles | None = None
) -> AsyncIterator[None]:
    """Serve `app` on a listening socket while the block runs; what is in flight at its end is finished."""
    async with serving_all([Listening(sock, app)], tls):
        yield


@contextlib.asynccontextmanager
async def serving_all(ports: Sequence[Listening], tls: TlsFiles | None = None) -> AsyncIterator[None]:
    """Serve every port while the block runs; they end together."""
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as running:
        for port in ports:
            running.create_task(_serve(port, tls, ended))
        try:
            yield
        finally:
            ended.set()


async def _serve(port: Listening, tls: TlsFiles | None, ended: asyncio.Event) -> None:
    """Serve one port until `ended` is set and what was in flight then is out."""
    server = _Server(_config(port, tls))
    task = asyncio.create_task(server.serve(sockets=[port.sock]))
    sweeping = asyncio.create_task(sweep_regularly(port.apps[0].lane, server.server_state.connections))
    try:
        await ended.wait()
    finally:
        server.should_exit = True
        try:
            await _told_to_end(server, task)
            await task
        finally:
            sweeping.cancel()  # until now: a request that is never completed must not hold up the end
            for app in port.apps:
                await app.close()


async def _told_to_end(server: _Server, ending: asyncio.Task[None]) -> None:
    """Have every connection end until the server has.

    It tells those that it has when it stops to listen; under load there are some that were accepted by then
    and come to be only after.
    """
    while not ending.done():
        await asyncio.wait([ending], timeout=_TELL_AGAIN_S)
        if not any(each.is_serving() for each in server.servers):
            for connection in list(server.server_state.connections):
                connection.shutdown()


def _config(port: Listening, tls: TlsFiles | None) -> uvicorn.Config:
    return uvicorn.Config(
        port.app,
        http=port.protocol(),  # type: ignore[arg-type]
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
