"""Opening connections to the target, with the time that TCP and TLS took, each for itself."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

from mockforge.targets import Target

__all__ = ["CONNECT_TIMEOUT_S", "Connector", "PhaseError"]

#: A connection that takes longer than this to open counts as `connect: timeout`, in seconds.
CONNECT_TIMEOUT_S = 30.0

_Side = TypeVar("_Side", bound=asyncio.Protocol)


class PhaseError(Exception):
    """No connection: the `phase` that failed, `connect` or `tls`; the cause is the error's."""

    def __init__(self, phase: str, cause: BaseException) -> None:
        self.phase = phase
        self.cause = cause
        super().__init__(f"{phase}: {cause}")


class Connector:
    """Opens connections to `target`; `tls` is None for a plain one."""

    def __init__(self, target: Target, tls: ssl.SSLContext | None, now_ns: Callable[[], int]) -> None:
        self._target = target
        self._tls = tls
        self._now_ns = now_ns
        self._known = _as_address(target)

    async def open(self, factory: Callable[[], _Side]) -> tuple[_Side, int, int | None]:
        """A connected protocol of `factory`'s, and how long TCP (looking the name up included) and TLS took.

        The times are nanoseconds, TLS's None for a plain connection. Raises PhaseError.
        """
        loop = asyncio.get_running_loop()
        phase = "connect"
        sock: socket.socket | None = None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                begun_ns = self._now_ns()
                sock = await self._tcp(loop)
                connected_ns = self._now_ns()
                phase = "tls" if self._tls else phase
                name = self._target.host if self._tls else None
                handed, sock = sock, None  # the loop closes it from here on, whatever happens
                _, side = await loop.create_connection(
                    factory, sock=handed, ssl=self._tls, server_hostname=name
                )
        except BaseException as error:
            if sock is not None:
                sock.close()
            # TimeoutError is an OSError; a name that cannot be one is a UnicodeError.
            if isinstance(error, OSError | UnicodeError):
                raise PhaseError(phase, error) from error
            raise
        tls_ns = self._now_ns() - connected_ns if self._tls else None
        return side, connected_ns - begun_ns, tls_ns

    async def _tcp(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        """A socket connected to the first of the target's addresses that accepts. Raises OSError."""
        addresses = self._known or await loop.getaddrinfo(
            self._target.host, self._target.port, type=socket.SOCK_STREAM
        )
        failed: OSError | None = None
        for family, kind, protocol, _, address in addresses:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setblocking(False)
                await loop.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                failed = failed or error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failed or OSError("the name has no address")


def _as_address(target: Target) -> list[Any]:
    """The target's address where its host is written as one: there is nothing to look up then."""
    try:
        ipaddress.ip_address(target.host)
    except ValueError:
        return []
    return socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
