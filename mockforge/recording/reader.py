"""Reading a recording, finished or still growing; the file is never changed.

What is wrong with the file is a RecordingError of one line, at opening or while reading.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Marker
from mockforge.model.sample import FailureKind
from mockforge.recording.decoding import ExchangeDecoder, expressions_of
from mockforge.recording.opening import (
    check_first_bytes,
    check_schema,
    open_for_reading,
    told_as_recording_errors,
)
from mockforge.recording.schema import FAILED, FAILURE, REQUEST_SIZE, RESPONSE_SIZE, meta_from_rows
from mockforge.recording.selection import Selection

__all__ = ["Columns", "Line", "RecordingReader", "Totals"]

#: So few that a batch stays in the processor's cache: a third faster than twenty thousand.
_ROWS_AT_ONCE = 500
_NUMBERS = 10

_COLUMNS = f"""
SELECT arrived_ns, total_ns, ifnull(ttfb_ns, -1), ifnull(status, 0), in_flight, ifnull(lateness_ns, -1),
       {FAILED}, {FAILURE}, ifnull({{response_size}}, -1), id, method, target, operation
FROM exchange
"""

_SIZES_OF_BODIES = {
    "request_size": f"({REQUEST_SIZE})",
    "response_size": f"({RESPONSE_SIZE})",
}


class Line(NamedTuple):
    """The figures of one exchange, None where unknown; times are nanoseconds, sizes bytes of bodies."""

    id: int
    arrived_ns: int
    wall_ns: int
    method: str
    target: str
    status: int | None
    error: str | None
    ttfb_ns: int | None
    total_ns: int
    connect_ns: int | None
    tls_ns: int | None
    lateness_ns: int | None
    in_flight: int
    connection_id: int
    request_size: int | None
    response_size: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """A recording in four figures; `started_ns` and `ended_ns` count from the run's start, 0 where empty."""

    count: int
    failed: int
    started_ns: int
    ended_ns: int


@dataclass(frozen=True, slots=True)
class Columns:
    """What statistics need of n exchanges, ordered by arrival; no headers, no bodies.

    Arrays have shape (n,), times are nanoseconds. `ttfb_ns` and `lateness_ns` are -1 where unknown,
    `status` is 0 where no answer came. `failed` is as `Exchange.failed`; `aborted` marks callers that left,
    `failure` are FailureKinds. `response_size` is -1 where unknown; `id` is the exchange's in its file.
    """

    arrived_ns: NDArray[np.int64]
    total_ns: NDArray[np.int64]
    ttfb_ns: NDArray[np.int64]
    status: NDArray[np.int32]
    in_flight: NDArray[np.int32]
    lateness_ns: NDArray[np.int64]
    failed: NDArray[np.bool_]
    aborted: NDArray[np.bool_]
    failure: NDArray[np.int8]
    response_size: NDArray[np.int64]
    id: NDArray[np.int64]
    method: list[str]
    target: list[str]
    operation: list[str | None]

    def __len__(self) -> int:
        return int(self.arrived_ns.size)


