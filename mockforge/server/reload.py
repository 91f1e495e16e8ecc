"""Edits to stub files, picked up while the service runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from mockforge.engine import CompiledService, Engine, compile_service
from mockforge.errors import StubFileError
from mockforge.stubfiles.reader import read_service

__all__ = ["follow_edits", "load"]

_EVERY_S = 0.5

Signature = frozenset[tuple[str, int, int]]


def load(path: Path) -> CompiledService:
    """Read and compile; raises StubFileError with every problem."""
    return compile_service(read_service(path))


async def follow_edits(path: Path, engine: Engine, told: Callable[[str], object]) -> None:
    """Swap the engine's service whenever the files change; runs until cancelled.

    Files that cannot be served change nothing: `told` gets the reason, and the service goes on as it was.
    """
    seen = await asyncio.to_thread(_signature, path)
    while True:
        await asyncio.sleep(_EVERY_S)
        now = await asyncio.to_thread(_signature, path)
        if now == seen:
            continue
        seen = now
        try:
            compiled = await asyncio.to_thread(load, path)
        except StubFileError as error:
            for problem in error.problems or (str(error),):
                told(f"edit not taken: {problem}")
            continue
        engine.replace(compiled)
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
