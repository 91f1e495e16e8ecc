"""`/__admin/recordings`: says that recording is a command of its own here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockforge.server.admin.answers import AdminError, json_answer
from mockforge.server.admin.context import ADMIN_PREFIX

__all__ = ["recording_routes"]

_PATH = f"{ADMIN_PREFIX}/recordings"
#: WireMock's code for it.
_NOT_RECORDING = 30


def recording_routes() -> list[Route]:
    return [
        Route(f"{_PATH}/status", _status, methods=["GET"]),
        Route(f"{_PATH}/stop", _stop, methods=["POST"]),
        Route(f"{_PATH}/start", _not_here, methods=["POST"]),
        Route(f"{_PATH}/snapshot", _not_here, methods=["POST"]),
    ]


async def _status(request: Request) -> Response:
    return json_answer({"status": "NeverStarted"})


async def _stop(request: Request) -> Response:
    raise AdminError("Not currently recording.", 400, code=_NOT_RECORDING)


async def _not_here(request: Request) -> Response:
    raise AdminError(
        "A mock that serves does not record",
        501,
        code=50,
        detail="mockforge record --target URL records, and mockforge learn makes stubs of the recording",
    )