class RecordingReader:
    """An open recording; a context manager that closes it.

    Raises RecordingError when the file is missing, not a recording, torn, or of a newer schema version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        check_first_bytes(path)
        self._connection = open_for_reading(path)
        try:
            with told_as_recording_errors(path):
                #: The schema version of the file.
                self.version = check_schema(self._connection, path)
                rows: dict[str, str] = dict(self._connection.execute("SELECT key, value FROM meta"))
                self.meta = meta_from_rows(rows)
        except RecordingError:
            self._connection.close()
            raise
        self._decoder = ExchangeDecoder(self._connection, self.version)
        self._tags = itertools.count()

    @property
    def count(self) -> int:
        """Exchanges in the file at this moment."""
        with told_as_recording_errors(self.path):
            return int(self._connection.execute("SELECT count(*) FROM exchange").fetchone()[0])

    def totals(self) -> Totals:
        """Counts and times over every exchange in the file at this moment."""
        select = f"""
            SELECT count(*), ifnull(sum({FAILED}), 0), ifnull(min(arrived_ns), 0),
                   ifnull(max(arrived_ns + total_ns), 0) FROM exchange"""
        with told_as_recording_errors(self.path):
            return Totals(*self._connection.execute(select).fetchone())

    def connections(self) -> int:
        """The highest number of a connection; 0 where there is none."""
        select = "SELECT ifnull(max(connection_id), 0) FROM exchange"
        with told_as_recording_errors(self.path):
            return int(self._connection.execute(select).fetchone()[0])

    def markers(self) -> list[Marker]:
        """The markers, by time."""
        if self.version < 2:
            return []
        select = "SELECT label, at_ns, wall_ns FROM marker ORDER BY at_ns, id"
        with told_as_recording_errors(self.path):
            return [Marker(*row) for row in self._connection.execute(select)]

    def requests(self) -> set[tuple[str, str]]:
        """Every distinct (method, target): what operations are found from."""
        with told_as_recording_errors(self.path):
            return set(self._connection.execute("SELECT DISTINCT method, target FROM exchange"))

    def exchanges(self, selection: Selection | None = None) -> Iterator[Exchange]:
        """Every exchange, or those selected, ordered by arrival.

        Damage further in raises RecordingError once everything before it was given out.
        """
        with told_as_recording_errors(self.path):
            self._decoder.look_for_chunks()
            for row in self._select(self._decoder.select, selection, "ORDER BY arrived_ns, id"):
                yield self._decoder.exchange(row)

    def exchange(self, number: int) -> Exchange:
        """The exchange of that id; RecordingError where there is none."""
        with told_as_recording_errors(self.path):
            row = self._connection.execute(f"{self._decoder.select} WHERE id = ?", (number,)).fetchone()
            if row is not None:
                self._decoder.look_for_chunks()
                return self._decoder.exchange(row)
            first, last = self._connection.execute("SELECT min(id), max(id) FROM exchange").fetchone()
        there = "it holds none" if first is None else f"they go from {first} to {last}"
        raise RecordingError(f"there is no exchange {number}", where=str(self.path), hint=there)

    def lines(
        self, selection: Selection | None = None, *, slowest_first: bool = False, limit: int | None = None
    ) -> Iterator[Line]:
        """The figures of the exchanges selected, by arrival or by latency, at most `limit`."""
        expressions = expressions_of(self.version) | self._sizes()
        columns = ", ".join(expressions.get(name, name) for name in Line._fields)
        order = "total_ns DESC, id" if slowest_first else "arrived_ns, id"
        with told_as_recording_errors(self.path):
            rows = self._select(
                f"SELECT {columns} FROM exchange",
                selection,
                f"ORDER BY {order} LIMIT {-1 if limit is None else int(limit)}",
            )
            yield from map(Line._make, rows)

    def columns(self, selection: Selection | None = None) -> Columns:
        """The figures of every exchange, or those selected, in arrays, for statistics over a million."""
        blocks: list[NDArray[np.int64]] = []
        texts: list[list[Any]] = [[], [], []]
        names: dict[str | None, str | None] = {}
        with told_as_recording_errors(self.path):
            cursor = self._select(_COLUMNS.format_map(self._sizes()), selection, "")
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                columns = list(zip(*rows, strict=True))
                blocks.append(np.array(columns[:_NUMBERS], dtype=np.int64))
                # One string object a distinct text: methods, targets and names repeat.
                for text, column in zip(texts, columns[_NUMBERS:], strict=True):
                    text.extend(map(names.setdefault, column, column))
        table = np.concatenate(blocks, axis=1) if blocks else np.empty((_NUMBERS, 0), dtype=np.int64)
        order = np.argsort(table[0], kind="stable")
        table = table[:, order]
        method, target, operation = (_ordered(text, order) for text in texts)
        return Columns(
            arrived_ns=table[0],
            total_ns=table[1],
            ttfb_ns=table[2],
            status=table[3].astype(np.int32),
            in_flight=table[4].astype(np.int32),
            lateness_ns=table[5],
            failed=table[6].astype(np.bool_),
            aborted=table[7] == FailureKind.CALLER_LEFT,
            failure=table[7].astype(np.int8),
            response_size=table[8],
            id=table[9],
            method=method,
            target=target,
            operation=operation,
        )

    def _sizes(self) -> dict[str, str]:
        """What to select for the sizes of bodies."""
        return _SIZES_OF_BODIES if self.version < 2 else {name: name for name in _SIZES_OF_BODIES}

    def close(self) -> None:
        """Free the file. May be called twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _select(self, select: str, selection: Selection | None, rest: str) -> sqlite3.Cursor:
        if selection is None:
            return self._connection.execute(f"{select} {rest}")
        # Functions under names of their own: those of a statement that is still running cannot be replaced.
        tag = f"_{next(self._tags)}"
        for name, function in selection.functions(tag).items():
            self._connection.create_function(name, -1, function, deterministic=True)
        where, values = selection.where(tag)
        return self._connection.execute(f"{select} WHERE {where} {rest}", values)


def _ordered(texts: list[Any], order: NDArray[np.int64]) -> list[Any]:
    """The texts in that order, which most recordings are written in."""
    if bool((order[1:] > order[:-1]).all()):
        return texts
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return list(array[order])
