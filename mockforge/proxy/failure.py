"""How a target fails, in two words: the phase it failed in, and the reason."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

import aiohttp

__all__ = ["UpstreamError", "reason_of"]

_ERRNO_REASONS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ETIMEDOUT: "timeout",
    errno.EADDRNOTAVAIL: "no free local port",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
}


class UpstreamError(Exception):
    """The target gave no complete answer.

    `phase` is where it failed: `connect`, `send` (the request), `wait` (for the answer's head), `body`.
    """

    def __init__(self, phase: str, reason: str) -> None:
        self.phase = phase
        self.reason = reason
        super().__init__(f"{phase}: {reason}")

    @property
    def status(self) -> int:
        """What a gateway answers: 504 where the target was too slow, else 502."""
        return 504 if self.reason == "timeout" else 502


def reason_of(error: BaseException) -> str:
    """The reason in a word or two, from the first cause that has a name."""
    cause: BaseException | None = error
    while cause is not None:
        named = _named(cause)
        if named:
            return named
        cause = getattr(cause, "os_error", None) or cause.__cause__
    return " ".join(str(error).split())[:120] or type(error).__name__


def _named(error: BaseException) -> str | None:
    # The order matters: some of these are OSErrors too.
    reasons: tuple[tuple[type[BaseException], str], ...] = (
        (asyncio.TimeoutError, "timeout"),
        (ssl.SSLCertVerificationError, "certificate not trusted"),
        (ssl.SSLError, "no TLS"),
        (socket.gaierror, "unknown host"),
        (aiohttp.ServerDisconnectedError, "closed without an answer"),
        (aiohttp.ClientResponseError, "not HTTP"),
        (aiohttp.http_exceptions.TransferEncodingError, "closed before its end"),
        (aiohttp.http_exceptions.ContentLengthError, "closed before its end"),
        (aiohttp.http_exceptions.HttpProcessingError, "not HTTP"),
    )
    for kind, reason in reasons:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError) and error.errno in _ERRNO_REASONS:
        return _ERRNO_REASONS[error.errno]
    if type(error) is ConnectionResetError:
        return "reset"
    return None
