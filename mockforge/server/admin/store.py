"""The stubs of a running service: those of its files, and those that came over the admin API.

An edit is compiled before anything changes, and then made in one step on the event loop that also decides: no
request sees half of it. One stub that comes, goes or changes touches its own place in the index that is
there; several at once make a new index, of which what did not change is not compiled again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid4, uuid5

from mockforge.compiling import CompiledService, CompiledStub, compile_stub
from mockforge.engine import Engine
from mockforge.errors import StubFileError
from mockforge.model.headers import Headers
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
    """What a mapping was compiled to: `stub` as it is served, and its `number` in the index."""

    mapping: StubMapping
    stub: Stub
    entry: CompiledStub
    number: int = 0


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
        self._files: dict[str, StubMapping] = {}
        self._adopt(engine.compiled)

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

    def put(self, stub: Stub, given: Mapping[str, object]) -> StubMapping:
        """Enter a new stub, or edit the one with its id in its place; StubFileError changes nothing."""
        self._refuse_loops((stub,))
        mapping_id = stub.id or str(uuid4())
        before = self._live.get(mapping_id)
        if before is not None and before.stub.name == stub.name:
            name = stub.name
        else:
            name = self._free_name(stub.name, self._names)
        mapping = StubMapping(mapping_id, replace(stub, id=mapping_id, name=name), given)
        self._enter(self._compile(mapping), before)
        return mapping

    def put_all(self, stubs: Iterable[tuple[Stub, Mapping[str, object]]]) -> list[StubMapping]:
        """Enter or edit several in one step, later ones winning; StubFileError changes nothing."""
        stubs = tuple(stubs)
        self._refuse_loops(stub for stub, _ in stubs)
        live = dict(self._live)
        made = self._entered(live, stubs)
        self._swap(live)
        return made

    def remove(self, ids: Collection[str]) -> None:
        """Take mappings out in one step; ids that are none do nothing."""
        there = [key for key in ids if key in self._live]
        if len(there) == 1:
            self._leave(there[0])
        elif there:
            gone = set(there)
            self._swap({key: mapping for key, mapping in self._live.items() if key not in gone})

    def reset(self) -> None:
        """Back to what the files hold."""
        self._swap(dict(self._files))

    def take_files(self, compiled: CompiledService) -> None:
        """The files were edited: what they hold goes before an API's stub of the same id; the others stay."""
        self._refuse_loops(compiled.service.stubs)
        files = _by_id(compiled.service.stubs)
        ours = [
            (mapping.stub, mapping.given)
            for mapping in self._live.values()
            if mapping.given is not None and mapping.id not in files
        ]
        if ours or self._delay != GlobalDelay():
            live = dict(files)
            self._entered(live, ours)
            known, self._compiled = self._compiled, {}
            try:
                self._swap(live, compiled)
            except StubFileError:
                self._compiled = known
                raise
            self._files = files
        else:
            self._engine.replace(compiled)
            self._adopt(compiled)

    def set_delay(self, delay: GlobalDelay) -> None:
        """Delay what says nothing itself; every stub is compiled anew."""
        if delay != self._delay:
            self._delay = delay
            self._compiled = {}
            self._swap(self._live)

    def _adopt(self, compiled: CompiledService) -> None:
        """The engine serves what the files hold, and nothing else."""
        self._files = _by_id(compiled.service.stubs)
        self._compiled = {
            mapping.id: _Compiled(mapping, stub, entry, number)
            for mapping, (number, stub, entry) in zip(
                self._files.values(), compiled.index.numbered(), strict=True
            )
        }
        self._settle(dict(self._files))

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

    def _enter(self, compiled: _Compiled, before: StubMapping | None) -> None:
        """One mapping more, or in the place of another, in the index that is there."""
        index, mapping = self._engine.compiled.index, compiled.mapping
        if before is None:
            number = index.add(compiled.stub, compiled.entry.matcher, compiled.entry)
        else:
            number = self._compiled[mapping.id].number
            index.edit(number, compiled.stub, compiled.entry.matcher, compiled.entry)
            if before.stub.name != mapping.stub.name:
                self._free(before)
        self._compiled[mapping.id] = replace(compiled, number=number)
        self._live[mapping.id] = mapping
        self._names[mapping.stub.name] = mapping.id
        self._history.begin(mapping)
        self._tell_scenarios(before, mapping)

    def _leave(self, mapping_id: str) -> None:
        """One mapping less in the index that is there."""
        mapping = self._live.pop(mapping_id)
        self._engine.compiled.index.remove(self._compiled.pop(mapping_id).number)
        self._free(mapping)
        self._tell_scenarios(mapping)

    def _free(self, mapping: StubMapping) -> None:
        """The mapping's name is nobody's now."""
        del self._names[mapping.stub.name]
        self._again.clear()
        self._history.end(mapping)

    def _tell_scenarios(self, *mappings: StubMapping | None) -> None:
        if any(mapping is not None and mapping.stub.scenario is not None for mapping in mappings):
            self._engine.edited()

    def _swap(self, live: dict[str, StubMapping], of: CompiledService | None = None) -> None:
        """Serve `live` from now on, as stubs of another service where one is given."""
        compiled = of or self._engine.compiled
        parts = [self._compile(mapping, compiled) for mapping in live.values()]
        compiled = compiled.of((part.stub, part.entry) for part in parts)
        self._compiled = {
            part.mapping.id: replace(part, number=number)
            for part, (number, _, _) in zip(parts, compiled.index.numbered(), strict=True)
        }
        self._engine.replace(compiled)
        self._settle(live)

    def _compile(self, mapping: StubMapping, of: CompiledService | None = None) -> _Compiled:
        known = self._compiled.get(mapping.id)
        if known is not None and known.mapping is mapping:
            return known
        stub = self._served(mapping)
        return _Compiled(mapping, stub, compile_stub(stub, (of or self._engine.compiled).pools))

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

    def end(self, mapping: StubMapping) -> None:
        """The name is nobody's from now on; it is remembered for a while."""
        self._removed[mapping.stub.name] = None
        while len(self._removed) > _MOST_REMOVED:
            self._versions.pop(self._removed.popitem(last=False)[0], None)

    def note(self, before: Mapping[str, StubMapping], after: Mapping[str, StubMapping]) -> None:
        """From now on the names are those of `after`."""
        for key, mapping in after.items():
            if before.get(key) is not mapping:
                self.begin(mapping)
        names = {mapping.stub.name for mapping in after.values()}
        for mapping in before.values():
            if mapping.stub.name not in names:
                self.end(mapping)


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
