"""Writing a recording: callers hand over exchanges and go on, one thread writes them in short transactions.

The law of this file: nothing that happens on the disk reaches a caller of `add`. A full disk or a removed
file becomes `failure`, what was committed before it stays, what comes after it is counted in `dropped`.

An exchange is committed within some 100 ms of `add` while the disk keeps up: the thread gathers for
`_GATHER_S`, and commits whenever a transaction has lasted `_TRANSACTION_NS`. The journal is a write-ahead
log with `synchronous=NORMAL`: a killed process loses nothing that was committed, and a machine that loses
its power never leaves a torn file.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import queue
import sqlite3
import threading
import time
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange
from mockforge.recording.schema import (
    SCHEMA_VERSION,
    RecordingMeta,
    create_tables,
    headers_to_json,
    notes_to_rows,
    pack_body,
    storable,
)

__all__ = ["RecordingWriter"]

_GATHER_S = 0.05
_TRANSACTION_NS = 50_000_000

#: Distinct bodies whose ids are remembered; others are looked up in the file by their digest.
_KNOWN_BODIES = 65_536

#: Rows that one statement inserts. SQLite lets go of the interpreter's lock at every statement, and under
#: load it is milliseconds until the thread gets it back: row by row, it would fall behind a busy proxy.
_ROWS_AT_ONCE = 32

_EXCHANGE_COLUMNS = (
    "wall_ns",
    "arrived_ns",
    "connect_ns",
    "ttfb_ns",
    "total_ns",
    "lateness_ns",
    "in_flight",
    "connection_id",
    "method",
    "target",
    "operation",
    "status",
    "error",
    "request_body_id",
    "response_body_id",
    "request_headers",
    "response_headers",
)
_BODY_COLUMNS = ("id", "sha256", "size", "encoding", "content")

Row = tuple[int | str | bytes | None, ...]


class RecordingWriter:
    """Writes one recording file; a context manager that closes it.

    Raises RecordingError when the file exists already or cannot be made. After that nothing raises:
    see `failure`.
    """

    def __init__(self, path: Path, meta: RecordingMeta) -> None:
        self.path = path
        #: Exchanges that are in the file for good.
        self.count = 0
        #: Exchanges that came after `failure` or after `close`, or were under way at the failure.
        self.dropped = 0
        #: Why nothing more is written, or None.
        self.failure: RecordingError | None = None
        self._queue: queue.SimpleQueue[Exchange | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._adding = threading.Lock()
        self._body_ids: dict[bytes, int] = {}
        self._last_body_id = 0
        self._closing_notes: dict[str, str] = {}
        self._connection, self._identity = _create(path, meta)
        self._thread = threading.Thread(target=self._run, name=f"recording {path.name}", daemon=True)
        self._thread.start()

    def add(self, exchange: Exchange) -> None:
        """Have `exchange` written soon; never blocks, never raises, may be called from any thread."""
        with self._adding:
            if self.failure is None and not self._closing.is_set():
                self._queue.put(exchange)
            else:
                self.dropped += 1

    def note(self, key: str, value: str) -> None:
        """Have `value` stand under `key` in the notes once it is closed: what only a run's end tells."""
        self._closing_notes[key] = value

    def close(self) -> None:
        """Write what was added, fold the journal into the one file, end the thread. May be called twice."""
        with self._adding:
            if not self._closing.is_set():
                self._closing.set()
                self._queue.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _drop(self, number: int) -> None:
        with self._adding:
            self.dropped += number

    def _run(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._gather()
            if self.failure is None:
                self._write(batch)
            else:
                self._drop(len(batch))
        self._write_notes()
        _fold(self._connection)

    def _gather(self) -> tuple[list[Exchange], bool]:
        """Whatever was added up to a moment after the first one, and whether the end was called."""
        batch: list[Exchange] = []
        item = self._queue.get()
        self._closing.wait(_GATHER_S)
        for _ in range(self._queue.qsize()):
            if item is None:
                break
            batch.append(item)
            item = self._queue.get_nowait()
        if item is not None:
            batch.append(item)
        return batch, item is None

    def _write(self, batch: list[Exchange]) -> None:
        connection = self._connection
        pending = 0
        done = 0
        try:
            for first in range(0, len(batch), _ROWS_AT_ONCE):
                if not pending:
                    connection.execute("BEGIN")
                    begun_ns = time.monotonic_ns()
                some = batch[first : first + _ROWS_AT_ONCE]
                self._insert(some)
                self._forget_bodies()
                pending += len(some)
                if time.monotonic_ns() - begun_ns > _TRANSACTION_NS:
                    self._commit(pending)
                    done, pending = done + pending, 0
            if pending:
                self._commit(pending)
        except (sqlite3.Error, OSError, OverflowError) as error:
            self._fail(str(error))
            self._drop(len(batch) - done)

    def _write_notes(self) -> None:
        try:
            self._connection.executemany(
                "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", notes_to_rows(self._closing_notes)
            )
        except sqlite3.Error as error:
            if self.failure is None:
                self._fail(str(error))

    def _commit(self, pending: int) -> None:
        """Commit; a file that was removed or replaced meanwhile would swallow everything without a word."""
        self._connection.execute("COMMIT")
        try:
            here = _identity(self.path)
        except OSError as error:
            raise OSError("the file was removed") from error
        if here != self._identity:
            raise OSError("another file has taken its place")
        self.count += pending

    def _fail(self, why: str) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        self.failure = RecordingError(
            f"the recording cannot be written any more: {why}",
            where=str(self.path),
            hint=f"the {self.count} exchanges before it are kept; make room and record to another file",
        )

    def _insert(self, exchanges: list[Exchange]) -> None:
        bodies: list[Row] = []
        rows = [self._row(exchange, bodies) for exchange in exchanges]
        if bodies:
            self._connection.execute(
                _insert_statement("body", _BODY_COLUMNS, len(bodies)), list(chain.from_iterable(bodies))
            )
        self._connection.execute(
            _insert_statement("exchange", _EXCHANGE_COLUMNS, len(rows)), list(chain.from_iterable(rows))
        )

    def _row(self, exchange: Exchange, bodies: list[Row]) -> Row:
        """The row of one exchange; rows for bodies that are not in the file yet are added to `bodies`."""
        request, response = exchange.request, exchange.response
        return (
            exchange.wall_ns,
            exchange.arrived_ns,
            exchange.connect_ns,
            exchange.ttfb_ns,
            exchange.total_ns,
            exchange.lateness_ns,
            exchange.in_flight,
            exchange.connection_id,
            storable(request.method),
            storable(request.target),
            storable(exchange.operation) if exchange.operation is not None else None,
            response.status if response else None,
            storable(exchange.error) if exchange.error is not None else None,
            self._body_id(request.body, bodies),
            self._body_id(response.body, bodies) if response else None,
            headers_to_json(request.headers),
            headers_to_json(response.headers) if response else None,
        )

    def _body_id(self, body: bytes, bodies: list[Row]) -> int | None:
        """The id of the row that holds `body`, which is added to `bodies` if there is none."""
        if not body:
            return None
        digest = hashlib.sha256(body).digest()
        body_id = self._body_ids.get(digest)
        if body_id is None:
            body_id = self._find_body(digest) if self._last_body_id > _KNOWN_BODIES else None
            if body_id is None:
                self._last_body_id += 1
                body_id = self._last_body_id
                stored = pack_body(body, digest)
                bodies.append((body_id, digest, stored.size, stored.encoding, stored.content))
            self._body_ids[digest] = body_id
        return body_id

    def _forget_bodies(self) -> None:
        """Keep the memory of bodies bounded; those of rows that are still to be inserted stay known."""
        while len(self._body_ids) > _KNOWN_BODIES:
            del self._body_ids[next(iter(self._body_ids))]

    def _find_body(self, digest: bytes) -> int | None:
        row = self._connection.execute("SELECT id FROM body WHERE sha256 = ?", (digest,)).fetchone()
        return int(row[0]) if row else None


@functools.cache
def _insert_statement(table: str, columns: tuple[str, ...], rows: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"


def _create(path: Path, meta: RecordingMeta) -> tuple[sqlite3.Connection, tuple[int, int]]:
    """A new file with its tables in it, and the identity of that file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=False)
    except FileExistsError as error:
        if not path.exists():
            raise RecordingError(
                "the folder of the recording cannot be made: a file is in its way", where=str(path.parent)
            ) from error
        raise RecordingError(
            "the recording exists already", where=str(path), hint="choose another name or remove it first"
        ) from error
    except OSError as error:
        raise RecordingError(
            f"the recording cannot be made: {error.strerror}",
            where=str(path),
            hint="choose a folder that can be written",
        ) from error
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        create_tables(connection, meta)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        # The journal comes to be with its first write; readers know by it that the file still grows.
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        return connection, _identity(path)
    except (sqlite3.Error, OSError) as error:
        path.unlink(missing_ok=True)
        raise RecordingError(f"the recording cannot be made: {error}", where=str(path)) from error


def _fold(connection: sqlite3.Connection) -> None:
    """Leave one plain file that opens anywhere, also from a read-only folder.

    Where a reader is at it, or the disk is full, the journal stays beside the file and is read with it.
    """
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout = 200")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def _identity(path: Path) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116 - called at every commit
    return status.st_dev, status.st_ino
