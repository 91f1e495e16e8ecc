"""What the server itself says on the wire of HTTP/1.1, and the one target form that it has to read."""

from __future__ import annotations

from collections.abc import Iterable

from mockforge.model.response import status_line

__all__ = ["CLOSES", "CONTINUE", "KEEPS_ALIVE", "STAYS", "chunk", "head_of", "origin_form", "refusal"]

#: How a head ends, by what becomes of the connection: it stays, as is usual; it stays for a caller of
#: HTTP/1.0, which has to be told; it closes.
STAYS = b"\r\n"
KEEPS_ALIVE = b"Connection: keep-alive\r\n\r\n"
CLOSES = b"Connection: close\r\n\r\n"

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def head_of(status: int, reason: str, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A status line and fields, without the empty line that ends them."""
    lines = [f"HTTP/1.1 {status} {reason}\r\n".encode("latin-1")]
    for name, value in fields:
        lines += (name, b": ", value, b"\r\n")
    return b"".join(lines)


def chunk(data: bytes) -> bytes:
    """Some of a body whose length is not known in advance (RFC 9112 §7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def refusal(status: int, reason: str, *, bodiless: bool = False) -> bytes:
    """A whole answer that says why a request is not served; the connection ends with it.

    It is `bodiless` as the answer to HEAD.
    """
    body = f"{reason}\n".encode()
    return b"".join(
        (
            status_line(status),
            b"Content-Type: text/plain; charset=utf-8\r\n",
            b"Content-Length: %d\r\n" % len(body),
            CLOSES,
            b"" if bodiless else body,
        )
    )


def origin_form(target: str) -> str:
    """A target in absolute form, as callers of a proxy send it, as path and query (RFC 9112 §3.2.2).

    The asterisk form is left as it is.
    """
    _, found, rest = target.partition("://")
    if not found:
        return target
    authority_end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    path = rest[authority_end:]
    return path if path.startswith("/") else f"/{path}"
