"""The admin application: every route, who may call it, and what its errors look like."""

from __future__ import annotations

import hmac

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockforge import __version__
from mockforge.server.admin.answers import AdminError, json_answer
from mockforge.server.admin.context import ADMIN_PREFIX, Admin, AsgiApp, Receive, Scope, Send
from mockforge.server.admin.files import FileRoutes
from mockforge.server.admin.mappings import MappingRoutes
from mockforge.server.admin.recordings import RecordingRoutes
from mockforge.server.admin.requests import RequestRoutes
from mockforge.server.admin.scenarios import ScenarioRoutes
from mockforge.server.admin.services import ServiceRoutes
from mockforge.server.admin.settings import SettingRoutes, apply_settings
from mockforge.server.callbacks import Callbacks
from mockforge.server.stations import PoolFigures

__all__ = ["admin_app", "admin_routes"]

_HEALTH = f"{ADMIN_PREFIX}/health"


def admin_app(admin: Admin) -> AsgiApp:
    """The application; where there is a token, all but health wants it."""
    app = Starlette(
        routes=admin_routes(admin),
        exception_handlers={AdminError: _problem, HTTPException: _http_problem},  # type: ignore[dict-item]
    )
    return app if admin.options.token is None else _Guard(app, admin.options.token)


def admin_routes(admin: Admin) -> list[Route]:
    """Every route of the admin API."""
    process = _Process(admin)
    return [
        Route(_HEALTH, process.health, methods=["GET"]),
        Route(f"{ADMIN_PREFIX}/version", process.version, methods=["GET"]),
        Route(f"{ADMIN_PREFIX}/metrics", process.metrics, methods=["GET"]),
        Route(f"{ADMIN_PREFIX}/reset", process.reset, methods=["POST"]),
        Route(f"{ADMIN_PREFIX}/shutdown", process.shutdown, methods=["POST"]),
        *MappingRoutes(admin).routes(),
        *RequestRoutes(admin).routes(),
        *ScenarioRoutes(admin).routes(),
        *SettingRoutes(admin).routes(),
        *FileRoutes(admin).routes(),
        *RecordingRoutes(admin).routes(),
        *ServiceRoutes(admin).routes(),
    ]


class _Guard:
    """Lets callers in that know the token: `Authorization: Token ...`."""

    def __init__(self, app: AsgiApp, token: str) -> None:
        self._app = app
        self._wanted = f"Token {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if scope["path"] == _HEALTH or hmac.compare_digest(given, self._wanted):
            await self._app(scope, receive, send)
            return
        answer = AdminError("The admin API wants a token: Authorization: Token ...", 401).answer()
        answer.headers["WWW-Authenticate"] = "Token"
        await answer(scope, receive, send)


class _Process:
    """What is about the whole service."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    async def health(self, request: Request) -> Response:
        return json_answer({"status": "healthy", "version": __version__})

    async def version(self, request: Request) -> Response:
        return json_answer({"version": __version__})

    async def metrics(self, request: Request) -> Response:
        lane, journal = self._admin.lane, self._admin.journal
        lateness = journal.lateness.total_ms
        return json_answer(
            {
                "service": lane.engine.service.name,
                "stubs": len(self._admin.store),
                "served": journal.served,
                "unmatched": journal.unmatched,
                "callersLeft": journal.callers_left,
                "faults": dict(sorted(journal.faults.items())),
                "lateWindows": journal.lateness.late_windows,
                "latenessMilliseconds": {
                    "p50": lateness.quantile(0.5),
                    "p99": lateness.quantile(0.99),
                    "max": lateness.maximum,
                }
                if lateness.count
                else None,
                "callbacks": _callbacks(lane.callbacks),
                "pools": {pool.name: _described(pool) for pool in lane.stations.figures()},
            }
        )

    async def reset(self, request: Request) -> Response:
        """The files' stubs, an empty journal, no settings, every scenario at its start."""
        self._admin.store.reset()
        self._admin.journal.clear()
        apply_settings(self._admin, {})
        self._admin.lane.engine.memory.reset()
        return json_answer({})

    async def shutdown(self, request: Request) -> Response:
        end = self._admin.options.shutdown
        if end is None:
            raise AdminError("This server is not the API's to end", 501, code=50)
        answer = json_answer({})
        answer.background = BackgroundTask(end)
        return answer


async def _problem(request: Request, error: AdminError) -> Response:
    return error.answer()


async def _http_problem(request: Request, error: HTTPException) -> Response:
    where = f"{request.method} {request.url.path}"
    return AdminError(f"{where}: {error.detail}", error.status_code).answer()


def _callbacks(callbacks: Callbacks) -> dict[str, int]:
    return {
        "made": callbacks.made,
        "failed": callbacks.failed,
        "dropped": callbacks.dropped,
        "waiting": callbacks.waiting,
    }


def _described(pool: PoolFigures) -> dict[str, object]:
    counts = pool.counts
    return {
        "inFlight": pool.in_flight,
        "waiting": pool.waiting,
        "refused": {"queueFull": counts.queue_full, "rateLimit": counts.rate_limited},
        "timedOut": counts.timed_out,
        "beyondRecorded": counts.beyond_recorded,
    }
