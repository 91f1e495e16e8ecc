"""Reads a project's file, and finds all that is wrong in it before it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mockforge.errors import StubFileError, UsageError
from mockforge.project.form import ProjectForm, ServiceEntryForm
from mockforge.recording.redaction import RedactionRules, rules_from_file
from mockforge.recording.redaction.rules import WrongRuleError, read_rules
from mockforge.report.tolerances import Tolerances
from mockforge.stubfiles.file_text import parse_file
from mockforge.stubfiles.problems import Loc, Problem, RefusedError, brief
from mockforge.stubfiles.reader import validated
from mockforge.stubfiles.to_model import Place
from mockforge.stubfiles.written import as_text

__all__ = ["PROJECT_FILE", "Project", "ProjectService", "find_project", "read_project"]

PROJECT_FILE = "mockforge.yaml"


@dataclass(frozen=True, slots=True)
class ProjectService:
    """One service of a project; `host` tells those of one port apart, None takes every other.

    With `proxy_unmatched`, what matches no stub goes on to the upstream.
    """

    name: str
    port: int
    stubs: Path
    host: str | None = None
    upstream: str | None = None
    seed: int | None = None
    proxy_unmatched: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """A project. `tolerances` are in the words of `compare --tolerance`."""

    path: Path
    services: tuple[ProjectService, ...]
    tolerances: tuple[str, ...] = ()
    tolerance_floor_ms: float | None = None
    redaction: RedactionRules | None = None

    def only(self, names: tuple[str, ...]) -> tuple[ProjectService, ...]:
        """The services of these names, all where there are none; UsageError for one that is not there."""
        known = [service.name for service in self.services]
        for name in names:
            if name not in known:
                raise UsageError(f"{self.path} has no service {name!r}", hint=f"known: {', '.join(known)}")
        return tuple(each for each in self.services if not names or each.name in names)


def find_project(asked: Path | None) -> Project | None:
    """The project that was asked for, else that of the working directory, where it has one."""
    if asked is not None:
        return read_project(asked)
    here = Path(PROJECT_FILE)
    return read_project(here) if here.is_file() else None


def read_project(path: Path) -> Project:
    """The project in a file; paths in it count from its folder.

    Raises one StubFileError whose `problems` are all that is wrong, a line each.
    """
    problems: list[Problem] = []
    project = _read(path, problems)
    if problems or project is None:
        lines = tuple(dict.fromkeys(map(str, problems)))
        raise StubFileError(lines[0], problems=lines)
    return project


def _read(path: Path, problems: list[Problem]) -> Project | None:
    try:
        parsed = parse_file(path)
    except RefusedError as refused:
        problems.append(Problem(str(path), refused.line, refused.what, refused.hint))
        return None
    problems += [Problem(str(path), each.line, each.what, each.hint) for each in parsed.refused]
    place = Place(str(path), parsed, (), "", problems)
    if not isinstance(parsed.value, dict):
        found = "is empty" if parsed.value is None else f"holds {brief(parsed.value)}, not a project"
        problems.append(Problem(str(path), None, found, ProjectForm.example))
        return None
    form = validated(ProjectForm, parsed.value, place)
    if form is None:
        return None
    _check_addresses(form.services, place)
    return Project(
        path,
        tuple(_service(each, path.parent) for each in form.services),
        _tolerances(form.tolerances, place),
        form.tolerance_floor_milliseconds,
        _redaction(form.redaction, path.parent, place),
    )


def _service(form: ServiceEntryForm, folder: Path) -> ProjectService:
    stubs = folder / (form.stubs or Path("stubs", form.name))
    return ProjectService(
        form.name, form.port, stubs, form.host, form.upstream, form.seed, form.proxy_unmatched
    )


def _tolerances(written: object, place: Place) -> tuple[str, ...]:
    """Each tolerance in the words of `compare --tolerance`; those of a mapping are put so."""
    texts: list[tuple[Loc, object]] = []
    if isinstance(written, dict):
        for key, value in written.items():
            special = value.items() if isinstance(value, dict) else ()
            texts += [((key, metric), f"{key}: {metric}={as_text(each)}") for metric, each in special]
            if not isinstance(value, dict):
                texts.append(((key,), f"{key}={as_text(value)}"))
    elif isinstance(written, list):
        texts = [((number,), as_text(each)) for number, each in enumerate(written)]
    elif written is not None:
        place.refuse(("tolerances",), RefusedError(f"must be a mapping or a list, not {brief(written)}"))
    for loc, text in texts:
        try:
            Tolerances.parse([str(text)])
        except UsageError as error:
            place.refuse(("tolerances", *loc), RefusedError(error.what, error.hint))
    return tuple(str(text) for _, text in texts)


def _redaction(written: object, folder: Path, place: Place) -> RedactionRules | None:
    """The rules that stand here, or in the file that is named."""
    try:
        if isinstance(written, str):
            return rules_from_file(folder / written)
        return None if written is None else read_rules({"redaction": written})
    except WrongRuleError as error:
        place.refuse(error.loc, error)
    except UsageError as error:
        place.refuse(("redaction",), RefusedError(str(error)))
    return None


def _check_addresses(services: list[ServiceEntryForm], place: Place) -> None:
    """Names are unlike, and whoever comes to a port is one service's."""
    names: dict[str, int] = {}
    addresses: dict[tuple[int, str | None], str] = {}
    for number, service in enumerate(services):
        first = names.setdefault(service.name, number)
        if first != number:
            what = f"{service.name} stands twice, first at {place.file}:{_line(place, first)}"
            place.refuse(("services", number, "name"), RefusedError(what, "names must differ"))
        if service.port == 0 and service.host is None:
            continue
        key = (service.port, service.host)
        other = addresses.setdefault(key, service.name)
        if other != service.name:
            what = f"port {service.port} is that of {other} too"
            hint = "give it a port of its own, or a host: of its own"
            place.refuse(("services", number, "port"), RefusedError(what, hint))


def _line(place: Place, number: int) -> int:
    return place.parsed.line(("services", number, "name"))
