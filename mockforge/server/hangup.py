"""Ending a connection by a reset (RST), which a caller sees as "connection reset by peer"."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress

if sys.platform == "linux":
    import fcntl

from mockforge.clock import Clock, DeadlineTimer

__all__ = ["reset_when_sent"]

#: Linger on, for no time: closing then drops what is unsent and sends a reset (socket(7), SO_LINGER).
_AT_ONCE = struct.pack("ii", 1, 0)
#: What was written before goes out first; a caller that takes none of it is not waited for longer.
_ROUNDS = 1_000
_ROUND_NS = 1_000_000
#: SIOCOUTQ of <linux/sockios.h>: bytes that the peer has not acknowledged.
_SIOCOUTQ = 0x5411


def reset_when_sent(transport: asyncio.Transport, timer: DeadlineTimer, clock: Clock) -> None:
    """Reset the connection once all that was written has arrived, or a second has passed."""
    rounds = iter(range(_ROUNDS))

    def look() -> None:
        if transport.is_closing():
            return
        if _unsent(transport) and next(rounds, None) is not None:
            timer.at(clock.now_ns() + _ROUND_NS, look)
        else:
            _with_socket(
                transport, lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            )
            transport.abort()

    look()


def _unsent(transport: asyncio.Transport) -> bool:
    if transport.get_write_buffer_size():
        return True
    if sys.platform != "linux":
        return False
    unacknowledged: list[int] = []
    _with_socket(transport, lambda sock: unacknowledged.append(_out_queue(sock)))
    return any(unacknowledged)


def _out_queue(sock: socket.socket) -> int:
    answer = fcntl.ioctl(sock.fileno(), _SIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", answer)[0])


def _with_socket(transport: asyncio.Transport, use: Callable[[socket.socket], object]) -> None:
    """Use the transport's socket by a descriptor of its own; uvloop's stand-in has no options."""
    held = transport.get_extra_info("socket")
    if held is None:
        return
    with suppress(OSError), socket.socket(fileno=socket.dup(held.fileno())) as own:
        use(own)
