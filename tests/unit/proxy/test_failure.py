"""A target's failure is told in two words."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from mockforge.proxy.failure import Failure, plain_answer, reason_of, wire_bytes


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
        (socket.gaierror(-2, "x"), "unknown host"),
        (ssl.SSLCertVerificationError("x"), "certificate not trusted"),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "no TLS"),
        (ValueError("a reason\nof two lines"), "a reason of two lines"),
        (ValueError(), "ValueError"),
    ],
)
def test_the_reason_is_named(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


def test_a_failure_reads_phase_then_reason() -> None:
    assert str(Failure("connect", "refused")) == "connect: refused"


def test_a_slow_target_is_504_and_any_other_failure_502() -> None:
    assert Failure("connect", "timeout").status == 504
    assert Failure("wait", "reset").status == 502


def test_an_answer_of_the_proxys_own_is_one_line_and_the_connections_last() -> None:
    answer = plain_answer(502, "the target failed")
    assert wire_bytes(answer) == (
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 29\r\n"
        b"Connection: close\r\n\r\nmockforge: the target failed\n"
    )
