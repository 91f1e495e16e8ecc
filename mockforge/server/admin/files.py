"""`/__admin/files`: the body files under `__files/`, and nothing outside of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockforge.errors import MockForgeError
from mockforge.server.admin.answers import AdminError, json_answer
from mockforge.server.admin.context import ADMIN_PREFIX, Admin
from mockforge.server.admin.incoming import read_mapping
from mockforge.stubfiles.folder import BODIES, is_confined

__all__ = ["FileRoutes"]

_PATH = f"{ADMIN_PREFIX}/files"

Result = TypeVar("Result")


class FileRoutes:
    """The handlers; a file that is written is served by the stubs that name it, from the answer on."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def routes(self) -> list[Route]:
        one = f"{_PATH}/{{name:path}}"
        return [
            Route(_PATH, self.list_all, methods=["GET"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.write, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return json_answer(await _on_disk(lambda: _names(self._root())))

    async def get(self, request: Request) -> Response:
        path = self._path(request)
        content = await _on_disk(lambda: path.read_bytes() if path.is_file() else None)
        if content is None:
            raise _missing(request)
        return Response(content, media_type="application/octet-stream")

    async def write(self, request: Request) -> Response:
        path, content = self._path(request), await request.body()
        await _on_disk(lambda: _write(path, content))
        self._serve_again(request.path_params["name"])
        return json_answer({})

    async def delete(self, request: Request) -> Response:
        path = self._path(request)
        if not await _on_disk(lambda: _delete(path)):
            raise _missing(request)
        return json_answer({})

    def _root(self) -> Path:
        if self._admin.options.stubs is None:
            raise AdminError("This service has no folder of files", 501, code=50)
        return self._admin.bodies.root

    def _path(self, request: Request) -> Path:
        """The file of the request's name; AdminError where that leads out of the folder."""
        root, name = self._root(), str(request.path_params["name"])
        path = root / name
        if not is_confined(name) or not path.resolve().is_relative_to(root.resolve()):
            raise AdminError(f"{name!r} leads out of {BODIES}/", 403)
        return path

    def _serve_again(self, name: str) -> None:
        """Stubs of the API that send the file; those of files are read again when their folder changes."""
        store = self._admin.store
        for mapping in store.oldest_first():
            bodies = (each.body for each in mapping.stub.responses if each.body is not None)
            named = any(body.kind == "bodyFileName" and body.value == name for body in bodies)
            if named and mapping.given is not None:
                stub, given = read_mapping({**mapping.given, "id": mapping.id}, self._admin.bodies)
                try:
                    store.put(stub, given)
                except MockForgeError as error:
                    raise AdminError.of(error) from None


async def _on_disk(work: Callable[[], Result]) -> Result:
    """Away from the event loop, which serves meanwhile; what the disk refuses is a problem of one line."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise AdminError(f"{BODIES}/ cannot be used: {error.strerror}", 500, code=50) from None


def _names(root: Path) -> list[str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return sorted(path.relative_to(root).as_posix() for path in files)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _delete(path: Path) -> bool:
    if not path.is_file():
        return False
    path.unlink()
    return True


def _missing(request: Request) -> AdminError:
    return AdminError(f"{BODIES}/ has no file {request.path_params['name']!r}", 404)
