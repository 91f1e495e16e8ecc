"""The admin API, under `/__admin`."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mockforge import __version__
from mockforge.engine import Engine
from mockforge.server.stations import PoolFigures, Stations
from mockforge.state.journal import Journal

__all__ = ["ADMIN_PREFIX", "admin_app"]

ADMIN_PREFIX = "/__admin"


def admin_app(engine: Engine, journal: Journal, stations: Stations) -> Starlette:
    """Health, for whoever watches over the process, and what has been served."""

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"status": "healthy", "version": __version__})

    async def metrics(request: Request) -> JSONResponse:
        lateness = journal.lateness.total_ms
        return JSONResponse(
            {
                "service": engine.service.name,
                "stubs": len(engine.service.stubs),
                "served": journal.served,
                "unmatched": journal.unmatched,
                "callersLeft": journal.callers_left,
                "lateWindows": journal.lateness.late_windows,
                "latenessMilliseconds": {
                    "p50": lateness.quantile(0.5),
                    "p99": lateness.quantile(0.99),
                    "max": lateness.maximum,
                }
                if lateness.count
                else None,
                "pools": {pool.name: _described(pool) for pool in stations.figures()},
            }
        )

    return Starlette(
        routes=[Route(f"{ADMIN_PREFIX}/health", health), Route(f"{ADMIN_PREFIX}/metrics", metrics)]
    )


def _described(pool: PoolFigures) -> dict[str, object]:
    counts = pool.counts
    return {
        "inFlight": pool.in_flight,
        "waiting": pool.waiting,
        "refused": {"queueFull": counts.queue_full, "rateLimit": counts.rate_limited},
        "beyondRecorded": counts.beyond_recorded,
    }
