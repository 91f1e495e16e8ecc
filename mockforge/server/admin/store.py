"""The stubs of a running service: those of its files, and those that came over the admin API.

An edit is compiled before anything changes, and then swapped in one step on the event loop that also
decides: no request sees half of it. What did not change is not compiled again, and one stub more goes into
the index that is there. Under a capacity everything is compiled anew, as the pools are the service's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4, uuid5

from mockforge.engine import CompiledService, Engine, compile_service
from mockforge.matching.request import RequestMatcher
from mockforge.model.headers import Headers
from mockforge.model.service import Service
from mockforge.model.stub import DelayDistribution, Stub
from mockforge.server.loops import OwnAddress

__all__ = ["GlobalDelay", "StubMapping", "StubStore"]

#: Ids of stubs whose file gives none: the same name has the same id, run after run.
_NAMESPACE = UUID("6d6f636b-666f-5267-8000-000000000000")
#: Names of removed stubs that are remembered, so that what they answered can still be told.
_MOST_REMOVED = 10_000
_MOST_VERSIONS = 16


@dataclass(frozen=True, slots=True)
class StubMapping:
    """A stub with its UUID; `given` is what a client of the admin API wrote, None where a file did."""

    id: str
    stub: Stub
    given: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class GlobalDelay:
    """What delays every stub that says nothing itself."""

    fixed_ms: float | None = None
    distribution: DelayDistribution | None = None

    def given_to(self, stub: Stub) -> Stub:
        if self.fixed_ms is None and self.distribution is None:
            return stub
        responses = tuple(
            replace(
                response,
                fixed_delay_ms=self.fixed_ms if response.fixed_delay_ms is None else response.fixed_delay_ms,
                delay=response.delay or self.distribution,
            )
            for response in stub.responses
        )
        return replace(stub, responses=responses)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """What a mapping was compiled to; `entry` is the engine's own."""

    mapping: StubMapping
    stub: Stub
    matcher: RequestMatcher
    entry: Any


