"""Writing a recording: callers hand over exchanges and go on, one thread writes them in short transactions.

The law of this file: nothing that happens on the disk reaches a caller of `add`. A full disk or a removed
file becomes `failure`, what was committed before it stays, what comes after it is counted in `dropped`.

An exchange is committed within some 100 ms of `add` while the disk keeps up: the thread gathers for
`_GATHER_S`, and commits whenever a transaction has lasted `_TRANSACTION_NS`. The journal is a write-ahead
log with `synchronous=NORMAL`: a killed process loses nothing that was committed, and a machine that loses
its power never leaves a torn file.

Secrets never reach the disk: a redactor sees every exchange on that thread before anything of it is written,
and an exchange that it fails on is not written at all.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Marker
from mockforge.recording.bounds import BoundedInserter, Bounds
from mockforge.recording.rows import ROWS_AT_ONCE, STATEMENTS, RowInserter
from mockforge.recording.schema import SCHEMA_VERSION, RecordingMeta, create_tables, notes_to_rows

__all__ = ["RecordingWriter", "Redacts"]

_GATHER_S = 0.005
_TRANSACTION_NS = 50_000_000


class Redacts(Protocol):
    """Takes secrets out of an exchange; called on the writer's thread."""

    def redact(self, exchange: Exchange) -> Exchange: ...


@dataclass(slots=True)
class _Batch:
    """What was handed over up to a moment; `waiting` are those to be told once it is in the file."""

    exchanges: list[Exchange] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    waiting: list[threading.Event] = field(default_factory=list)
    ended: bool = False


