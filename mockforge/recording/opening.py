"""Opening the file of a recording, and saying in one line why it cannot be opened or read.

What is wrong with a file is found where it shows: most at opening, damage further in while reading it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from mockforge.errors import RecordingError
from mockforge.recording.schema import APPLICATION_ID, SCHEMA_VERSION

__all__ = [
    "check_first_bytes",
    "check_is_sqlite",
    "check_schema",
    "open_for_reading",
    "open_leniently",
    "still_has_journal",
    "told_as_recording_errors",
]

_MAGIC = b"SQLite format 3\x00"
#: The smallest page of a SQLite file; of less than one, SQLite makes an empty database.
_SMALLEST = 512
_WRITTEN_BY = "`mockforge record` and `mockforge replay` write recordings, as .mfrec"
_COPY_AGAIN = (
    "copy it again together with its -wal file, or save what is left with `mockforge recordings salvage`"
)


@contextlib.contextmanager
def told_as_recording_errors(path: Path) -> Iterator[None]:
    """What fails in the block, because of what stands in the file, is a RecordingError."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # the reader was closed, or used from another thread: the program's own mistake
    except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
        raise RecordingError(
            f"the recording is torn or damaged: {error}", where=str(path), hint=_COPY_AGAIN
        ) from error


def check_first_bytes(path: Path) -> None:
    """Raises RecordingError where the file is missing, of another kind, or cut short."""
    first = check_is_sqlite(path)
    if not still_has_journal(path) and path.stat().st_size % _page_size(first):
        # SQLite would read the missing end of the last page as zeros.
        raise RecordingError("the recording is torn: its last page is cut", where=str(path), hint=_COPY_AGAIN)


def check_is_sqlite(path: Path) -> bytes:
    """The first bytes of the file; RecordingError where it is missing, or no SQLite database."""
    where = str(path)
    try:
        with path.open("rb") as file:
            first = file.read(_SMALLEST)
    except FileNotFoundError as error:
        raise RecordingError("there is no such recording", where=where, hint=_nearest(path)) from error
    except IsADirectoryError as error:
        raise RecordingError("this is a folder, not a recording", where=where, hint=_nearest(path)) from error
    except OSError as error:
        raise RecordingError(f"the recording cannot be read: {error.strerror}", where=where) from error
    if not first:
        raise RecordingError("the recording is empty", where=where, hint=_COPY_AGAIN)
    if not _MAGIC.startswith(first[: len(_MAGIC)]):
        raise RecordingError("this is not a recording", where=where, hint=_WRITTEN_BY)
    if len(first) < _SMALLEST:
        raise RecordingError("the recording is torn after its first bytes", where=where, hint=_COPY_AGAIN)
    return first


def _page_size(first: bytes) -> int:
    """From the file's header, bytes 16 and 17; 1 stands for 65,536."""
    told = int.from_bytes(first[16:18])
    return 65_536 if told <= 1 else told


def still_has_journal(path: Path) -> bool:
    """Whether the file is being written, or was when its writer ended."""
    return any(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-journal"))


def _nearest(path: Path) -> str | None:
    """What the user may have meant: a recording of a near name, or those that are there."""
    folder = path if path.is_dir() else path.parent
    there = sorted(found.name for found in folder.glob("*.mfrec"))
    if not there:
        return "`mockforge record --target URL` makes one"
    near = get_close_matches(path.name, there, 1) or there[:3]
    return "there is " + ", ".join(str(folder / name) for name in near)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A read-only connection.

    A file that no journal lies beside is finished, and is opened as unchangeable: else SQLite
    would make a journal for it, and refuse where the folder cannot be written.
    """
    connection = _connected(path)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError as error:
        connection.close()
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
            raise RecordingError(
                "the recording's -wal file cannot be read where it lies",
                where=str(path),
                hint="copy the file and its -wal to a folder that can be written",
            ) from error
        raise RecordingError(
            f"the recording is torn or damaged: {error}", where=str(path), hint=_COPY_AGAIN
        ) from error
    return connection


def open_leniently(path: Path) -> sqlite3.Connection:
    """A read-only connection that also reads what there is of a file that was cut short."""
    connection = _connected(path)
    # SQLite refuses a file that is shorter than its header says, but for this.
    connection.execute("PRAGMA writable_schema = ON")
    return connection


def _connected(path: Path) -> sqlite3.Connection:
    mode = "mode=ro" if still_has_journal(path) else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)


def check_schema(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version of the recording; RecordingError where it is none, or newer than this program."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise RecordingError(
            "this is a SQLite database, but not a recording",
            where=str(path),
            hint=_WRITTEN_BY,
        )
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if not 1 <= version <= SCHEMA_VERSION:
        raise RecordingError(
            f"the recording has schema version {version}, and this program reads up to {SCHEMA_VERSION}",
            where=str(path),
            hint="read it with the mockforge that wrote it, or a newer one",
        )
    return version
