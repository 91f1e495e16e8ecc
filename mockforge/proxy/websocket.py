"""Lengths of WebSocket frames (RFC 6455 §5.2), read off the bytes that pass."""

from __future__ import annotations

__all__ = ["FrameLengths"]

_MASKED = 0x80
_SHORTEST_HEAD = 2


class FrameLengths:
    """One direction of a WebSocket connection, fed in reads of any size."""

    __slots__ = ("_head", "_left", "_size")

    def __init__(self) -> None:
        self._head = b""
        #: The payload of the frame that is passing, and how much of it is still to come.
        self._size = 0
        self._left = 0

    def feed(self, data: bytes) -> list[int]:
        """The payload lengths, in bytes, of the frames that end within `data`."""
        ended: list[int] = []
        at = 0
        while at < len(data):
            if self._left == 0:
                head = self._head + data[at : at + 14 - len(self._head)]
                length = _head_length(head)
                if len(head) < length:
                    self._head = head
                    break
                at += length - len(self._head)
                self._head = b""
                self._size = self._left = _payload_length(head)
            taken = min(self._left, len(data) - at)
            self._left -= taken
            at += taken
            if self._left == 0:
                ended.append(self._size)
        return ended


def _head_length(head: bytes) -> int:
    """How long a frame's head is, as far as its first bytes tell."""
    if len(head) < _SHORTEST_HEAD:
        return _SHORTEST_HEAD
    extended = {126: 2, 127: 8}.get(head[1] & 0x7F, 0)
    return _SHORTEST_HEAD + extended + (4 if head[1] & _MASKED else 0)


def _payload_length(head: bytes) -> int:
    short = head[1] & 0x7F
    if short == 126:
        return int.from_bytes(head[2:4], "big")
    if short == 127:
        return int.from_bytes(head[2:10], "big")
    return short
