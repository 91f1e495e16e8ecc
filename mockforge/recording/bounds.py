"""How large a recording may grow, and what happens when it has: nothing of it reaches the traffic."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mockforge.errors import UsageError
from mockforge.model.exchange import Exchange
from mockforge.recording.rows import RowInserter

__all__ = ["BoundedInserter", "Bounds"]

#: An empty recording has some 50,000 bytes.
_LEAST_BYTES = 100_000
#: What is left for the notes that tell of it.
_FOR_NOTES = 16_384
#: An exchange's row without its texts and bodies, generously.
_ROW_BYTES = 512
_PIECE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Bounds:
    """A recording of at most `max_bytes`, without the journal beside it (some 16 MB while it grows).

    `when_full`: "stop" writes nothing more; "drop-bodies" goes on with times and heads alone, which
    then grow past the bound. Raises UsageError where the bound is too small for any recording.
    """

    max_bytes: int
    when_full: Literal["stop", "drop-bodies"] = "stop"

    def __post_init__(self) -> None:
        if self.max_bytes < _LEAST_BYTES:
            raise UsageError(
                f"a recording cannot be held to {self.max_bytes:,} bytes",
                hint=f"{_LEAST_BYTES:,} is the least",
            )


class BoundedInserter:
    """Inserts exchanges up to the bound; `full` from then on, `whole` were inserted before."""

    def __init__(self, connection: sqlite3.Connection, rows: RowInserter, bounds: Bounds) -> None:
        self.full = False
        self.whole = 0
        self._connection = connection
        self._rows = rows
        self._bounds = bounds
        self._page_bytes = int(connection.execute("PRAGMA page_size").fetchone()[0])

    @property
    def stops(self) -> bool:
        """Whether nothing more is inserted once it is full."""
        return self._bounds.when_full == "stop"

    def told(self) -> str:
        """One line that says when the bound was reached, and what comes of it."""
        then = "nothing more is written" if self.stops else "bodies are left out, times and heads are kept"
        return (
            f"the recording has reached its bound of {self._bounds.max_bytes:,} bytes "
            f"after {self.whole:,} exchanges; from here on {then}"
        )

    def insert(self, exchanges: Sequence[Exchange]) -> int:
        """Insert what there is room for, in the transaction that is open; how many of them are in the file.

        Raises sqlite3.Error.
        """
        if not self.full and sum(map(_most_bytes, exchanges)) <= self._room():
            self._rows.insert(exchanges)
            self.whole += len(exchanges)
            return len(exchanges)
        # Near the bound one by one, as bodies that repeat or compress take less than they seem to.
        for done, exchange in enumerate(exchanges):
            if not self.full:
                self.full = not self._fits(exchange)
                self.whole += not self.full
            if self.full and self.stops:
                return done
            if self.full:
                self._rows.insert([_without_bodies(exchange)])
        return len(exchanges)

    def _fits(self, exchange: Exchange) -> bool:
        """Insert `exchange` if the file stays within the bound with it."""
        self._connection.execute("SAVEPOINT one")
        self._rows.insert([exchange])
        fits = self._room() >= 0
        if not fits:
            self._connection.execute("ROLLBACK TO one")
        self._connection.execute("RELEASE one")
        return fits

    def _room(self) -> int:
        """Bytes below the bound; what the open transaction has added is counted."""
        pages = int(self._connection.execute("PRAGMA page_count").fetchone()[0])
        return self._bounds.max_bytes - _FOR_NOTES - pages * self._page_bytes


def _most_bytes(exchange: Exchange) -> int:
    """Not less than what the file grows by with `exchange`, up to what its pages leave unused."""
    response = exchange.response
    bodies = len(exchange.request.body) + (len(response.body) if response else 0)
    heads = (exchange.request.headers, response.headers) if response else (exchange.request.headers,)
    texts = sum(len(name) + len(value) + 8 for head in heads for name, value in head)
    return _ROW_BYTES + len(exchange.request.target) + texts + bodies + len(exchange.pieces) * _PIECE_BYTES


def _without_bodies(exchange: Exchange) -> Exchange:
    """The same with its bodies' sizes in place of its bodies."""
    request, response = exchange.request, exchange.response
    request = dataclasses.replace(request, body=b"", omitted=request.size)
    if response is not None:
        response = dataclasses.replace(response, body=b"", omitted=response.size)
    return dataclasses.replace(exchange, request=request, response=response)
