"""`/__admin/mappings`: the stubs, listed and edited while they are served."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockforge.errors import MockForgeError
from mockforge.model.stub import Stub
from mockforge.server.admin.answers import (
    AdminError,
    as_uuid,
    gently,
    json_answer,
    json_body,
    number,
    object_body,
)
from mockforge.server.admin.context import ADMIN_PREFIX, Admin
from mockforge.server.admin.events import mapping_json
from mockforge.server.admin.incoming import metadata_test, read_mapping
from mockforge.server.admin.saving import forget, save
from mockforge.server.admin.store import StubMapping

__all__ = ["MappingRoutes"]

_PATH = f"{ADMIN_PREFIX}/mappings"
_POLICIES = ("OVERWRITE", "IGNORE")
#: WireMock's code for an id that is another mapping's.
_TAKEN = 109


class MappingRoutes:
    """The handlers; each edit is one step."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._store = admin.store

    def routes(self) -> list[Route]:
        one = f"{_PATH}/{{id}}"
        return [
            Route(_PATH, self.list_all, methods=["GET"]),
            Route(_PATH, self.create, methods=["POST"]),
            Route(_PATH, self.clear, methods=["DELETE"]),
            Route(f"{_PATH}/reset", self.reset, methods=["POST"]),
            Route(f"{_PATH}/save", self.save, methods=["POST"]),
            Route(f"{_PATH}/import", self.import_all, methods=["POST"]),
            Route(f"{_PATH}/edit", self.edit_like, methods=["POST"]),
            Route(f"{_PATH}/remove", self.remove_like, methods=["POST"]),
            Route(f"{_PATH}/find-by-metadata", self.find_by_metadata, methods=["POST"]),
            Route(f"{_PATH}/remove-by-metadata", self.remove_by_metadata, methods=["POST"]),
            Route(f"{_PATH}/unmatched", self.unmatched, methods=["GET"]),
            Route(f"{_PATH}/unmatched", self.remove_unmatched, methods=["DELETE"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.edit, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def list_all(self, request: Request) -> Response:
        mappings = self._store.winners_first()
        total = len(mappings)
        mappings = mappings[number(request, "offset") or 0 :]
        limit = number(request, "limit")
        return await _listed(mappings if limit is None else mappings[:limit], total)

    async def create(self, request: Request) -> Response:
        written = await json_body(request)
        stub, given = read_mapping(written, self._admin.bodies)
        if stub.id is not None and self._store.get(stub.id) is not None:
            what = f"ID of the provided stub mapping '{stub.id}' is already taken by another stub mapping"
            raise AdminError("Duplicate stub mapping ID", code=_TAKEN, detail=what)
        mapping = self._put(stub, given)
        await self._persist([mapping])
        answer = json_answer(mapping_json(mapping), 201)
        answer.headers["Location"] = f"{_PATH}/{mapping.id}"
        return answer

    async def get(self, request: Request) -> Response:
        return json_answer(mapping_json(self._found(request)))

    async def edit_like(self, request: Request) -> Response:
        """The one with the body's id; clients of WireMock's first versions edit so."""
        written = await object_body(request)
        await self._edit(as_uuid(str(written.get("id", written.get("uuid")))), written)
        return Response(status_code=204)

    async def edit(self, request: Request) -> Response:
        mapping_id = as_uuid(request.path_params["id"])
        return json_answer(mapping_json(await self._edit(mapping_id, await object_body(request))))

    async def _edit(self, mapping_id: str, written: Mapping[str, object]) -> StubMapping:
        self._get(mapping_id)
        stub, given = read_mapping({**written, "id": mapping_id}, self._admin.bodies)
        mapping = self._put(stub, given)
        await self._persist([mapping])
        return mapping

    async def delete(self, request: Request) -> Response:
        await self._remove({self._found(request).id})
        return json_answer({})

    async def clear(self, request: Request) -> Response:
        await self._remove({mapping.id for mapping in self._store.oldest_first()})
        return json_answer({})

    async def reset(self, request: Request) -> Response:
        self._store.reset()
        return json_answer({})

    async def save(self, request: Request) -> Response:
        await save(self._admin, self._store.oldest_first())
        return json_answer({})

    async def import_all(self, request: Request) -> Response:
        body = await object_body(request)
        written = body.get("mappings")
        options = body.get("importOptions") or {}
        if not isinstance(written, list) or not isinstance(options, dict):
            raise AdminError("Error parsing JSON", pointer="/mappings", detail="a list of stub mappings")
        policy = options.get("duplicatePolicy") or "OVERWRITE"
        if policy not in _POLICIES:
            detail = f"{policy} is none of {', '.join(_POLICIES)}"
            raise AdminError("Error parsing JSON", pointer="/importOptions/duplicatePolicy", detail=detail)
        read = await gently(written, lambda each: read_mapping(each, self._admin.bodies))
        mappings = self._import(read, ignore=policy == "IGNORE")
        if options.get("deleteAllNotInImport") is True:
            imported = {mapping.id for mapping in mappings}
            await self._remove({each.id for each in self._store.oldest_first()} - imported)
        await self._persist(mappings)
        return json_answer({})

    async def remove_like(self, request: Request) -> Response:
        written = await object_body(request)
        mapping_id = written.get("id", written.get("uuid"))
        if mapping_id is not None:
            await self._remove({as_uuid(str(mapping_id))})
        else:
            wanted = read_mapping(written, self._admin.bodies)[0].request
            alike = (each.id for each in self._store.winners_first() if each.stub.request == wanted)
            await self._remove(set(list(alike)[:1]))
        return json_answer({})

    async def find_by_metadata(self, request: Request) -> Response:
        found = await self._by_metadata(request)
        return await _listed(found, len(found))

    async def remove_by_metadata(self, request: Request) -> Response:
        await self._remove({mapping.id for mapping in await self._by_metadata(request)})
        return json_answer({})

    async def unmatched(self, request: Request) -> Response:
        idle = await self._idle()
        missing = {"requestJournalEvicted": self._admin.journal.missing}
        return await _listed(idle, len(idle), **missing)

    async def remove_unmatched(self, request: Request) -> Response:
        await self._remove({mapping.id for mapping in await self._idle()})
        return json_answer({})

    def _found(self, request: Request) -> StubMapping:
        return self._get(as_uuid(request.path_params["id"]))

    def _get(self, mapping_id: str) -> StubMapping:
        mapping = self._store.get(mapping_id)
        if mapping is None:
            raise AdminError(f"No stub mapping has the id {mapping_id}", 404)
        return mapping

    async def _remove(self, ids: Collection[str]) -> None:
        """Out of the memory at once, and then what saving wrote off the disk."""
        gone = [mapping for key in ids if (mapping := self._store.get(key)) is not None]
        self._store.remove(ids)
        await forget(self._admin, gone)

    def _put(self, stub: Stub, given: dict[str, object]) -> StubMapping:
        try:
            return self._store.put(stub, given)
        except MockForgeError as error:
            raise AdminError.of(error) from None

    def _import(self, read: Iterable[tuple[Stub, dict[str, object]]], *, ignore: bool) -> list[StubMapping]:
        """The mappings that the import names, as they then are; the first of its list is the newest."""
        there = [self._store.get(stub.id) for stub, _ in read if ignore and stub.id is not None]
        kept = [mapping for mapping in there if mapping is not None]
        ids = {mapping.id for mapping in kept}
        new = [each for each in read if each[0].id not in ids]
        try:
            return [*kept, *self._store.put_all(reversed(new))]
        except MockForgeError as error:
            raise AdminError.of(error) from None

    async def _persist(self, mappings: Iterable[StubMapping]) -> None:
        """Save those that say `persistent`."""
        wanted = [
            each for each in mappings if each.given is not None and each.given.get("persistent") is True
        ]
        if wanted:
            await save(self._admin, wanted)

    async def _by_metadata(self, request: Request) -> list[StubMapping]:
        test = metadata_test(await json_body(request))
        mappings = self._store.winners_first()
        passed = await gently(mappings, lambda mapping: test(mapping.stub))
        return [mapping for mapping, hit in zip(mappings, passed, strict=True) if hit]

    async def _idle(self) -> list[StubMapping]:
        """Mappings that no event of the journal is of."""
        events = self._admin.journal.latest()
        answered = await gently(
            events, lambda event: event.stub and self._store.at(event.stub, event.plan.arrived_ns)
        )
        busy = {mapping.id for mapping in cast("list[StubMapping | None]", answered) if mapping}
        return [mapping for mapping in self._store.winners_first() if mapping.id not in busy]


async def _listed(mappings: Iterable[StubMapping], total: int, **more: object) -> Response:
    shown = await gently(mappings, mapping_json)
    return json_answer({"mappings": shown, "meta": {"total": total}, **more})
