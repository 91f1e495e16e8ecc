"""Reading a recording, finished or still growing; the file is never changed.

What is wrong with a file is found where it shows: most at opening, damage further in while reading it. All
of it is a RecordingError of one line.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.recording.schema import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    headers_from_json,
    meta_from_rows,
    unpack_body,
)

__all__ = ["Columns", "RecordingReader"]

_MAGIC = b"SQLite format 3\x00"
#: The smallest page of a SQLite file; of less than one, SQLite makes an empty database.
_SMALLEST = 512
_ROWS_AT_ONCE = 20_000
_WRITTEN_BY = "`mockforge record` and `mockforge replay` write recordings, as .mfrec"
_COPY_AGAIN = "copy it again together with its -wal file, or record anew"

_EXCHANGES = """
SELECT wall_ns, arrived_ns, connect_ns, ttfb_ns, total_ns, lateness_ns, in_flight, connection_id,
       method, target, operation, status, error, request_body_id, response_body_id,
       request_headers, response_headers
FROM exchange ORDER BY arrived_ns, id
"""

_COLUMNS = """
SELECT arrived_ns, total_ns, ifnull(ttfb_ns, -1), ifnull(status, 0), in_flight, ifnull(lateness_ns, -1),
       error IS NOT NULL OR status IS NULL OR status >= 400, method, target, operation
FROM exchange
"""


@dataclass(frozen=True, slots=True)
class Columns:
    """What statistics need of n exchanges, ordered by arrival; no headers, no bodies.

    Arrays have shape (n,), times are nanoseconds. `ttfb_ns` and `lateness_ns` are -1 where unknown,
    `status` is 0 where no answer came. `failed` is as `Exchange.failed`.
    """

    arrived_ns: NDArray[np.int64]
    total_ns: NDArray[np.int64]
    ttfb_ns: NDArray[np.int64]
    status: NDArray[np.int32]
    in_flight: NDArray[np.int32]
    lateness_ns: NDArray[np.int64]
    failed: NDArray[np.bool_]
    method: list[str]
    target: list[str]
    operation: list[str | None]

    def __len__(self) -> int:
        return int(self.arrived_ns.size)


class RecordingReader:
    """An open recording; a context manager that closes it.

    Raises RecordingError when the file is missing, not a recording, torn, or of another schema version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _check_first_bytes(path)
        self._connection = _open(path)
        try:
            with _told_as_recording_errors(path):
                _check_schema(self._connection, path)
                rows: dict[str, str] = dict(self._connection.execute("SELECT key, value FROM meta"))
                self.meta = meta_from_rows(rows)
        except RecordingError:
            self._connection.close()
            raise
        # Few distinct header sets and bodies make up a recording, so each is decoded once.
        self._headers = functools.lru_cache(maxsize=1024)(headers_from_json)
        self._body = functools.lru_cache(maxsize=64)(self._read_body)

    @property
    def count(self) -> int:
        """Exchanges in the file at this moment."""
        with _told_as_recording_errors(self.path):
            return int(self._connection.execute("SELECT count(*) FROM exchange").fetchone()[0])

    def exchanges(self) -> Iterator[Exchange]:
        """Every exchange, ordered by arrival.

        Damage further in raises RecordingError once everything before it was given out.
        """
        with _told_as_recording_errors(self.path):
            for row in self._connection.execute(_EXCHANGES):
                yield self._exchange(row)

    def columns(self) -> Columns:
        """The figures of every exchange in arrays, for statistics over a million of them."""
        numbers: list[NDArray[np.int64]] = []
        texts: list[tuple[str, str, str | None]] = []
        names: dict[str | None, str | None] = {}
        with _told_as_recording_errors(self.path):
            cursor = self._connection.execute(_COLUMNS)
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                numbers.append(np.array([row[:7] for row in rows], dtype=np.int64))
                # One string object a distinct text: methods, targets and names repeat.
                texts.extend(tuple(names.setdefault(text, text) for text in row[7:]) for row in rows)  # type: ignore[misc]
        table = np.concatenate(numbers) if numbers else np.empty((0, 7), dtype=np.int64)
        order = np.argsort(table[:, 0], kind="stable")
        table = table[order]
        ordered = [texts[index] for index in order]
        return Columns(
            arrived_ns=table[:, 0].copy(),
            total_ns=table[:, 1].copy(),
            ttfb_ns=table[:, 2].copy(),
            status=table[:, 3].astype(np.int32),
            in_flight=table[:, 4].astype(np.int32),
            lateness_ns=table[:, 5].copy(),
            failed=table[:, 6].astype(np.bool_),
            method=[text[0] for text in ordered],
            target=[text[1] for text in ordered],
            operation=[text[2] for text in ordered],
        )

    def close(self) -> None:
        """Free the file. May be called twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, row: tuple[Any, ...]) -> Exchange:
        (wall_ns, arrived_ns, connect_ns, ttfb_ns, total_ns, lateness_ns, in_flight, connection_id) = row[:8]
        (method, target, operation, status, error, request_body, response_body) = row[8:15]
        response = None
        if status is not None:
            response = Response(status, self._headers(row[16]), self._body(response_body))
        return Exchange(
            wall_ns=wall_ns,
            arrived_ns=arrived_ns,
            request=Request(method, target, self._headers(row[15]), self._body(request_body)),
            response=response,
            total_ns=total_ns,
            ttfb_ns=ttfb_ns,
            connect_ns=connect_ns,
            in_flight=in_flight,
            connection_id=connection_id,
            lateness_ns=lateness_ns,
            error=error,
            operation=operation,
        )

    def _read_body(self, body_id: int | None) -> bytes:
        if body_id is None:
            return b""
        row = self._connection.execute(
            "SELECT size, encoding, content FROM body WHERE id = ?", (body_id,)
        ).fetchone()
        if row is None:
            raise ValueError(f"body {body_id} is missing")
        return unpack_body(*row)


@contextlib.contextmanager
def _told_as_recording_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # the reader was closed, or used from another thread: the program's own mistake
    except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
        raise RecordingError(
            f"the recording is torn or damaged: {error}", where=str(path), hint=_COPY_AGAIN
        ) from error


def _check_first_bytes(path: Path) -> None:
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
    if not _still_has_journal(path) and path.stat().st_size % _page_size(first):
        # SQLite would read the missing end of the last page as zeros.
        raise RecordingError("the recording is torn: its last page is cut", where=where, hint=_COPY_AGAIN)


def _page_size(first: bytes) -> int:
    """From the file's header, bytes 16 and 17; 1 stands for 65,536."""
    told = int.from_bytes(first[16:18])
    return 65_536 if told <= 1 else told


def _still_has_journal(path: Path) -> bool:
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


def _open(path: Path) -> sqlite3.Connection:
    """A read-only connection.

    A file that no journal lies beside is finished, and is opened as unchangeable: else SQLite
    would make a journal for it, and refuse where the folder cannot be written.
    """
    mode = "mode=ro" if _still_has_journal(path) else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
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


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        raise RecordingError(
            "this is a SQLite database, but not a recording",
            where=str(path),
            hint=_WRITTEN_BY,
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise RecordingError(
            f"the recording has schema version {version}, and this program reads {SCHEMA_VERSION}",
            where=str(path),
            hint="read it with the mockforge that wrote it, or record anew",
        )
