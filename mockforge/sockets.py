"""Listening: bind an address before anything else starts, and say in one line why that cannot be."""

from __future__ import annotations

import errno
import socket

from mockforge.errors import AddressError

__all__ = ["BACKLOG", "listen"]

#: Connections that may wait to be accepted: a load test opens thousands at once.
BACKLOG = 16_384


_HINTS = {
    errno.EADDRINUSE: ("is in use", "end the other program or choose another --port; 0 takes a free one"),
    errno.EACCES: ("may not be used by this user", "choose a --port above 1023"),
    errno.EADDRNOTAVAIL: ("is not an address of this machine", "choose a --host of this machine"),
}


def listen(host: str, port: int, backlog: int = BACKLOG) -> socket.socket:
    """A bound, listening, non-blocking TCP socket; port 0 takes a free one.

    Raises AddressError when the address is taken, not permitted or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(backlog)
        sock.setblocking(False)
    except (OSError, OverflowError) as error:
        sock.close()
        why, hint = _HINTS.get(
            getattr(error, "errno", None) or 0, (f"cannot be used: {error}", "check --host")
        )
        raise AddressError(f"{host}:{port} {why}", hint=hint) from error
    return sock