class StubStore:
    """Keeps the mappings in the order in which they were made, and the engine in step with them.

    Not thread-safe: the event loop that owns the engine owns it too. `now_ns` is the clock that requests'
    arrivals are stamped by.
    """

    def __init__(self, engine: Engine, now_ns: Callable[[], int]) -> None:
        self._own_address: OwnAddress | None = None
        self._engine = engine
        self._history = _History(now_ns)
        self._delay = GlobalDelay()
        self._live: dict[str, StubMapping] = {}
        self._names: dict[str, str] = {}
        #: From which number on a repeated name may be free.
        self._again: dict[str, int] = {}
        self._compiled: dict[str, _Compiled] = {}
        #: What the engine has from here; None while it has what it was started with.
        self._current: CompiledService | None = None
        self._files = _by_id(engine.service.stubs)
        self._settle(dict(self._files))

    def __len__(self) -> int:
        return len(self._live)

    def stay_away_from(self, own: OwnAddress) -> None:
        """Refuse stubs, those that are there included, that pass requests on to where the service listens."""
        own.refuse_loops(mapping.stub for mapping in self._live.values())
        self._own_address = own

    def get(self, mapping_id: str) -> StubMapping | None:
        return self._live.get(mapping_id)

    def named(self, name: str) -> StubMapping | None:
        """The mapping whose stub has this name now."""
        mapping_id = self._names.get(name)
        return None if mapping_id is None else self._live[mapping_id]

    def at(self, name: str, arrived_ns: int) -> StubMapping | None:
        """The mapping whose stub had this name when a request arrived; None where that is forgotten."""
        return self._history.at(name, arrived_ns)

    def oldest_first(self) -> list[StubMapping]:
        """All mappings as they were made."""
        return list(self._live.values())

    def winners_first(self) -> list[StubMapping]:
        """All mappings by priority, among equals the newest first."""
        newest_first = list(self._live.values())[::-1]
        return sorted(newest_first, key=lambda mapping: mapping.stub.priority)

    def in_files(self) -> Mapping[str, StubMapping]:
        """What the files hold, by id, whatever was edited since."""
        return self._files

    def matchers(self) -> Iterator[tuple[str, RequestMatcher]]:
        """Every stub's name and matcher, for near misses."""
        if self._current is None:
            self._swap(self._live, self._engine.service)
        assert self._current is not None
        return self._current.matchers()

    def put(self, stub: Stub, given: Mapping[str, object]) -> StubMapping:
        """Enter a new stub, or edit the one with its id in its place; StubFileError changes nothing."""
        self._refuse_loops((stub,))
        mapping_id = stub.id or str(uuid4())
        service = self._engine.service
        pooled = bool(service.pools) or service.capacity is not None
        if self._current is None or mapping_id in self._live or pooled:
            return self.put_all([(replace(stub, id=mapping_id), given)])[0]
        name = self._free_name(stub.name, self._names)
        mapping = StubMapping(mapping_id, replace(stub, id=mapping_id, name=name), given)
        self._append(mapping)
        return mapping

    def put_all(self, stubs: Iterable[tuple[Stub, Mapping[str, object]]]) -> list[StubMapping]:
        """Enter or edit several in one step, later ones winning; StubFileError changes nothing."""
        stubs = tuple(stubs)
        self._refuse_loops(stub for stub, _ in stubs)
        live = dict(self._live)
        made = self._entered(live, stubs)
        self._swap(live, self._engine.service)
        return made

    def remove(self, ids: Collection[str]) -> None:
        """Take mappings out; ids that are none do nothing."""
        live = {key: mapping for key, mapping in self._live.items() if key not in ids}
        self._swap(live, self._engine.service)

    def reset(self) -> None:
        """Back to what the files hold."""
        self._swap(dict(self._files), self._engine.service)

    def take_files(self, compiled: CompiledService) -> None:
        """The files were edited: what they hold goes before an API's stub of the same id; the others stay."""
        self._refuse_loops(compiled.service.stubs)
        files = _by_id(compiled.service.stubs)
        ours = [
            (mapping.stub, mapping.given)
            for mapping in self._live.values()
            if mapping.given is not None and mapping.id not in files
        ]
        self._compiled = {}
        if ours or self._delay != GlobalDelay():
            live = dict(files)
            self._entered(live, ours)
            self._swap(live, compiled.service)
        else:
            self._engine.replace(compiled)
            self._current = None
            self._settle(dict(files))
        self._files = files

    def set_delay(self, delay: GlobalDelay) -> None:
        """Delay what says nothing itself; every stub is compiled anew."""
        if delay != self._delay:
            self._delay = delay
            self._compiled = {}
            self._swap(self._live, self._engine.service)

    def _refuse_loops(self, stubs: Iterable[Stub]) -> None:
        if self._own_address is not None:
            self._own_address.refuse_loops(stubs)

    def _entered(
        self, live: dict[str, StubMapping], stubs: Iterable[tuple[Stub, Mapping[str, object]]]
    ) -> list[StubMapping]:
        """What becomes of `stubs` in `live`: each has an id, and a name that no other has."""
        names = {mapping.stub.name: mapping.id for mapping in live.values()}
        made: dict[str, StubMapping] = {}
        for stub, given in stubs:
            mapping_id = stub.id or str(uuid4())
            before = live.get(mapping_id)
            if before is not None:
                del names[before.stub.name]
            name = self._free_name(stub.name, names)
            names[name] = mapping_id
            live[mapping_id] = StubMapping(mapping_id, replace(stub, id=mapping_id, name=name), given)
            made[mapping_id] = live[mapping_id]
        return list(made.values())

    def _settle(self, live: dict[str, StubMapping]) -> None:
        """Remember what is served from now on."""
        before, self._live = self._live, live
        self._names = {mapping.stub.name: mapping.id for mapping in live.values()}
        self._again.clear()
        self._history.note(before, live)

    def _append(self, mapping: StubMapping) -> None:
        """One mapping more, into the index that is there."""
        assert self._current is not None
        compiled = self._compile(mapping, self._current.service)
        self._current.index.add(compiled.stub, compiled.matcher, compiled.entry)
        service = self._current.service
        self._current = replace(
            self._current, service=replace(service, stubs=(*service.stubs, compiled.stub))
        )
        self._engine.replace(self._current)
        self._compiled[mapping.id] = compiled
        self._live[mapping.id] = mapping
        self._names[mapping.stub.name] = mapping.id
        self._history.begin(mapping)

    def _swap(self, live: dict[str, StubMapping], service: Service) -> None:
        """Serve `live` from now on, as stubs of `service`."""
        if service.pools or service.capacity is not None:
            stubs = tuple(self._served(mapping) for mapping in live.values())
            current = compile_service(replace(service, stubs=stubs))
        else:
            parts = [self._compile(mapping, service) for mapping in live.values()]
            current = compile_service(replace(service, stubs=()))
            for part in parts:
                current.index.add(part.stub, part.matcher, part.entry)
            stubs = tuple(part.stub for part in parts)
            current = replace(current, service=replace(service, stubs=stubs))
            self._compiled = {part.mapping.id: part for part in parts}
        self._engine.replace(current)
        self._current = current
        self._settle(live)

    def _compile(self, mapping: StubMapping, service: Service) -> _Compiled:
        known = self._compiled.get(mapping.id)
        if known is not None and known.mapping is mapping:
            return known
        stub = self._served(mapping)
        (entry,) = compile_service(replace(service, stubs=(stub,))).index
        return _Compiled(mapping, stub, entry.matcher, entry)

    def _served(self, mapping: StubMapping) -> Stub:
        """The stub as it is compiled: delayed where it says nothing, and saying its id where clients look."""
        stub = self._delay.given_to(mapping.stub)
        return stub if mapping.given is None else _telling(stub, mapping)

    def _free_name(self, wanted: str, taken: Mapping[str, str]) -> str:
        """The name itself, or `name (2)`: events name the stub that answered."""
        if wanted not in taken:
            return wanted
        again = self._again.get(wanted, 2)
        while f"{wanted} ({again})" in taken:
            again += 1
        self._again[wanted] = again
        return f"{wanted} ({again})"


