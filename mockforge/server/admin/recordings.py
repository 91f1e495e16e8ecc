"""`/__admin/recordings`: stubs made of requests that were passed on, while the mock serves.

WireMock's recorder over the journal: what is to be recorded goes on to an upstream by way of a stub, and what
came back becomes stubs when the recording stops. Timings are kept by `mockforge record`, not here.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockforge.errors import MockForgeError
from mockforge.server.admin.answers import AdminError, gently, json_answer, object_body
from mockforge.server.admin.context import ADMIN_PREFIX, Admin
from mockforge.server.admin.events import mapping_json
from mockforge.server.admin.incoming import read_mapping
from mockforge.server.admin.record_spec import RecordSpec, read_record_spec
from mockforge.server.admin.saving import save
from mockforge.server.admin.snapshot import Snapshot, is_wanted, snapshot
from mockforge.server.admin.store import StubMapping

__all__ = ["RecordingRoutes"]

_PATH = f"{ADMIN_PREFIX}/recordings"
#: WireMock's code for it.
_NOT_RECORDING = 30


class RecordingRoutes:
    """The handlers, and the recording that is under way."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._status = "NeverStarted"
        self._spec = RecordSpec()
        #: The first event of the recording, and the stub that passes requests on.
        self._from = 0
        self._stub_id: str | None = None

    def routes(self) -> list[Route]:
        return [
            Route(f"{_PATH}/status", self.status, methods=["GET"]),
            Route(f"{_PATH}/start", self.start, methods=["POST"]),
            Route(f"{_PATH}/stop", self.stop, methods=["POST"]),
            Route(f"{_PATH}/snapshot", self.snapshot, methods=["POST"]),
        ]

    async def status(self, request: Request) -> Response:
        return json_answer({"status": self._status})

    async def start(self, request: Request) -> Response:
        spec = await self._spec_of(request)
        if self._status == "Recording":
            return json_answer({})
        if spec.target is not None:
            proxy = {"request": {"method": "ANY"}, "response": {"proxyBaseUrl": str(spec.target)}}
            try:
                self._stub_id = self._admin.store.put(*read_mapping(proxy, self._admin.bodies)).id
            except MockForgeError as error:
                raise AdminError.of(error) from None
        self._spec = spec
        self._from = self._admin.journal.served
        self._status = "Recording"
        return json_answer({})

    async def stop(self, request: Request) -> Response:
        if self._status != "Recording":
            raise AdminError("Not currently recording.", 400, code=_NOT_RECORDING)
        self._status = "Stopped"
        if self._stub_id is not None:
            self._admin.store.remove({self._stub_id})
            self._stub_id = None
        return await self._take(self._spec, self._from)

    async def snapshot(self, request: Request) -> Response:
        return await self._take(await self._spec_of(request), 0)

    async def _spec_of(self, request: Request) -> RecordSpec:
        """What the client asks for; AdminError where that cannot be done, before anything is."""
        spec = read_record_spec(await object_body(request))
        if spec.persist and self._admin.folder is None:
            detail = "say persist: false, or start it as mockforge serve FOLDER"
            raise AdminError("Recorded stubs cannot be saved", 501, code=50, detail=detail)
        return spec

    async def _take(self, spec: RecordSpec, first: int) -> Response:
        """Stubs of the journal's events from the one of number `first` on, which are served from now on."""
        entries = [entry for entry in self._admin.journal.entries() if entry.number >= first]
        wanted = await gently(entries, lambda entry: is_wanted(entry, spec))
        if self._admin.options.stubs is None:  # there is no folder for body files
            spec = replace(spec, thresholds=RecordSpec().thresholds)
        taken = snapshot((entry for entry, hit in zip(entries, wanted, strict=True) if hit), spec)
        persist = spec.persist if spec.persist is not None else self._admin.folder is not None
        if persist:
            for mapping in taken.mappings:
                mapping["persistent"] = True
        await self._write_files(taken)
        made = self._serve(taken)
        if persist and made:
            await save(self._admin, made)
        missing = self._admin.journal.missing_since(first)
        said = {"requestJournalEvicted": missing} if missing else {}
        if spec.only_ids:
            return json_answer({"ids": [mapping["id"] for mapping in taken.mappings], **said})
        shown = [mapping_json(mapping) for mapping in reversed(made)]
        return json_answer({"mappings": shown, **said})

    def _serve(self, taken: Snapshot) -> list[StubMapping]:
        """Enter the stubs, the newest event's last, so that it goes first; oldest first as they then are."""
        read = [read_mapping(mapping, self._admin.bodies) for mapping in reversed(taken.mappings)]
        try:
            return self._admin.store.put_all(read) if read else []
        except MockForgeError as error:
            raise AdminError.of(error) from None

    async def _write_files(self, taken: Snapshot) -> None:
        try:
            await asyncio.to_thread(_write_all, self._admin.bodies.root, taken)
        except OSError as error:
            raise AdminError(
                f"{self._admin.bodies.root} cannot be used: {error.strerror}", 500, code=50
            ) from None


def _write_all(root: Path, taken: Snapshot) -> None:
    for name, body in taken.files.items():
        root.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(body)
