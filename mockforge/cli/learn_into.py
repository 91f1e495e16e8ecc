"""`mockforge learn --into`: what was learned into a folder that people have edited."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mockforge.errors import UsageError
from mockforge.learning.learn import Learned
from mockforge.learning.merging import ASIDE, Folder, Merge, merge
from mockforge.model.service import Service
from mockforge.stubfiles.folder import BODIES, MAPPINGS
from mockforge.stubfiles.reader import read_service
from mockforge.stubfiles.writer import write_service

__all__ = ["learn_into"]

_PARTS = (MAPPINGS, BODIES, ASIDE)


def learn_into(learned: Learned, folder: Path) -> Merge:
    """Merge into `folder`, which holds a service already, and say what became of each stub.

    StubFileError where the folder cannot be read as one; UsageError where a file cannot be written.
    """
    present = read_service(folder)
    try:
        with tempfile.TemporaryDirectory(prefix="mockforge-learn-") as scratch:
            fresh = Path(scratch) / folder.resolve().name
            write_service(learned.service, fresh, comments=learned.comments)
            merged = merge(_folder(folder, present), _folder(fresh, read_service(fresh)))
        _apply(merged, folder)
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else str(folder)
        raise UsageError(f"cannot be written: {error.strerror}", where=where) from None
    return merged


def _folder(root: Path, service: Service) -> Folder:
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for part in (root.iterdir(), *(((root / part).rglob("*")) for part in _PARTS))
        for path in part
        if path.is_file() and not path.name.startswith(".")
    }
    stubs: dict[str, tuple[str, ...]] = {}
    for stub in service.stubs:
        path = Path(stub.place.rpartition(":")[0]).relative_to(root).as_posix()
        stubs[path] = (*stubs.get(path, ()), stub.name)
    return Folder(files, stubs, {stub.name: stub.request for stub in service.stubs})


def _apply(merged: Merge, folder: Path) -> None:
    """Each file is replaced in one step: bodies first, so that no stub names one that is not there yet."""
    for name, content in sorted(merged.writes.items(), key=lambda each: (MAPPINGS in each[0], each[0])):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f".{path.name}.new")
        scratch.write_bytes(content)
        scratch.replace(path)
    for name in merged.removes:
        (folder / name).unlink(missing_ok=True)
    for part in sorted((folder / ASIDE).rglob("*"), reverse=True) if (folder / ASIDE).is_dir() else ():
        if part.is_dir() and not any(part.iterdir()):
            part.rmdir()
    if (folder / ASIDE).is_dir() and not any((folder / ASIDE).iterdir()):
        (folder / ASIDE).rmdir()
