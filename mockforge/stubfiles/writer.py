"""Writes a service as a folder of stub files: the same service gives the same bytes."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from mockforge.errors import UsageError
from mockforge.model.sending import BodyFile
from mockforge.model.service import Service
from mockforge.model.stub import Stub
from mockforge.stubfiles.folder import BODIES, MAPPINGS, is_confined
from mockforge.stubfiles.from_model import written_service, written_stub
from mockforge.stubfiles.variants import write_rows
from mockforge.stubfiles.yaml_dump import dump_yaml

__all__ = ["save_mappings", "write_service"]

_SERVICE_FILE = "service.yaml"
#: All that writing replaces; anything else in the folder is somebody else's.
_OWN = (_SERVICE_FILE, MAPPINGS, BODIES)
_LONGEST_SLUG = 80

#: Where stubs go that were made while the service ran; the folder is read after the one that it is in.
SAVED = Path(MAPPINGS) / "saved"
_NUMBERED = re.compile(r"(\d+)-.*")
#: The keys of a saved stub in the order in which people read them; others come between, by name.
_FIRST = (
    "id",
    "name",
    "priority",
    "scenarioName",
    "scenarioKey",
    "requiredScenarioState",
    "newScenarioState",
)
_LAST = ("request", "response", "responses", "metadata")


def write_service(
    service: Service,
    folder: Path,
    *,
    overwrite: bool = False,
    comments: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write `service.yaml`, `mappings/` with a file a stub, and `__files/` into `folder`.

    `comments` holds, by a stub's name, lines for the head of its file. Files are complete or not there at
    all: an error leaves the folder as it was. UsageError where the folder holds something already, unless
    `overwrite`, which replaces these three and nothing else; ValueError where a stub cannot be written.
    """
    files = _files(service, comments or {})
    _check_free(folder, overwrite)
    try:
        target = folder.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
            new, old = Path(scratch) / "new", Path(scratch) / "old"
            for name, content in files.items():
                path = new / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            old.mkdir()
            _swap(new, target, old)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(folder)) from None


def save_mappings(
    folder: Path,
    mappings: Mapping[str, Mapping[str, object]],
    *,
    replaced: Mapping[str, str],
    beside: Sequence[str],
) -> dict[str, Path]:
    """Write stub mappings, by their id, as `mappings/saved/NUMBER-NAME.json`, in their order.

    `replaced` are the ids that a file holds already, each with its `file:line`: such a file is written anew
    where the stub stands in it alone. `beside` are the places of all stubs that stay as they are. Gives each
    one's file. UsageError where a file holds others too, or cannot be written.
    """
    old = {key: Path(place.rpartition(":")[0]) for key, place in replaced.items()}
    shared = {Path(place.rpartition(":")[0]) for place in beside}
    for key, path in old.items():
        if path in shared or list(old.values()).count(path) > 1 or path.suffix.lower() != ".json":
            what = f"stub {mappings[key].get('name', key)!r} stands in a file that cannot be written anew"
            raise UsageError(what, where=str(path), hint="edit it there")
    target = folder / SAVED
    written = {}
    try:
        target.mkdir(parents=True, exist_ok=True)
        taken = (_NUMBERED.fullmatch(file.name) for file in target.iterdir())
        number = max((int(found[1]) for found in taken if found), default=0)
        for key, mapping in mappings.items():
            if key not in old:
                number += 1
            path = old.get(key, target / f"{number:04d}-{_slug(_title(mapping))}.json")
            _replace(path, json.dumps(_ordered(mapping), indent=2, ensure_ascii=False) + "\n")
            written[key] = path
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(target)) from None
    return written


def _replace(path: Path, text: str) -> None:
    """Complete or not at all: the folder is being watched. The ending of a half-written file is no stub's."""
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _title(mapping: Mapping[str, object]) -> str:
    request = mapping.get("request")
    if "name" in mapping or not isinstance(request, Mapping):
        return str(mapping.get("name", "stub"))
    url = next((value for key, value in request.items() if key.startswith("url")), "")
    return f"{request.get('method', 'any')} {url}"


def _ordered(mapping: Mapping[str, object]) -> dict[str, object]:
    between = sorted(key for key in mapping if key not in (*_FIRST, *_LAST))
    return {key: mapping[key] for key in (*_FIRST, *between, *_LAST) if key in mapping}


def _check_free(folder: Path, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError("is a file, not a folder", where=str(folder), hint="name another folder")
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        hint = "name another folder, or allow it to be overwritten"
        raise UsageError("the folder is not empty", where=str(folder), hint=hint)


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Put what is in `new` in the place of what the folder owns; on an error, put everything back."""
    if not folder.exists():
        new.rename(folder)
        return
    with ExitStack() as undo:
        for name in _OWN:
            present, arriving, kept = folder / name, new / name, old / name
            if present.exists() or present.is_symlink():
                present.rename(kept)
                undo.callback(kept.rename, present)
            if arriving.exists():
                arriving.rename(present)
                undo.callback(present.rename, arriving)
        undo.pop_all()


def _files(service: Service, comments: Mapping[str, Sequence[str]]) -> dict[str, bytes]:
    """The content of every file by its name in the folder."""
    files = {_SERVICE_FILE: dump_yaml(written_service(service)).encode()}
    names = [stub.name for stub in service.stubs]
    repeated = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    if repeated:
        raise ValueError(f"two stubs are named {min(repeated)!r}")
    for stub, file_name in zip(service.stubs, _file_names(names), strict=True):
        head = "".join(f"# {line}".rstrip() + "\n" for line in _lines(comments.get(stub.name, ())))
        files[f"{MAPPINGS}/{file_name}.yaml"] = (head + dump_yaml(written_stub(stub))).encode()
        for name, content in _bodies(stub):
            path = f"{BODIES}/{name}"
            if not is_confined(name):
                raise ValueError(f"stub {stub.name!r}: {name!r} leads out of {BODIES}/")
            if files.setdefault(path, content) != content:
                raise ValueError(f"stub {stub.name!r}: {path} is another stub's, with other content")
    return files


def _lines(comment: Iterable[str]) -> Iterable[str]:
    return (line for text in comment for line in text.splitlines() or [""])


def _bodies(stub: Stub) -> Iterable[tuple[str, bytes]]:
    answered = [response.body for response in stub.responses]
    for body in (*answered, *(callback.body for callback in stub.callbacks)):
        if body is not None and body.kind == "bodyFileName" and not body.is_chosen:
            yield str(body.value), body.content() if body.file is None else _content(body.file)
    for response in stub.responses:
        if response.variants is not None:
            yield response.variants.file_name, write_rows(response.variants)


def _content(file: BodyFile) -> bytes:
    try:
        return Path(file.path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=file.path) from None


def _file_names(names: Sequence[str]) -> list[str]:
    """A file name for each stub, without its ending.

    Of two stubs that match alike the later wins, so files must sort as the stubs do: where their names alone
    would not, each gets a number before it.
    """
    slugs = [_slug(name) for name in names]
    taken: dict[str, int] = {}
    for position, slug in enumerate(slugs):
        taken[slug] = taken.get(slug, 0) + 1
        if taken[slug] > 1:
            slugs[position] = f"{slug}-{taken[slug]}"
    if slugs == sorted(set(slugs)):
        return slugs
    width = len(str(len(slugs)))
    return [f"{number:0{width}d}-{slug}" for number, slug in enumerate(slugs, 1)]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_SLUG].strip("-") or "stub"
