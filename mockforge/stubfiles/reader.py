"""Reads a service from its stub files, and finds all that is wrong in any of them before it refuses."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from mockforge.errors import StubFileError
from mockforge.model.service import Service
from mockforge.model.stub import Stub
from mockforge.stubfiles.file_faults import file_faults
from mockforge.stubfiles.file_text import parse_file
from mockforge.stubfiles.folder import Layout
from mockforge.stubfiles.form import FileForm, ServiceForm, StubForm
from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.parsed import Parsed
from mockforge.stubfiles.problems import Loc, Problem, RefusedError, brief, unknown_key
from mockforge.stubfiles.refusals import refusals_of
from mockforge.stubfiles.spells_form import to_slow_spells
from mockforge.stubfiles.to_model import Place, derived_name, to_capacity, to_stub
from mockforge.stubfiles.written import as_text

__all__ = ["read_service", "validated"]

AForm = TypeVar("AForm", bound=Form)

_A_STUB_FILE = "a stub has a request and a response; several go under mappings:"


def read_service(path: Path) -> Service:
    """The service in a stub file or a folder of them; its name is the path's own unless a file names it.

    Raises one StubFileError whose `problems` are all that is wrong, a line each.
    """
    reading = _Reading(Layout.find(path))
    with _collector_resting():
        service = reading.read()
    if reading.problems:
        lines = tuple(dict.fromkeys(str(problem) for problem in reading.problems))
        what = lines[0] if len(lines) == 1 else f"{path}: {len(lines)} problems; the first: {lines[0]}"
        raise StubFileError(what, problems=lines)
    return service


@contextlib.contextmanager
def _collector_resting() -> Iterator[None]:
    """Without garbage collection, which finds none here and takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Reading:
    """One reading of a service's files, in which stubs and problems gather."""

    def __init__(self, layout: Layout) -> None:
        self.problems: list[Problem] = []
        self._layout = layout
        self._stubs: list[Stub] = []
        self._unnamed: set[int] = set()
        self._pooled: list[tuple[str, Place]] = []
        self._places: dict[str, str] = {}
        self._service = ServiceForm()
        self._service_place: str | None = None

    def read(self) -> Service:
        for file in self._layout.files:
            parsed = self._parse(file)
            if parsed is not None:
                self._take(str(file), parsed)
        self._check_pools()
        form = self._service
        return Service(
            name=form.name or self._layout.name,
            stubs=tuple(self._named()),
            upstream=form.upstream,
            capacity=None if form.capacity is None else to_capacity(form.capacity),
            pools={name: to_capacity(pool) for name, pool in form.pools.items()},
            slow_spells=None if form.slow_spells is None else to_slow_spells(form.slow_spells),
        )

    def _check_pools(self) -> None:
        """Pools may be described in a file after those of the stubs that name them."""
        known = self._service.pools
        hint = f"known: {', '.join(known)}" if known else "the service has no pools"
        for pool, place in self._pooled:
            if pool not in known:
                place.refuse(("pool",), RefusedError(f"{brief(pool)} is none of the service's pools", hint))

    def _parse(self, file: Path) -> Parsed | None:
        shown = str(file)
        try:
            parsed = parse_file(file)
        except RefusedError as refused:
            self._refuse(shown, refused.line, refused)
            return None
        for found in parsed.refused:
            self._refuse(shown, found.line, found)
        return parsed

    def _refuse(self, file: str, line: int | None, refused: RefusedError, key: Loc = ()) -> None:
        self.problems.append(Problem(file, line, refused.what, refused.hint, key=key))

    def _take(self, file: str, parsed: Parsed) -> None:
        written = parsed.value
        if not isinstance(written, dict):
            found = "is empty" if written is None else f"holds {brief(written)}, not a stub"
            self._refuse(file, None, RefusedError(found, _A_STUB_FILE))
        elif "mappings" in written or "service" in written:
            self._take_several(file, parsed, written)
        elif not set(written) & {*StubForm.keys(), *StubForm.wiremock}:
            self._refuse(file, 1, RefusedError("is not a stub file", _A_STUB_FILE))
        else:
            self._take_stub(file, parsed, (), written)

    def _take_several(self, file: str, parsed: Parsed, written: dict[str, object]) -> None:
        known = FileForm.keys()
        for key in written:
            if key not in known:
                self._refuse(file, parsed.line((key,)), unknown_key(key, known, FileForm.wiremock))
        if "service" in written:
            self._take_service(file, parsed, written["service"])
        mappings = written.get("mappings", [])
        if not isinstance(mappings, list):
            refused = RefusedError(f"must be a list of stubs, not {brief(mappings)}")
            self._refuse(file, parsed.line(("mappings",)), refused, ("mappings",))
            return
        for number, stub in enumerate(mappings):
            self._take_stub(file, parsed, ("mappings", number), stub)

    def _take_service(self, file: str, parsed: Parsed, written: object) -> None:
        place = Place(file, parsed, ("service",), "service", self.problems)
        if self._service_place is not None:
            place.refuse(
                (), RefusedError(f"is described twice, first at {self._service_place}", "keep one of them")
            )
            return
        self._service_place = str(place)
        self._service = validated(ServiceForm, written, place) or self._service

    def _take_stub(self, file: str, parsed: Parsed, loc: Loc, written: object) -> None:
        place = Place(file, parsed, loc, _subject(written, loc), self.problems)
        name = as_text(written.get("name")) if isinstance(written, dict) else None
        if isinstance(name, str):
            first = self._places.setdefault(name, str(place))
            if first != str(place):
                place.refuse(("name",), RefusedError(f"stands twice, first at {first}", "names must differ"))
        form = validated(StubForm, written, place)
        if form is None:
            return
        if form.pool is not None:
            self._pooled.append((form.pool, place))
        if form.name is None:
            self._unnamed.add(len(self._stubs))
        name = form.name or derived_name(form)
        stub = to_stub(form, name, place, self._layout.bodies)
        for key, refused in file_faults(stub.request):
            place.refuse(key, refused)
        self._stubs.append(stub)

    def _named(self) -> list[Stub]:
        """The stubs, those without a name told apart: `GET /orders`, `GET /orders (2)`."""
        taken = set(self._places)
        named = []
        for number, stub in enumerate(self._stubs):
            name, again = stub.name, 1
            while number in self._unnamed and name in taken:
                again += 1
                name = f"{stub.name} ({again})"
            taken.add(name)
            named.append(replace(stub, name=name) if name != stub.name else stub)
        return named


def validated(form: type[AForm], written: object, place: Place) -> AForm | None:
    """What is written, in its form; None where that cannot be, which the place's problems then say."""
    try:
        return form.model_validate(written)
    except ValidationError as error:
        for loc, refused in refusals_of(error, form):
            place.refuse(loc, refused)
    return None


def _subject(written: object, loc: Loc) -> str:
    """Whose problem it is, as far as the file says: a stub's name, its shorthand or its number."""
    if isinstance(written, dict):
        for key in ("name", "request"):
            if isinstance(written.get(key), str):
                return f"stub {written[key]!r}"
    return f"stub {loc[-1] + 1}" if loc and isinstance(loc[-1], int) else "stub"
