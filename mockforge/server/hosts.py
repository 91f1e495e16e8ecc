"""Several services on one port, told apart by the host that each request names.

A connection is one service's at a time. A request for another one moves it there, which it can where nothing
is owed on it; else, and where no service has that host, the request is misdirected (421, RFC 9110 §15.5.20).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from mockforge.server.admin import ADMIN_PREFIX
from mockforge.server.admin.answers import AdminError
from mockforge.server.admin.context import Receive, Scope, Send
from mockforge.server.app import MockApp
from mockforge.server.protocol import FastLaneProtocol
from mockforge.server.reading import RefusedError

__all__ = ["Hosts", "SharedPortProtocol"]

_MISDIRECTED = 421
#: Admin paths that are about no service, and are answered whatever host is named.
_ABOUT_ALL = tuple(f"{ADMIN_PREFIX}/{name}" for name in ("services", "health", "version", "shutdown"))


class Hosts:
    """The services of one port by host: a name, `*.` and what names end in, or None for all others.

    It is the ASGI application of the port too.
    """

    def __init__(self, apps: Mapping[str | None, MockApp]) -> None:
        self._apps = dict(apps)
        self._endings = sorted(
            (host[1:] for host in apps if host is not None and host.startswith("*.")), key=len, reverse=True
        )

    @property
    def apps(self) -> list[MockApp]:
        return list(self._apps.values())

    def find(self, fields: Iterable[tuple[bytes, bytes]]) -> MockApp | None:
        """Whose a request with these header fields is; the longest ending wins."""
        host = _host(fields)
        found = self._apps.get(host)
        if found is None:
            ending = next((each for each in self._endings if host.endswith(each)), None)
            found = self._apps.get(None if ending is None else f"*{ending}")
        return found

    def refusal(self, fields: Iterable[tuple[bytes, bytes]]) -> str:
        """What to say where none is found."""
        known = ", ".join(host for host in self._apps if host is not None)
        return f"No service of this port has the host {_host(fields)!r}; known: {known}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.find(scope.get("headers", ()))
        if app is None and scope["path"].startswith(_ABOUT_ALL):
            app = self.apps[0]
        if app is None:
            answer = AdminError(self.refusal(scope["headers"]), _MISDIRECTED).answer()
            await answer(scope, receive, send)
        else:
            await app(scope, receive, send)


class SharedPortProtocol(FastLaneProtocol):
    """A connection to a port of several services."""

    __slots__ = ("_hosts",)

    def __init__(
        self,
        hosts: Hosts,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(hosts.apps[0].lane, config, server_state, app_state, _loop)
        self._hosts = hosts

    def on_message_complete(self) -> None:
        app = self._hosts.find(self.headers)
        if app is not None and app.lane is not self._lane:
            if self._out.owed:
                raise RefusedError(_MISDIRECTED, "A request for another host, while answers are owed")
            self._lane = app.lane
            self._known = app.lane.known
            self._out.move_to(app.lane)
        elif app is None and not self.url.startswith(ADMIN_PREFIX.encode()):
            raise RefusedError(_MISDIRECTED, self._hosts.refusal(self.headers))
        super().on_message_complete()


def _host(fields: Iterable[tuple[bytes, bytes]]) -> str:
    """The host that the fields name, without a port."""
    field = next((value for name, value in fields if name.lower() == b"host"), b"")
    host, colon, port = field.decode("latin-1").lower().rpartition(":")
    return (host if colon and port.isdecimal() else f"{host}{colon}{port}").rstrip(".")