class RecordingWriter:
    """Writes one recording file; a context manager that closes it.

    Raises RecordingError when the file exists already or cannot be made. After that nothing raises:
    see `failure`, and `notices` for what a person should hear of meanwhile.
    """

    def __init__(
        self,
        path: Path,
        meta: RecordingMeta,
        *,
        redactor: Redacts | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self.path = path
        #: Exchanges that are in the file for good.
        self.count = 0
        #: Exchanges that came after `failure`, after a bound that stops, after `close`, or were under
        #: way at the failure.
        self.dropped = 0
        #: Exchanges that were not written because redacting them failed.
        self.unredacted = 0
        #: Why nothing more is written, or None.
        self.failure: RecordingError | None = None
        #: Whether the bound was reached.
        self.full = False
        #: Lines that a person should see, each once; it only grows.
        self.notices: list[str] = []
        self._redactor = redactor
        self._queue: queue.SimpleQueue[Exchange | Marker | threading.Event | None] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._closing = False
        self._stopped = False
        self._adding = threading.Lock()
        self._closing_notes: dict[str, str | Callable[[], str]] = {}
        self._connection, self._identity = _create(path, meta)
        self._rows = RowInserter(self._connection)
        self._bounded = BoundedInserter(self._connection, self._rows, bounds) if bounds else None
        self._thread = threading.Thread(target=self._run, name=f"recording {path.name}", daemon=True)
        self._thread.start()

    def add(self, exchange: Exchange) -> None:
        """Have `exchange` written soon; never blocks, never raises, may be called from any thread."""
        with self._adding:
            if self._stopped:
                self.dropped += 1
            else:
                self._queue.put(exchange)

    def mark(self, marker: Marker) -> None:
        """Have `marker` written soon; as `add`."""
        with self._adding:
            if not self._stopped:
                self._queue.put(marker)

    def note(self, key: str, value: str | Callable[[], str]) -> None:
        """Have `value` stand under `key` in the notes once it is closed: what only a run's end tells.

        A function is called on the writer's thread, once everything was written.
        """
        self._closing_notes[key] = value

    def flush(self) -> None:
        """Wait until what was added so far is in the file, or `failure` says why it is not."""
        written = threading.Event()
        with self._adding:
            if self._closing:
                return
            self._queue.put(written)
        self._hurry.set()
        written.wait()

    def close(self) -> None:
        """Write what was added, fold the journal into the one file, end the thread. May be called twice."""
        with self._adding:
            if not self._closing:
                self._closing = self._stopped = True
                self._queue.put(None)
        self._hurry.set()
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

    def _stop(self) -> None:
        with self._adding:
            self._stopped = True

    def _run(self) -> None:
        ended = False
        while not ended:
            batch = self._gather()
            if self.failure is None:
                self._write(batch)
            else:
                self._drop(len(batch.exchanges))
            for written in batch.waiting:
                written.set()
            ended = batch.ended
        self._write_closing_notes()
        _fold(self._connection)

    def _gather(self) -> _Batch:
        """Whatever was added up to a moment after the first one."""
        batch = _Batch()
        items = [self._queue.get()]
        self._hurry.wait(_GATHER_S)
        self._hurry.clear()
        items += [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for item in items:
            if isinstance(item, Exchange):
                batch.exchanges.append(item)
            elif isinstance(item, Marker):
                batch.markers.append(item)
            elif item is None:
                batch.ended = True
            else:
                batch.waiting.append(item)
        return batch

    def _write(self, batch: _Batch) -> None:
        connection, exchanges = self._connection, batch.exchanges
        ahead, pending = len(exchanges), 0
        try:
            self._write_markers(batch.markers)
            for first in range(0, len(exchanges), ROWS_AT_ONCE):
                if not connection.in_transaction:
                    connection.execute("BEGIN")
                    begun_ns = time.monotonic_ns()
                some = exchanges[first : first + ROWS_AT_ONCE]
                kept = self._redacted(some)
                pending += self._insert(kept)
                ahead -= len(some)
                if time.monotonic_ns() - begun_ns > _TRANSACTION_NS:
                    self._commit(pending)
                    pending = 0
            if connection.in_transaction:
                self._commit(pending)
        except Exception as error:  # of any kind: a thread that ended without a word would lose the rest
            self._fail(str(error))
            self._drop(ahead + pending)

    def _write_markers(self, markers: list[Marker]) -> None:
        for marker in markers:
            self._rows.insert_marker(marker)

    def _redacted(self, exchanges: list[Exchange]) -> list[Exchange]:
        """Those that may be written, without their secrets."""
        if self._redactor is None:
            return exchanges
        kept = []
        for exchange in exchanges:
            try:
                kept.append(self._redactor.redact(exchange))
            except Exception as error:
                # The error's own text could hold the secret.
                if not self.unredacted:
                    kind = type(error).__name__
                    self.notices.append(f"an exchange could not be redacted and was not kept: {kind}")
                self.unredacted += 1
        return kept

    def _insert(self, exchanges: list[Exchange]) -> int:
        """How many of the exchanges went in: all, but where the bound stops it."""
        if self._bounded is None:
            self._rows.insert(exchanges)
            return len(exchanges)
        done = self._bounded.insert(exchanges)
        if self._bounded.full and not self.full:
            self._tell_full(self._bounded)
        self._drop(len(exchanges) - done)
        return done

    def _tell_full(self, bounded: BoundedInserter) -> None:
        self.full = True
        self.notices.append(bounded.told())
        notes = notes_to_rows({"full": bounded.told()})
        self._connection.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", notes)
        if bounded.stops:
            self._stop()

    def _write_closing_notes(self) -> None:
        notes = {key: _told(value) for key, value in self._closing_notes.items()}
        if self.unredacted:
            notes["unredacted"] = f"{self.unredacted} exchanges could not be redacted and were not kept"
        if self.full and self.dropped:
            notes["dropped"] = f"{self.dropped} exchanges came after the bound was reached"
        try:
            self._connection.executemany(
                "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", notes_to_rows(notes)
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
        self._stop()


def _told(value: str | Callable[[], str]) -> str:
    """A note's text; a mistake in what tells it must not cost the recording its orderly end."""
    if isinstance(value, str):
        return value
    try:
        return value()
    except Exception as error:
        return f"unknown: {type(error).__name__}"


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
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS
        )
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
