"""Stubs that came over the admin API, kept on the disk for as long as they are there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from mockforge.errors import MockForgeError
from mockforge.server.admin.answers import AdminError
from mockforge.server.admin.context import Admin
from mockforge.server.admin.incoming import file_form
from mockforge.server.admin.store import StubMapping
from mockforge.stubfiles.writer import SAVED, save_mappings

__all__ = ["forget", "save"]


async def save(admin: Admin, mappings: Iterable[StubMapping]) -> None:
    """Write what no file holds as it is; AdminError where that cannot be, with nothing written."""
    folder = admin.folder
    if folder is None:
        raise AdminError(
            "Stubs cannot be saved: the service was not given as a folder",
            501,
            code=50,
            detail="start it as mockforge serve FOLDER",
        )
    in_files = admin.store.in_files()
    unsaved, replaced = {}, []
    for mapping in mappings:
        if mapping.given is None:
            continue
        unsaved[mapping.id] = {**file_form(mapping.given), "id": mapping.id}
        if "name" in mapping.given:  # two of one name cannot stand in files
            unsaved[mapping.id]["name"] = mapping.stub.name
        if mapping.id in in_files:
            replaced.append((mapping.id, in_files[mapping.id].stub.place))
    others = [mapping.stub.place for key, mapping in in_files.items() if key not in unsaved]
    try:
        written = await asyncio.to_thread(
            save_mappings, folder, unsaved, replaced=dict(replaced), beside=others
        )
    except MockForgeError as error:
        raise AdminError.of(error, 500) from None
    admin.saved.update(written)


async def forget(admin: Admin, mappings: Iterable[StubMapping]) -> None:
    """Delete the files of mappings that saving wrote, and no file that anybody else did."""
    folder = admin.folder
    if folder is None:
        return
    saved = (folder / SAVED).resolve()
    gone = {mapping.id for mapping in mappings}
    places = {key: _file_of(each) for key, each in admin.store.in_files().items()}
    kept = {path for key, path in places.items() if key not in gone}
    paths = {admin.saved.pop(key, places.get(key)) for key in gone} - kept
    ours = [path for path in paths if path is not None and path.resolve().parent == saved]
    if ours:
        await asyncio.to_thread(_unlink, ours)


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _file_of(mapping: StubMapping) -> Path:
    return Path(mapping.stub.place.rpartition(":")[0])
