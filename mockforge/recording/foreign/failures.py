"""The failures of other tools, in the words of a recording: `phase: reason`."""

from __future__ import annotations

import re

from mockforge.model.sample import FailureKind

__all__ = ["failure_of", "kind_of"]

_OURS = re.compile(r"(?:connect|tls|send|wait|body|caller|proxy): .")

#: A part of the tool's words, in lower case, and what it means. The first that fits counts.
_MEANINGS = (
    ("err_aborted", "caller: left"),
    ("binding_aborted", "caller: left"),
    ("client disconnect", "caller: left"),
    ("client closed", "caller: left"),
    ("refused", "connect: refused"),
    ("connect call failed", "connect: refused"),
    ("name_not_resolved", "connect: unknown host"),
    ("unknown_host", "connect: unknown host"),
    ("getaddrinfo", "connect: unknown host"),
    ("name or service not known", "connect: unknown host"),
    ("no address associated", "connect: unknown host"),
    ("unreachable", "connect: unreachable"),
    ("internet_disconnected", "connect: unreachable"),
    ("certificate", "tls: certificate not trusted"),
    ("err_cert_", "tls: certificate not trusted"),
    ("err_ssl_", "tls: no TLS"),
    ("tls handshake", "tls: no TLS"),
    ("connection_timed_out", "connect: timeout"),
    ("timed_out", "wait: timeout"),
    ("timed out", "wait: timeout"),
    ("timeout", "wait: timeout"),
    ("empty_response", "wait: closed without an answer"),
    ("server disconnected", "wait: closed without an answer"),
    ("closed connection", "wait: closed without an answer"),
    ("reset", "wait: reset"),
)


def failure_of(said: str, *, answered: bool) -> str:
    """What a tool said of a failure, as `phase: reason`; `answered` where an answer had begun by then."""
    said = " ".join(said.split())[:160]
    if _OURS.match(said):
        return said
    lowered = said.lower()
    meant = next((meaning for part, meaning in _MEANINGS if part in lowered), None)
    if meant is None:
        return f"{'body' if answered else 'wait'}: {said or 'no answer'}"
    phase, _, reason = meant.partition(": ")
    if answered and phase != "caller":
        return "body: closed too early" if reason.startswith("closed") else f"body: {reason}"
    return meant


def kind_of(said: str, *, answered: bool = False) -> FailureKind:
    """The kind of what a tool said of a failure; NONE where it said nothing."""
    if not said.strip():
        return FailureKind.NONE
    failure = failure_of(said, answered=answered)
    if failure == "caller: left":
        return FailureKind.CALLER_LEFT
    if "timeout" in failure.lower():
        return FailureKind.TIMEOUT
    if failure.startswith(("connect:", "tls:")):
        return FailureKind.CONNECTION
    return FailureKind.BROKEN
