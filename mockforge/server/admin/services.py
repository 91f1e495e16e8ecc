"""`/__admin/services`: the services of the process, and the admin API of each of them from any one's port.

`/__admin/services/NAME/...` is `/__admin/...` of the service NAME, so that a client's base URL may end there.
`/__admin/services/*/...` asks every one of them.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockforge.server.admin.answers import AdminError, json_answer
from mockforge.server.admin.context import ADMIN_PREFIX, Admin, Receive, Scope, Send, ServedService

__all__ = ["ServiceRoutes"]

_PATH = f"{ADMIN_PREFIX}/services"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
#: What a request's scope is made of; the rest is what routing added.
_OF_A_REQUEST = (
    *("type", "asgi", "http_version", "method", "scheme", "query_string", "headers", "client", "server"),
    *("state", "root_path"),
)

Message = MutableMapping[str, Any]


class ServiceRoutes:
    """The handlers."""

    def __init__(self, admin: Admin) -> None:
        self._services = admin.options.services

    def routes(self) -> list[Route]:
        return [
            Route(_PATH, self.list_all, methods=["GET"]),
            Route(f"{_PATH}/{{name}}", self.get, methods=["GET"]),
            Route(f"{_PATH}/*/{{rest:path}}", self.ask_all, methods=_METHODS),
            Route(f"{_PATH}/{{name}}/{{rest:path}}", self.ask, methods=_METHODS),
        ]

    async def list_all(self, request: Request) -> Response:
        shown = [_shown(service) for service in self._services]
        return json_answer({"services": shown, "meta": {"total": len(shown)}})

    async def get(self, request: Request) -> Response:
        return json_answer(_shown(self._named(request)))

    async def ask(self, request: Request) -> Response:
        return _Asked(self._named(request))

    async def ask_all(self, request: Request) -> Response:
        """Each one's status and body; the status is 200 where all are below 400, else the highest."""
        body = await request.body()
        answers = {service.name: await _ask(service, request.scope, body) for service in self._services}
        worst = max(int(str(answer["status"])) for answer in answers.values())
        return json_answer({"services": answers}, worst if worst >= 400 else 200)

    def _named(self, request: Request) -> ServedService:
        name = request.path_params["name"]
        found = next((service for service in self._services if service.name == name), None)
        if found is None:
            known = ", ".join(service.name for service in self._services)
            raise AdminError(f"No service is called {name}", 404, detail=f"known: {known}")
        return found


class _Asked(Response):
    """The answer of a service's own admin API to the same request."""

    def __init__(self, service: ServedService) -> None:
        super().__init__()
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._service.app.admin(_scope_of(scope), receive, send)


async def _ask(service: ServedService, scope: Scope, body: bytes) -> dict[str, object]:
    """Status and body of what a service's own admin API answers."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await service.app.admin(_scope_of(scope), receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        value = content.decode("utf-8", "replace")
    return {"status": sent[0]["status"], "body": value}


def _scope_of(scope: Scope) -> Scope:
    """The request as the service's own port would have it."""
    path = f"{ADMIN_PREFIX}/{scope['path_params']['rest']}"
    own = {key: value for key, value in scope.items() if key in _OF_A_REQUEST}
    return {**own, "path": path, "raw_path": quote(path).encode()}


def _shown(service: ServedService) -> dict[str, object]:
    lane = service.app.lane
    return {
        "name": service.name,
        "url": service.url,
        "host": service.host,
        "admin": f"{_PATH}/{service.name}",
        "seed": service.seed,
        "stubs": len(service.app.stubs),
        "served": lane.journal.served,
        "unmatched": lane.journal.unmatched,
        "inFlight": lane.in_flight,
    }
