"""Rows of a recording, of any version, as exchanges."""

from __future__ import annotations

import functools
import sqlite3
from typing import Any

from mockforge.model.exchange import Exchange, Piece, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.schema import ADDED_COLUMNS, headers_from_json, unpack_body

__all__ = ["ExchangeDecoder", "expressions_of"]

_SELECT = """
SELECT id, wall_ns, arrived_ns, connect_ns, ttfb_ns, total_ns, lateness_ns, in_flight, connection_id,
       method, target, operation, status, error, request_body_id, response_body_id,
       request_headers, response_headers,
       {tls_ns}, {request_size}, {response_size}, {reason}, {request_trailers}, {response_trailers}
FROM exchange"""


def expressions_of(version: int) -> dict[str, str]:
    """What to select for each column that not every version has."""
    return {name: name if version > 1 else "NULL" for name in ADDED_COLUMNS}


class ExchangeDecoder:
    """Makes exchanges of the rows that `select` gives.

    What does not decode raises ValueError, TypeError or sqlite3.Error.
    """

    def __init__(self, connection: sqlite3.Connection, version: int) -> None:
        #: The statement, without a condition.
        self.select = _SELECT.format_map(expressions_of(version))
        self._connection = connection
        self._version = version
        self._has_chunks = False
        # Few distinct header sets and bodies make up a recording, so each is decoded once.
        self._headers = functools.lru_cache(maxsize=1024)(headers_from_json)
        self._body = functools.lru_cache(maxsize=64)(self.read_body)

    def look_for_chunks(self) -> None:
        """See whether there are any; most recordings have none, and need not be asked for each exchange."""
        select = "SELECT EXISTS (SELECT 1 FROM chunk)"
        self._has_chunks = self._version > 1 and bool(self._connection.execute(select).fetchone()[0])

    def exchange(self, row: tuple[Any, ...]) -> Exchange:
        """The exchange of one row of `select`."""
        (wall_ns, arrived_ns, connect_ns, ttfb_ns, total_ns, lateness_ns, in_flight, connection_id) = row[1:9]
        (method, target, operation, status, error, request_body, response_body) = row[9:16]
        (tls_ns, request_size, response_size, reason, request_trailers, response_trailers) = row[18:]
        body = self._body(request_body)
        trailers = self._trailers(request_trailers)
        request = Request(
            method, target, self._headers(row[16]), body, trailers, _omitted(request_size, body)
        )
        response = None
        if status is not None:
            body = self._body(response_body)
            trailers = self._trailers(response_trailers)
            omitted = _omitted(response_size, body)
            response = Response(status, self._headers(row[17]), body, trailers, omitted, reason or "")
        return Exchange(
            wall_ns=wall_ns,
            arrived_ns=arrived_ns,
            request=request,
            response=response,
            total_ns=total_ns,
            ttfb_ns=ttfb_ns,
            connect_ns=connect_ns,
            in_flight=in_flight,
            connection_id=connection_id,
            lateness_ns=lateness_ns,
            error=error,
            operation=operation,
            tls_ns=tls_ns,
            pieces=self.read_pieces(row[0]) if self._has_chunks else (),
        )

    def read_body(self, body_id: int | None) -> bytes:
        """The body of that id; of none, nothing."""
        if body_id is None:
            return b""
        row = self._connection.execute(
            "SELECT size, encoding, content FROM body WHERE id = ?", (body_id,)
        ).fetchone()
        if row is None:
            raise ValueError(f"body {body_id} is missing")
        return unpack_body(*row)

    def read_pieces(self, exchange_id: int) -> tuple[Piece, ...]:
        """The chunks of one exchange, in order."""
        select = "SELECT at_ns, size, kind FROM chunk WHERE exchange_id = ? ORDER BY number"
        return tuple(Piece(*row) for row in self._connection.execute(select, (exchange_id,)))

    def _trailers(self, text: str | None) -> Headers:
        return Headers() if text is None else self._headers(text)


def _omitted(size: int | None, body: bytes) -> int:
    """Bytes of a body that were not kept; where the size is not in the file, all of it was."""
    return 0 if size is None else max(size - len(body), 0)
