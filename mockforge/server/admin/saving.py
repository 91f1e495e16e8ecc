"""Stubs that came over the admin API, kept on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from mockforge.errors import MockForgeError
from mockforge.server.admin.answers import AdminError
from mockforge.server.admin.context import Admin
from mockforge.server.admin.incoming import file_form
from mockforge.server.admin.store import StubMapping
from mockforge.stubfiles.writer import save_mappings

__all__ = ["save"]


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
        await asyncio.to_thread(save_mappings, folder, unsaved, replaced=dict(replaced), beside=others)
    except MockForgeError as error:
        raise AdminError.of(error, 500) from None
