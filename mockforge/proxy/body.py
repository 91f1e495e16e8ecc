"""Bodies as they pass: where they end, and as much of them as is kept.

A body is fed the reads that it comes in; each feeding gives where in the read the body ends. Nothing is
changed, and nothing is copied once a body is over what is kept.
"""

from __future__ import annotations

import re

from mockforge.model.headers import Headers
from mockforge.proxy.head import CHUNKED, HEAD_LIMIT, UNTIL_CLOSE, MalformedError, read_trailers

__all__ = ["Body", "body_of"]

_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
_EMPTY_LINES = frozenset({b"\r\n", b"\n"})


class Body:
    """What has passed of a body; `limit` bytes of it are kept, and nothing of one that is longer."""

    __slots__ = ("_limit", "_parts", "done", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        #: Bytes so far, without the chunks' framing.
        self.size = 0
        self.done = False

    def feed(self, data: bytes, at: int) -> int:
        """Take what belongs to the body from `at` on; where that ends. Raises MalformedError."""
        raise NotImplementedError

    @property
    def kept(self) -> bytes:
        return b"".join(self._parts)

    def take(self) -> list[bytes]:
        """What was kept since the last call, for whoever passes it on; it is kept no longer."""
        parts, self._parts = self._parts, []
        return parts

    @property
    def omitted(self) -> int:
        """The bytes that are not in `kept`: all of them, or none."""
        return self.size if self.size > self._limit else 0

    @property
    def trailers(self) -> Headers:
        return _NO_FIELDS

    def _keep(self, data: bytes, begin: int, end: int) -> None:
        self.size += end - begin
        if self.size <= self._limit:
            self._parts.append(data[begin:end])
        elif self._parts:
            self._parts = []


class _SizedBody(Body):
    """A body whose length was announced."""

    __slots__ = ("_left",)

    def __init__(self, limit: int, length: int) -> None:
        super().__init__(limit)
        self._left = length

    def feed(self, data: bytes, at: int) -> int:
        end = min(len(data), at + self._left)
        self._left -= end - at
        self.done = self._left == 0
        if end > at:
            self._keep(data, at, end)
        return end


class _EndlessBody(Body):
    """A body that the connection's end ends."""

    __slots__ = ()

    def feed(self, data: bytes, at: int) -> int:
        if len(data) > at:
            self._keep(data, at, len(data))
        return len(data)


class _ChunkedBody(Body):
    """A body in chunks (RFC 9112 §7.1).

    Between the data of two chunks stand lines: the end of one's data, the next one's size; after a size of
    zero the trailers, up to an empty line.
    """

    __slots__ = ("_expects", "_left", "_line", "_trailers")

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._left = 0
        #: The line that has begun in an earlier read.
        self._line = b""
        self._expects = _SIZE
        self._trailers = b""

    @property
    def trailers(self) -> Headers:
        return read_trailers(self._trailers)

    def feed(self, data: bytes, at: int) -> int:
        size = len(data)
        while at < size and not self.done:
            if self._left:
                end = min(size, at + self._left)
                self._keep(data, at, end)
                self._left -= end - at
                at = end
                continue
            end = data.find(b"\n", at) + 1
            line = self._line + (data[at:end] if end else data[at:])
            if len(line) > HEAD_LIMIT:
                raise MalformedError("a line between chunks does not end")
            if not end:
                self._line = line
                return size
            self._line = b""
            self._read(line)
            at = end
        return at

    def _read(self, line: bytes) -> None:
        if self._expects == _SIZE:
            found = _CHUNK_SIZE.fullmatch(line)
            if found is None:
                raise MalformedError("not a chunk's size")
            self._left = int(found[1], 16)
            self._expects = _DATA_END if self._left else _TRAILER
        elif self._expects == _DATA_END:
            if line not in _EMPTY_LINES:
                raise MalformedError("a chunk is longer than its size")
            self._expects = _SIZE
        elif line in _EMPTY_LINES:
            self.done = True
        else:
            self._trailers += line
            if len(self._trailers) > HEAD_LIMIT:
                raise MalformedError("the trailers do not end")


#: What the next line of a chunked body is.
_SIZE, _DATA_END, _TRAILER = range(3)

_NO_FIELDS = Headers()


def body_of(length: int, limit: int) -> Body | None:
    """The body that a head announces as `length` (bytes, CHUNKED or UNTIL_CLOSE); None for one of 0 bytes."""
    if length == 0:
        return None
    if length == CHUNKED:
        return _ChunkedBody(limit)
    if length == UNTIL_CLOSE:
        return _EndlessBody(limit)
    return _SizedBody(limit, length)
