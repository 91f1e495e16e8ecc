"""Why a request failed, in a few words that are the same for the same cause."""

from __future__ import annotations

import errno
import socket
import ssl

__all__ = ["ABORTED", "LIMIT", "reason_of"]

#: The error of what was under way when a replay was ended.
ABORTED = "aborted: the replay was ended"

LIMIT = "dropped: {} requests were under way already"

_OS_REASONS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timed out",
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.EMFILE: "this machine allows no more open files",
    errno.EADDRNOTAVAIL: "this machine has no free ports left",
}


def reason_of(failure: BaseException) -> str:
    """The reason behind `phase: ` for what the socket or the TLS layer raised."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {failure.verify_message}"
    if isinstance(failure, ssl.SSLError):
        return f"TLS failed: {failure.reason or failure}"
    if isinstance(failure, socket.gaierror):
        return "the host name is not known"
    if isinstance(failure, OSError):
        return _OS_REASONS.get(failure.errno or 0) or failure.strerror or _said(failure)
    return _said(failure)


def _said(failure: BaseException) -> str:
    return " ".join(str(failure).split()) or type(failure).__name__
