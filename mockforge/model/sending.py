"""How an answer's bytes go out where that is not all at once, as it is written: pace, events, faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockforge.model.stub import DelayDistribution

__all__ = ["BodyFile", "Dribble", "EventStream", "FaultDefinition", "SendingDefinition", "ServerSentEvent"]


@dataclass(frozen=True, slots=True)
class BodyFile:
    """A body too large to be held: where it lies, and what it was when it was looked at.

    `device`, `inode` and `modified_ns` tell whether it is still the same; they are not written.
    """

    path: str = field(compare=False)
    size: int
    device: int = field(default=0, compare=False)
    inode: int = field(default=0, compare=False)
    modified_ns: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Dribble:
    """A body in so many pieces, the last of them `total_ms` after the head."""

    pieces: int
    total_ms: float


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a stream, `delay_ms` after the one before. `data` is a text, or JSON; None sends none."""

    data: object = None
    event: str | None = None
    id: str | None = None
    retry_ms: int | None = None
    comment: str | None = None
    delay_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class EventStream:
    """Server-sent events, `rounds` times over (None: for ever); then the stream ends, or stays open."""

    events: tuple[ServerSentEvent, ...]
    rounds: int | None = 1
    stays_open: bool = False


@dataclass(frozen=True, slots=True)
class FaultDefinition:
    """A fault of `mockforge.delays.faults`, how often it comes, and what it may be told."""

    kind: str
    probability: float = 1.0
    after_bytes: int | None = None
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class SendingDefinition:
    """At most one of the three paces: `dribble`, `bandwidth` in bytes a second, `body_time`, a law of the
    time from the answer's first byte to its last."""

    dribble: Dribble | None = None
    bandwidth: float | None = None
    body_time: DelayDistribution | None = None
    events: EventStream | None = None
    fault: FaultDefinition | None = None