class _History:
    """Which mapping had a stub's name when: a few versions of each, and not for ever after its removal."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._versions: dict[str, list[tuple[int, StubMapping]]] = {}
        self._removed: OrderedDict[str, None] = OrderedDict()

    def at(self, name: str, arrived_ns: int) -> StubMapping | None:
        versions = self._versions.get(name, [])
        return next((mapping for since_ns, mapping in reversed(versions) if since_ns <= arrived_ns), None)

    def begin(self, mapping: StubMapping) -> None:
        """From now on the name is this mapping's."""
        self._removed.pop(mapping.stub.name, None)
        versions = self._versions.setdefault(mapping.stub.name, [])
        versions.append((self._now_ns() if versions else 0, mapping))
        del versions[:-_MOST_VERSIONS]

    def note(self, before: Mapping[str, StubMapping], after: Mapping[str, StubMapping]) -> None:
        """From now on the names are those of `after`."""
        for key, mapping in after.items():
            if before.get(key) is not mapping:
                self.begin(mapping)
        names = {mapping.stub.name for mapping in after.values()}
        for mapping in before.values():
            if mapping.stub.name not in names:
                self._removed[mapping.stub.name] = None
        while len(self._removed) > _MOST_REMOVED:
            self._versions.pop(self._removed.popitem(last=False)[0], None)


def _telling(stub: Stub, mapping: StubMapping) -> Stub:
    """The stub with WireMock's headers in its answers, which name it to the caller."""
    told = [("Matched-Stub-Id", mapping.id)]
    if mapping.given is not None and "name" in mapping.given and stub.name.isascii():
        told.append(("Matched-Stub-Name", stub.name))
    return replace(
        stub,
        responses=tuple(
            replace(response, headers=Headers((*response.headers.pairs, *told)))
            for response in stub.responses
        ),
    )


def _by_id(stubs: Iterable[Stub]) -> dict[str, StubMapping]:
    """What files hold, under the ids that they give or that follow from them."""
    mappings: dict[str, StubMapping] = {}
    for stub in stubs:
        mapping_id = _id_of(stub)
        if mapping_id in mappings:
            mapping_id = str(uuid5(_NAMESPACE, f"name {stub.name}"))
        mappings[mapping_id] = StubMapping(mapping_id, stub)
    return mappings


def _id_of(stub: Stub) -> str:
    """The UUID that the file gives, or one that follows from what it does give."""
    try:
        return str(UUID(stub.id or ""))
    except ValueError:
        return str(uuid5(_NAMESPACE, f"id {stub.id}" if stub.id else f"name {stub.name}"))
