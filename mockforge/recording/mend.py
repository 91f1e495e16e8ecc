"""Recordings changed in place: upgraded to the schema of today, freed of what nothing refers to.

A file is copied beside itself, the copy is changed, and takes its place at once: whoever reads the old file
meanwhile reads it to its end, and an end halfway leaves the old file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mockforge.errors import RecordingError
from mockforge.recording.reader import RecordingReader
from mockforge.recording.schema import SCHEMA_VERSION, upgrade_tables

__all__ = ["Vacuumed", "upgrade", "vacuum"]

_REFERENCED = """
SELECT request_body_id FROM exchange WHERE request_body_id IS NOT NULL
UNION SELECT response_body_id FROM exchange WHERE response_body_id IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """What a vacuum freed: the file's bytes before and after, and how many bodies went."""

    before: int
    after: int
    bodies: int


def upgrade(path: Path) -> int:
    """Bring a recording to the schema of today; the version it had. Raises RecordingError."""
    with RecordingReader(path) as reader:
        version = reader.version
    if version < SCHEMA_VERSION:
        with _replaced(path) as connection:
            upgrade_tables(connection)
    return version


def vacuum(path: Path) -> Vacuumed:
    """Remove bodies that no exchange refers to, and give back the room. Raises RecordingError."""
    with RecordingReader(path):
        before = _bytes_of(path)
    with _replaced(path) as connection:
        bodies = connection.execute(f"DELETE FROM body WHERE id NOT IN ({_REFERENCED})").rowcount
        connection.execute("VACUUM")
    return Vacuumed(before, _bytes_of(path), bodies)


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a copy that takes the recording's place at the end of the block."""
    copy = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _fold_journal(path)
        shutil.copy2(path, copy)
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            yield connection
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        copy.replace(path)
    except (sqlite3.Error, OSError) as error:
        raise RecordingError(
            f"the recording cannot be rewritten and stays as it is: {error}", where=str(path)
        ) from error
    finally:
        for suffix in ("", "-journal"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def _fold_journal(path: Path) -> None:
    """Take what a killed writer left in its journal into the file; refuse one that is still written."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                raise RecordingError(
                    "the recording is still being written or read",
                    where=str(path),
                    hint="end the run first; `mockforge recordings cut` copies one that grows",
                ) from error
            raise


def _bytes_of(path: Path) -> int:
    """Bytes of the file and of the journal beside it."""
    journal = path.with_name(path.name + "-wal")
    return path.stat().st_size + (journal.stat().st_size if journal.exists() else 0)
