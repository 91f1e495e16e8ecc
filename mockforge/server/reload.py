"""Edits to stub files, picked up while the service runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from mockforge.engine import CompiledService, compile_service
from mockforge.errors import MockForgeError, StubFileError
from mockforge.model.service import Service
from mockforge.stubfiles.folder import BODIES, MAPPINGS
from mockforge.stubfiles.reader import read_service

__all__ = ["follow_edits", "load", "load_first"]

_EVERY_S = 0.5

Signature = frozenset[tuple[str, int, int]]


def load(path: Path) -> CompiledService:
    """Read and compile; raises StubFileError with every problem."""
    return compile_service(read_service(path))


def load_first(path: Path) -> CompiledService:
    """`load`; but a folder that is empty is a service without stubs, for the admin API to fill.

    So is one that has nothing but WireMock's two folders, and no file in its `mappings/`.
    """
    if path.is_dir() and _is_bare(path):
        return compile_service(Service(path.resolve().name))
    return load(path)


def _is_bare(folder: Path) -> bool:
    names = {entry.name for entry in folder.iterdir()}
    return names <= {MAPPINGS, BODIES} and not any(file.is_file() for file in (folder / MAPPINGS).rglob("*"))


async def follow_edits(
    path: Path,
    take: Callable[[CompiledService], object],
    told: Callable[[str], object],
    *,
    read: Callable[[Path], CompiledService] = load,
) -> None:
    """Have the service that the files then hold taken whenever they change; runs until cancelled.

    An edit is taken once the files have rested for a round, so that none is read half-written. Files that
    cannot be served change nothing: `told` gets the reason, and the service goes on as it was. `read` may be
    `load_first` for a folder that was empty at the start.
    """
    taken = seen = await asyncio.to_thread(_signature, path)
    while True:
        await asyncio.sleep(_EVERY_S)
        before, seen = seen, await asyncio.to_thread(_signature, path)
        if seen == taken or seen != before:
            continue
        taken = seen
        try:
            compiled = await asyncio.to_thread(read, path)
            take(compiled)
        except MockForgeError as error:
            problems = error.problems if isinstance(error, StubFileError) else ()
            for problem in problems or (str(error),):
                told(f"edit not taken: {problem}")
            continue
        told(f"edit taken: {len(compiled.service.stubs)} stubs")


def _signature(path: Path) -> Signature:
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    signature = set()
    for file in files:
        try:
            stat = file.stat()
        except FileNotFoundError:  # removed between listing and looking
            continue
        if file.is_file():
            signature.add((str(file), stat.st_mtime_ns, stat.st_size))
    return frozenset(signature)
