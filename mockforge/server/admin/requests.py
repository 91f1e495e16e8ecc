"""`/__admin/requests` and `/__admin/near-misses`: what was asked, what nearly matched, and how often."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockforge.matching.request import RequestMatcher
from mockforge.model.request import RequestView
from mockforge.server.admin.answers import (
    AdminError,
    as_uuid,
    flag,
    gently,
    json_answer,
    json_body,
    number,
    object_body,
)
from mockforge.server.admin.context import ADMIN_PREFIX, Admin
from mockforge.server.admin.events import event_json, mapping_json, request_json
from mockforge.server.admin.incoming import matcher_of, metadata_test, request_of
from mockforge.server.admin.store import StubMapping
from mockforge.state.journal import Entry

__all__ = ["RequestRoutes"]

_PATH = f"{ADMIN_PREFIX}/requests"
_NEAR = f"{ADMIN_PREFIX}/near-misses"
_MOST_NEAR = 3
_TITLE_OF_STUB = "Query parameter matchingStub value '{}' is not a valid UUID"


class RequestRoutes:
    """The handlers. Answers say how many events are missing, as the journal is bounded."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._journal = admin.journal
        self._store = admin.store

    def routes(self) -> list[Route]:
        one = f"{_PATH}/{{id}}"
        return [
            Route(_PATH, self.list_all, methods=["GET"]),
            Route(_PATH, self.clear, methods=["DELETE"]),
            Route(f"{_PATH}/reset", self.clear, methods=["POST"]),
            Route(f"{_PATH}/count", self.count, methods=["POST"]),
            Route(f"{_PATH}/find", self.find, methods=["POST"]),
            Route(f"{_PATH}/remove", self.remove, methods=["POST"]),
            Route(f"{_PATH}/remove-by-metadata", self.remove_by_metadata, methods=["POST"]),
            Route(f"{_PATH}/unmatched", self.unmatched, methods=["GET"]),
            Route(f"{_PATH}/unmatched/near-misses", self.unmatched_near, methods=["GET"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{_NEAR}/request", self.near_request, methods=["POST"]),
            Route(f"{_NEAR}/request-pattern", self.near_pattern, methods=["POST"]),
        ]

    async def list_all(self, request: Request) -> Response:
        since_ns = _since_ns(request.query_params.get("since"))
        limit = number(request, "limit")
        of_stub = request.query_params.get("matchingStub")
        stub_id = None if of_stub is None else as_uuid(of_stub, _TITLE_OF_STUB)
        unmatched = flag(request, "unmatched")
        entries = [
            entry
            for entry in reversed(self._journal.entries())
            if entry.event.wall_ns >= since_ns and not (unmatched and entry.event.stub is not None)
        ]
        if stub_id is not None:
            entries = [entry for entry in entries if self._id_of_stub(entry) == stub_id]
        shown = await gently(entries if limit is None else entries[:limit], self._shown)
        return json_answer({"requests": shown, "meta": {"total": len(entries)}, **self._completeness()})

    async def clear(self, request: Request) -> Response:
        self._journal.clear()
        return json_answer({})

    async def get(self, request: Request) -> Response:
        entry = self._journal.find(as_uuid(request.path_params["id"]))
        if entry is None:
            raise AdminError(f"No serve event has the id {request.path_params['id']}", 404)
        return json_answer(self._shown(entry, whole=True))

    async def delete(self, request: Request) -> Response:
        entry = self._journal.find(as_uuid(request.path_params["id"]))
        if entry is not None:
            self._journal.remove([entry.number])
        return json_answer({})

    async def count(self, request: Request) -> Response:
        found = await self._matching(await json_body(request))
        return json_answer({"count": len(found), **self._completeness()})

    async def find(self, request: Request) -> Response:
        return await self._requests(await self._matching(await json_body(request)))

    async def remove(self, request: Request) -> Response:
        return await self._removed(await self._matching(await json_body(request)))

    async def remove_by_metadata(self, request: Request) -> Response:
        test = metadata_test(await json_body(request))
        return await self._removed(await self._entries(lambda entry: self._stub_passes(entry, test)))

    async def unmatched(self, request: Request) -> Response:
        return await self._requests([each for each in self._journal.entries() if each.event.stub is None])

    async def unmatched_near(self, request: Request) -> Response:
        missed = [entry for entry in self._journal.entries() if entry.event.stub is None]
        near = await gently(
            missed,
            lambda entry: self._nearest_stubs(
                entry.event.request, request_json(entry.event.request, entry.event.wall_ns, whole=False)
            ),
        )
        misses = [miss for each in near for miss in each]
        return json_answer({"nearMisses": misses, **self._completeness()})

    async def near_request(self, request: Request) -> Response:
        written = await object_body(request)
        return json_answer({"nearMisses": self._nearest_stubs(request_of(written), written)})

    async def near_pattern(self, request: Request) -> Response:
        pattern = await object_body(request)
        matcher = matcher_of(pattern)
        entries = self._journal.entries()
        distances = await gently(entries, lambda entry: matcher.compare(entry.event.request).distance)
        near = heapq.nsmallest(_MOST_NEAR, zip(distances, entries, strict=True), key=lambda pair: pair[0])
        return json_answer(
            {
                "nearMisses": [
                    {
                        "request": request_json(entry.event.request, entry.event.wall_ns, whole=False),
                        "requestPattern": pattern,
                        "matchResult": {"distance": distance},
                    }
                    for distance, entry in near
                ],
                **self._completeness(),
            }
        )

    def _nearest_stubs(self, request: RequestView, shown: object) -> Sequence[dict[str, object]]:
        near = []
        for miss in self._admin.lane.engine.near_misses(request):
            mapping = self._store.named(miss.stub)
            if mapping is not None:
                distance = {"distance": miss.result.distance}
                stub = mapping_json(mapping)
                near.append({"request": shown, "stubMapping": stub, "matchResult": distance})
        return near

    async def _matching(self, pattern: object) -> Sequence[Entry]:
        matcher: RequestMatcher = matcher_of(pattern)
        return await self._entries(lambda entry: matcher.matches(entry.event.request))

    async def _entries(self, test: Callable[[Entry], bool]) -> Sequence[Entry]:
        """The entries that pass, oldest first."""
        entries = self._journal.entries()
        passed = await gently(entries, test)
        return [entry for entry, hit in zip(entries, passed, strict=True) if hit]

    async def _requests(self, entries: Iterable[Entry]) -> Response:
        shown = await gently(
            entries, lambda entry: request_json(entry.event.request, entry.event.wall_ns, whole=False)
        )
        return json_answer({"requests": shown, **self._completeness()})

    async def _removed(self, entries: Sequence[Entry]) -> Response:
        self._journal.remove([entry.number for entry in entries])
        return json_answer({"serveEvents": await gently(entries, self._shown), **self._completeness()})

    def _shown(self, entry: Entry, *, whole: bool = False) -> dict[str, object]:
        notes = self._journal.notes(entry.number)
        return event_json(entry.id, entry.event, self._mapping_of(entry), notes, whole=whole)

    def _mapping_of(self, entry: Entry) -> StubMapping | None:
        event = entry.event
        return None if event.stub is None else self._store.at(event.stub, event.plan.arrived_ns)

    def _id_of_stub(self, entry: Entry) -> str | None:
        mapping = self._mapping_of(entry)
        return None if mapping is None else mapping.id

    def _stub_passes(self, entry: Entry, test: Callable[..., bool]) -> bool:
        mapping = self._mapping_of(entry)
        return mapping is not None and test(mapping.stub)

    def _completeness(self) -> dict[str, object]:
        """Whether the journal is on, which it always is, and how many events it had to let go."""
        return {"requestJournalDisabled": False, "requestJournalEvicted": self._journal.missing}


def _since_ns(text: str | None) -> int:
    """A moment in ISO 8601 as nanoseconds; without a zone it is UTC."""
    if text is None:
        return 0
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise AdminError(f"{text} is not a valid ISO8601 date", 400, pointer="since") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000) * 1_000
