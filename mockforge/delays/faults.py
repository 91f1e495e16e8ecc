"""Faults: what a connection does in place of an answer; one function each, found by its name.

To add one: write a function from `Fault` and `Answer` to a `Script`, and enter it in `FAULTS`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from mockforge.delays.pacing import Answer, Finish, Piece, Script, Spread, first_bytes, shifted

__all__ = ["FAULTS", "Fault", "FaultKind"]

_MALFORMED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_SLOW_HEADERS_NS = 10 * 10**9


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that happens. `noise` is drawn for it, where it sends any."""

    kind: str
    after_bytes: int | None = None
    duration_ns: int | None = None
    noise: bytes = b""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What a fault does, and which parameters it takes. It `needs_answer` where it sends part of one."""

    play: Callable[[Fault, Answer], Script]
    takes: frozenset[str] = frozenset()
    noise_bytes: int = 0
    needs_answer: bool = False


def _reset(fault: Fault, answer: Answer) -> Script:
    return Script(iter(()), Finish.RESETS)


def _empty(fault: Fault, answer: Answer) -> Script:
    return Script(iter(()), Finish.CLOSES)


def _malformed(fault: Fault, answer: Answer) -> Script:
    return Script(iter((Piece(0, _MALFORMED + fault.noise),)), Finish.CLOSES)


def _random(fault: Fault, answer: Answer) -> Script:
    return Script(iter((Piece(0, fault.noise),)), Finish.CLOSES)


def _reset_after(fault: Fault, answer: Answer) -> Script:
    """The first bytes of head and body, half of them unless told, then a reset."""
    count = fault.after_bytes
    if count is None:
        count = (len(answer.head) + (answer.body_size or 0)) // 2
    return Script(first_bytes(answer.pieces(), count), Finish.RESETS)


def _truncated(fault: Fault, answer: Answer) -> Script:
    """The head, which promises the whole body, and the first bytes of it, half of them unless told."""
    count = (answer.body_size or 0) // 2 if fault.after_bytes is None else fault.after_bytes
    return Script(first_bytes(answer.pieces(), len(answer.head) + count), Finish.CLOSES)


def _never(fault: Fault, answer: Answer) -> Script:
    """Nothing, for a time or until the caller leaves."""
    if fault.duration_ns is None:
        return Script(iter(()), Finish.HOLDS)
    return Script(iter((Piece(fault.duration_ns, b""),)), Finish.CLOSES)


def _slow_head(fault: Fault, answer: Answer) -> Script:
    """The head byte by byte, then the body as it would have come."""
    total_ns = _SLOW_HEADERS_NS if fault.duration_ns is None else fault.duration_ns
    head = answer.head

    def slowly() -> Iterator[Piece]:
        ends = Spread(total_ns, len(head)).cuts(len(head))
        return (Piece(at_ns, head[at : at + 1]) for at, (at_ns, _) in enumerate(ends))

    return Script(itertools.chain(slowly(), shifted(answer.body, total_ns)), answer.finish)


_BYTES = frozenset({"afterBytes"})
_DURATION = frozenset({"duration"})

FAULTS: Mapping[str, FaultKind] = {
    "CONNECTION_RESET_BY_PEER": FaultKind(_reset),
    "EMPTY_RESPONSE": FaultKind(_empty),
    "MALFORMED_RESPONSE_CHUNK": FaultKind(_malformed, noise_bytes=64),
    "NO_RESPONSE": FaultKind(_never, takes=_DURATION),
    "RANDOM_DATA_THEN_CLOSE": FaultKind(_random, noise_bytes=64),
    "RESET_AFTER_BYTES": FaultKind(_reset_after, takes=_BYTES, needs_answer=True),
    "SLOW_HEADERS": FaultKind(_slow_head, takes=_DURATION, needs_answer=True),
    "TRUNCATED_BODY": FaultKind(_truncated, takes=_BYTES, needs_answer=True),
}
