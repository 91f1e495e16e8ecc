"""When each byte of an answer is due: pure plans, counted from the due time of its first byte.

A `Script` is what a connection does for one answer: pieces, each at its time, and what then becomes of the
connection. Pieces are made as they are needed, so that a plan for a gigabyte or for ever takes no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

__all__ = [
    "ALL_AT_ONCE",
    "SLICE",
    "Answer",
    "Finish",
    "InMemory",
    "Pace",
    "Piece",
    "Rate",
    "Script",
    "Source",
    "Spread",
    "first_bytes",
    "shifted",
]

#: No piece is larger, so that a slow reader holds no memory.
SLICE = 256 * 1024
#: A body whose time is given goes out in a piece so often, and in so many; at a rate in so many a second.
_SPREAD_NS = 5_000_000
_SPREAD_PIECES = 16
_PIECES_A_SECOND = 50


class Finish(Enum):
    """What becomes of the connection."""

    STAYS = "stays"
    CLOSES = "closes"
    RESETS = "resets"
    #: Nothing more is sent, and it stays open until the caller leaves or the server ends.
    HOLDS = "holds"


class Piece(NamedTuple):
    """Bytes, and when they are due."""

    at_ns: int
    data: bytes | memoryview


class Script(NamedTuple):
    """Pieces by rising time, and what follows the last at its time."""

    pieces: Iterator[Piece]
    finish: Finish


class Source(Protocol):
    """The bytes of a body, read once from its beginning to its end."""

    @property
    def size(self) -> int: ...

    def read(self, count: int) -> bytes | memoryview: ...


class InMemory:
    """A body that is there."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    @property
    def size(self) -> int:
        return len(self._data)

    def read(self, count: int) -> memoryview:
        self._at += count
        return self._data[self._at - count : self._at]


class Pace(Protocol):
    """How fast a body goes out."""

    def cuts(self, size: int) -> Iterator[tuple[int, int]]:
        """When so many more of `size` bytes are due."""
        ...


class _AllAtOnce:
    def cuts(self, size: int) -> Iterator[tuple[int, int]]:
        return ((0, min(SLICE, size - at)) for at in range(0, size, SLICE))


ALL_AT_ONCE: Pace = _AllAtOnce()


@dataclass(frozen=True, slots=True)
class Spread:
    """Pieces of equal size at equal distances, the last of them at `total_ns`; as many as suit the size and
    the time where `pieces` is None. A body of fewer bytes goes byte by byte."""

    total_ns: int
    pieces: int | None = None

    def cuts(self, size: int) -> Iterator[tuple[int, int]]:
        pieces = min(self.pieces or self._suitable(size), size)
        each = size // pieces if pieces else 0
        for number in range(1, pieces + 1):
            count = each if number < pieces else size - each * (pieces - 1)
            yield self.total_ns * number // pieces, count

    def _suitable(self, size: int) -> int:
        """A piece costs a wake-up: few in a short time, but none larger than a slice."""
        return max(1, min(_SPREAD_PIECES, self.total_ns // _SPREAD_NS), -(-size // SLICE))


@dataclass(frozen=True, slots=True)
class Rate:
    """So many bytes a second, each byte due when it would be through."""

    bytes_per_s: float

    def cuts(self, size: int) -> Iterator[tuple[int, int]]:
        each = max(1, min(SLICE, int(self.bytes_per_s / _PIECES_A_SECOND)))
        for at in range(0, size, each):
            count = min(each, size - at)
            yield round((at + count) / self.bytes_per_s * 1e9), count


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with its plan, for a fault to take from. `body_size` is None where that is not known."""

    head: bytes
    body: Iterator[Piece]
    body_size: int | None
    #: What becomes of the connection when all is out.
    finish: Finish

    @classmethod
    def of(cls, head: bytes, body: Source, pace: Pace) -> Answer:
        """One whose body's length its head tells."""
        size = body.size

        pieces = (Piece(at_ns, body.read(count)) for at_ns, count in pace.cuts(size))
        return cls(head, pieces, size, Finish.STAYS)

    def pieces(self) -> Iterator[Piece]:
        """All of it. A first piece that is due with the head goes in one with it."""
        first = next(self.body, None)
        if first is None:
            yield Piece(0, self.head)
        elif first.at_ns == 0:
            yield Piece(0, b"".join((self.head, first.data)))
        else:
            yield Piece(0, self.head)
            yield first
        yield from self.body

    def script(self) -> Script:
        """The answer as it is meant to be."""
        return Script(self.pieces(), self.finish)


def first_bytes(pieces: Iterator[Piece], count: int) -> Iterator[Piece]:
    """No more than the first `count` bytes, in their time."""
    for at_ns, data in pieces:
        if count <= 0:
            return
        yield Piece(at_ns, data[:count])
        count -= len(data)


def shifted(pieces: Iterator[Piece], by_ns: int) -> Iterator[Piece]:
    """The same, later."""
    return (Piece(at_ns + by_ns, data) for at_ns, data in pieces)
