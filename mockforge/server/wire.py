"""What the server itself says on the wire of HTTP/1.1."""

from __future__ import annotations

from mockforge.model.response import status_line

__all__ = ["CONTINUE", "refusal"]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def refusal(status: int, reason: str) -> bytes:
    """A whole answer that says why a request cannot be read; the connection ends with it."""
    body = f"{reason}\n".encode()
    return b"".join(
        (
            status_line(status),
            b"Content-Type: text/plain; charset=utf-8\r\n",
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body),
            body,
        )
    )
