"""A target's failure is told in two words."""

from __future__ import annotations

import errno
import socket
import ssl

import aiohttp
import pytest
from aiohttp import http_exceptions

from mockforge.proxy.failure import UpstreamError, reason_of


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refused"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "reset"),
        (ConnectionResetError("Connection lost"), "reset"),
        (BrokenPipeError(errno.EPIPE, "x"), "reset"),
        (OSError(errno.ENETUNREACH, "x"), "unreachable"),
        (OSError(errno.EMFILE, "x"), "too many open files"),
        (TimeoutError(), "timeout"),
        (aiohttp.ServerTimeoutError("slow"), "timeout"),
        (socket.gaierror(-2, "x"), "unknown host"),
        (ssl.SSLCertVerificationError("x"), "certificate not trusted"),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "no TLS"),
        (aiohttp.ServerDisconnectedError(), "closed without an answer"),
        (http_exceptions.BadStatusLine("x"), "not HTTP"),
        (aiohttp.ClientOSError(errno.ECONNRESET, "x"), "reset"),
        (
            caused(aiohttp.ClientPayloadError("x"), http_exceptions.TransferEncodingError("x")),
            "closed before its end",
        ),
        (caused(aiohttp.ClientError("x"), OSError(errno.EHOSTUNREACH, "y")), "unreachable"),
        (ValueError("a reason\nof two lines"), "a reason of two lines"),
        (ValueError(), "ValueError"),
    ],
)
def test_the_reason_is_named(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_a_failure_reads_phase_then_reason() -> None:
    assert str(UpstreamError("connect", "refused")) == "connect: refused"


def test_a_slow_target_is_504_and_any_other_failure_502() -> None:
    assert UpstreamError("connect", "timeout").status == 504
    assert UpstreamError("wait", "reset").status == 502
