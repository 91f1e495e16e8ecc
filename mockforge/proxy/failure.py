"""How a target fails, in two words: the phase it failed in, and the reason."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from http import HTTPStatus
from typing import NamedTuple

from mockforge.model.exchange import Response
from mockforge.model.headers import Headers

__all__ = ["Failure", "plain_answer", "reason_of", "wire_bytes"]

_ERRNO_REASONS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ETIMEDOUT: "timeout",
    errno.EADDRNOTAVAIL: "no free local port",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
}

# The order matters: some of these are OSErrors too.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (asyncio.TimeoutError, "timeout"),
    (ssl.SSLCertVerificationError, "certificate not trusted"),
    (ssl.SSLError, "no TLS"),
    (socket.gaierror, "unknown host"),
)


class Failure(NamedTuple):
    """The target gave no complete answer.

    `phase` is where it failed: `connect`, `tls`, `send` (the request), `wait` (for the answer's head) or
    `body`.
    """

    phase: str
    reason: str

    def __str__(self) -> str:
        return f"{self.phase}: {self.reason}"

    @property
    def status(self) -> int:
        """What a gateway answers: 504 where the target was too slow, else 502."""
        return 504 if self.reason == "timeout" else 502


def reason_of(error: BaseException) -> str:
    """The reason in a word or two."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError) and error.errno in _ERRNO_REASONS:
        return _ERRNO_REASONS[error.errno]
    if isinstance(error, ConnectionError):
        return "reset"
    return " ".join(str(error).split())[:120] or type(error).__name__


def plain_answer(status: int, line: str) -> Response:
    """An answer of the proxy's own: one line of text; the connection ends with it."""
    body = f"mockforge: {line}\n".encode()
    fields = (
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    )
    return Response(status, Headers(fields), body, reason=HTTPStatus(status).phrase)


def wire_bytes(answer: Response) -> bytes:
    """The bytes of a `plain_answer`."""
    lines = [b"HTTP/1.1 %d %s" % (answer.status, answer.reason.encode("latin-1"))]
    lines += [name + b": " + value for name, value in answer.headers.raw()]
    return b"\r\n".join((*lines, b"", answer.body))
