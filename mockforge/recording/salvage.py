"""What can still be read of a damaged recording, into a new one.

The rows are read in the order of their ids. Where a page of the file cannot be read, the search goes on
behind it: in growing steps until a row can be read, then back to the first one that can. Bodies, chunks and
markers that are lost cost no exchange: the sizes of bodies stay.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Marker, Piece
from mockforge.recording.decoding import ExchangeDecoder
from mockforge.recording.derive import write_recording
from mockforge.recording.opening import check_is_sqlite, open_leniently
from mockforge.recording.schema import APPLICATION_ID, SCHEMA_VERSION, RecordingMeta, meta_from_rows

__all__ = ["Salvaged", "salvage"]

#: A page holds some ten rows; longer steps would pass over whole pages.
_LONGEST_STEP = 64
#: Rows of the smallest size on one page of 4,096 bytes, for when nothing tells how many there were.
_MOST_ROWS_A_PAGE = 64

_DAMAGE = (sqlite3.Error, ValueError, TypeError, KeyError)


@dataclass(slots=True)
class Salvaged:
    """What was saved and what was lost.

    `exchanges_lost` is None where nothing tells how many there were; of `timelines_lost` nothing tells
    whether there were any.
    """

    exchanges: int = 0
    exchanges_lost: int | None = None
    bodies_lost: int = 0
    timelines_lost: int = 0
    meta_lost: bool = False
    markers_lost: bool = False


def salvage(path: Path, out: Path) -> Salvaged:
    """Write what can be read of `path` into a new recording `out`; `path` is not changed.

    Raises RecordingError where nothing can be read.
    """
    check_is_sqlite(path)
    salvaged = Salvaged()
    with contextlib.closing(open_leniently(path)) as connection:
        version = _version(connection, path)
        decoder = _LenientDecoder(connection, version, salvaged)
        rows = _Rows(connection, decoder)
        first = next(rows.exchanges(), None)
        if first is None:
            raise RecordingError("no exchange can be read any more", where=str(path))
        meta, markers = _meta(connection, first, salvaged), _markers(connection, version, salvaged)
        salvaged.exchanges = write_recording(out, meta, rows.exchanges(), markers=markers)
        known = rows.number_and_end()
        if known is not None:
            salvaged.exchanges_lost = max(known[0] - salvaged.exchanges, 0)
    return salvaged


class _LenientDecoder(ExchangeDecoder):
    """Counts the bodies and chunks that cannot be read, and goes on without them."""

    def __init__(self, connection: sqlite3.Connection, version: int, salvaged: Salvaged) -> None:
        super().__init__(connection, version)
        self._salvaged = salvaged
        self._lost: set[int] = set()
        with contextlib.suppress(*_DAMAGE):
            self.look_for_chunks()

    def read_body(self, body_id: int | None) -> bytes:
        try:
            return super().read_body(body_id)
        except _DAMAGE:
            assert body_id is not None
            self._lost.add(body_id)
            self._salvaged.bodies_lost = len(self._lost)
            return b""

    def read_pieces(self, exchange_id: int) -> tuple[Piece, ...]:
        try:
            return super().read_pieces(exchange_id)
        except _DAMAGE:
            self._salvaged.timelines_lost += 1
            return ()


class _Rows:
    """The table of exchanges, as far as it can be read."""

    def __init__(self, connection: sqlite3.Connection, decoder: ExchangeDecoder) -> None:
        self._connection = connection
        self._decoder = decoder

    def exchanges(self) -> Iterator[Exchange]:
        """Every exchange that can be read, by id."""
        at, step, bad = 1, 1, 0  # `bad`: the last id from which nothing could be read, 0 since the last row
        end = self._end()
        while at <= end:
            try:
                if bad and step > 1:
                    at = self._first_readable(bad, at)
                select = f"{self._decoder.select} WHERE id >= ? ORDER BY id"
                for row in self._connection.execute(select, (at,)):
                    if at <= row[0] <= end:  # torn pages also give ids that are out of order
                        at, step, bad = row[0] + 1, 1, 0
                        with contextlib.suppress(*_DAMAGE):
                            yield _whole(self._decoder.exchange(row))
                return
            except sqlite3.Error:
                bad = at
                at += step
                step = min(step * 2, _LONGEST_STEP)

    def number_and_end(self) -> tuple[int, int] | None:
        """How many there were and their last id, told by the index or the last row; None by neither."""
        for select in (
            "SELECT count(*), max(id) FROM exchange INDEXED BY exchange_by_arrival",
            "SELECT max(id), max(id) FROM exchange",
        ):
            with contextlib.suppress(*_DAMAGE):
                number, end = self._connection.execute(select).fetchone()
                return int(number), int(end)
        return None

    def _end(self) -> int:
        """An id that none is above."""
        known = self.number_and_end()
        if known is not None:
            return known[1]
        pages = int(self._connection.execute("PRAGMA page_count").fetchone()[0])
        return pages * _MOST_ROWS_A_PAGE

    def _first_readable(self, bad: int, good: int) -> int:
        """Between an id from which nothing can be read and a later one, where reading works again.

        Raises sqlite3.Error where it does not work from `good` either.
        """
        self._probe(good)
        while good - bad > 1:
            middle = (bad + good) // 2
            try:
                self._probe(middle)
                good = middle
            except sqlite3.Error:
                bad = middle
        return good

    def _probe(self, number: int) -> None:
        self._connection.execute("SELECT total_ns FROM exchange WHERE id >= ? LIMIT 1", (number,)).fetchone()


def _whole(exchange: Exchange) -> Exchange:
    """The exchange, if its parts are of their types; raises TypeError. Torn pages may hold anything."""
    request, response = exchange.request, exchange.response
    numbers = (exchange.wall_ns, exchange.arrived_ns, exchange.total_ns, exchange.in_flight)
    status = response.status if response else 0
    if not all(isinstance(number, int) for number in (*numbers, exchange.connection_id, status)):
        raise TypeError("a number is torn")
    if not all(isinstance(text, str) for text in (request.method, request.target, exchange.error or "")):
        raise TypeError("a text is torn")
    return exchange


def _version(connection: sqlite3.Connection, path: Path) -> int:
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        connection.execute("SELECT 1 FROM exchange LIMIT 0")
    except sqlite3.Error as error:
        raise RecordingError(
            f"the first page of the recording is gone, and with it where the others are: {error}",
            where=str(path),
        ) from error
    if application != APPLICATION_ID or not 1 <= version <= SCHEMA_VERSION:
        raise RecordingError("this is not a recording that this program can read", where=str(path))
    return version


def _meta(connection: sqlite3.Connection, first: Exchange, salvaged: Salvaged) -> RecordingMeta:
    try:
        return meta_from_rows(dict(connection.execute("SELECT key, value FROM meta")))
    except _DAMAGE:
        salvaged.meta_lost = True
        return RecordingMeta("recording", "unknown", first.wall_ns - first.arrived_ns)


def _markers(connection: sqlite3.Connection, version: int, salvaged: Salvaged) -> list[Marker]:
    if version < 2:
        return []
    markers: list[Marker] = []
    try:
        markers += (Marker(*row) for row in connection.execute("SELECT label, at_ns, wall_ns FROM marker"))
    except _DAMAGE:
        salvaged.markers_lost = True
    return markers
