"""Exchanges as rows: what is inserted for each, and every distinct body once.

Rows go in some dozens a statement: SQLite lets go of the interpreter's lock at every statement, and under
load it is milliseconds until the writing thread gets it back. Row by row, it would fall behind a busy proxy.
"""

from __future__ import annotations

import functools
import hashlib
import sqlite3
from collections.abc import Sequence
from itertools import chain

from mockforge.model.exchange import Exchange, Marker
from mockforge.recording.schema import ADDED_COLUMNS, headers_to_json, pack_body, storable

__all__ = ["ROWS_AT_ONCE", "STATEMENTS", "RowInserter"]

#: Exchanges, or chunks, that one statement inserts.
ROWS_AT_ONCE = 32

#: Distinct statements that a connection keeps prepared: one a number of rows, for each of the tables.
STATEMENTS = 5 * ROWS_AT_ONCE

#: Distinct bodies whose ids are remembered; others are looked up in the file by their digest.
_KNOWN_BODIES = 65_536

_EXCHANGE_COLUMNS = (
    "id",
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
    *ADDED_COLUMNS,
)
_BODY_COLUMNS = ("id", "sha256", "size", "encoding", "content")
_CHUNK_COLUMNS = ("exchange_id", "number", "at_ns", "size", "kind")

Row = tuple[int | str | bytes | None, ...]


class RowInserter:
    """Inserts into a file that held nothing when this was made; used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._body_ids: dict[bytes, int] = {}
        self._last_body_id = 0
        self._last_id = 0

    def insert(self, exchanges: Sequence[Exchange]) -> None:
        """Insert up to `ROWS_AT_ONCE` exchanges with their bodies and chunks; raises sqlite3.Error."""
        bodies: list[Row] = []
        chunks: list[Row] = []
        rows = [self._row(exchange, bodies, chunks) for exchange in exchanges]
        self._insert_into("body", _BODY_COLUMNS, bodies)
        self._insert_into("exchange", _EXCHANGE_COLUMNS, rows)
        for first in range(0, len(chunks), ROWS_AT_ONCE):
            self._insert_into("chunk", _CHUNK_COLUMNS, chunks[first : first + ROWS_AT_ONCE])
        self._forget_bodies()

    def insert_marker(self, marker: Marker) -> None:
        """Insert the row of a marker; raises sqlite3.Error."""
        row = (marker.at_ns, marker.wall_ns, storable(marker.label))
        self._insert_into("marker", ("at_ns", "wall_ns", "label"), [row])

    def _insert_into(self, table: str, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
        if rows:
            statement = _insert_statement(table, columns, len(rows))
            self._connection.execute(statement, list(chain.from_iterable(rows)))

    def _row(self, exchange: Exchange, bodies: list[Row], chunks: list[Row]) -> Row:
        """The row of one exchange; its chunks, and its bodies that are not in the file, go to the lists."""
        request, response = exchange.request, exchange.response
        self._last_id += 1
        if exchange.pieces:
            pieces = enumerate(exchange.pieces)
            chunks += [(self._last_id, at, piece.at_ns, piece.size, piece.kind) for at, piece in pieces]
        return (
            self._last_id,
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
            exchange.tls_ns,
            request.size,
            response.size if response else None,
            storable(response.reason) if response and response.reason else None,
            headers_to_json(request.trailers) if request.trailers.pairs else None,
            headers_to_json(response.trailers) if response and response.trailers.pairs else None,
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
        """Keep the memory of bodies bounded, once they are in the file and can be found there."""
        while len(self._body_ids) > _KNOWN_BODIES:
            del self._body_ids[next(iter(self._body_ids))]

    def _find_body(self, digest: bytes) -> int | None:
        row = self._connection.execute("SELECT id FROM body WHERE sha256 = ?", (digest,)).fetchone()
        return int(row[0]) if row else None


@functools.cache
def _insert_statement(table: str, columns: tuple[str, ...], rows: int) -> str:
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"
