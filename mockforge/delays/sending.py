"""From what is written of an answer's sending to what is drawn for one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from mockforge.delays.distributions import Distribution, compile_distribution
from mockforge.delays.event_stream import CompiledStream, compile_stream
from mockforge.delays.faults import FAULTS, Fault
from mockforge.delays.pacing import ALL_AT_ONCE, Answer, Finish, Pace, Piece, Rate, Script, Source, Spread
from mockforge.errors import StubFileError
from mockforge.model.sending import BodyFile, FaultDefinition, SendingDefinition

__all__ = ["CompiledSending", "Sending", "compile_sending"]


@dataclass(frozen=True, slots=True)
class Sending:
    """How one answer goes out: its body's pace, the file it is read from, its events, its fault.

    Every time in it is multiplied by `scale`.
    """

    pace: Pace = ALL_AT_ONCE
    file: BodyFile | None = None
    stream: CompiledStream | None = None
    fault: Fault | None = None
    scale: float = 1.0

    @property
    def is_endless(self) -> bool:
        """Whether only the caller or the server ends it."""
        return self.stream is not None and self.stream.is_endless

    def of_file(self, file: BodyFile) -> Sending:
        """The same, with its body read from a file."""
        return replace(self, file=file)

    def script(self, head: bytes, ending: bytes, body: Source | None, *, chunked: bool) -> Script:
        """The plan of an answer with this head, `body` None where it can have none.

        A stream of events is `chunked`, or lasts until the connection closes.
        """
        if body is None:
            answer = Answer(head + ending, iter(()), 0, Finish.STAYS)
        elif self.stream is not None:
            stream = self.stream if self.scale else self.stream.once()
            answer = stream.answer(head, ending, chunked=chunked)
        else:
            answer = Answer.of(head + ending, body, self.pace)
        script = answer.script() if self.fault is None else FAULTS[self.fault.kind].play(self.fault, answer)
        return script if self.scale == 1 else Script(self._scaled(script.pieces), script.finish)

    def _scaled(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        return (Piece(int(at_ns * self.scale), data) for at_ns, data in pieces)


@dataclass(frozen=True, slots=True)
class CompiledSending:
    """The sending of one response, ready to be drawn for each request."""

    pace: Pace | None
    body_time: Distribution | None
    file: BodyFile | None
    stream: CompiledStream | None
    fault: FaultDefinition | None

    def draw(
        self, level: float, number: Callable[[], float], random: Random, scale: float = 1.0
    ) -> Sending | None:
        """How this answer goes out; None where it is as any other.

        The body's time is drawn at the `level` of the answer's delay, so that what is slow to begin is slow
        to end; `number` is uniform, and drawn for a fault that does not always come.
        """
        fault = self._fault(number, random)
        pace = ALL_AT_ONCE if self.pace is None else self.pace
        if self.body_time is not None:
            pace = Spread(self.body_time.at(level))
        if pace is ALL_AT_ONCE and fault is None and self.file is None and self.stream is None:
            return None
        return Sending(pace, self.file, self.stream, fault, scale)

    def _fault(self, number: Callable[[], float], random: Random) -> Fault | None:
        fault = self.fault
        if fault is None or (fault.probability < 1 and number() >= fault.probability):
            return None
        duration_ns = None if fault.duration_ms is None else round(fault.duration_ms * 1e6)
        noise = random.randbytes(FAULTS[fault.kind].noise_bytes)
        return Fault(fault.kind, fault.after_bytes, duration_ns, noise)


def compile_sending(written: SendingDefinition | None, file: BodyFile | None) -> CompiledSending | None:
    """None for an answer that goes out at once; StubFileError where a fault is not known."""
    if written is None:
        return None if file is None else CompiledSending(None, None, file, None, None)
    pace: Pace | None = None
    if written.dribble is not None:
        pace = Spread(round(written.dribble.total_ms * 1e6), written.dribble.pieces)
    elif written.bandwidth is not None:
        pace = Rate(written.bandwidth)
    if written.fault is not None and written.fault.kind not in FAULTS:
        raise StubFileError(f"fault {written.fault.kind!r} is not known", hint=f"known: {', '.join(FAULTS)}")
    return CompiledSending(
        pace,
        compile_distribution(written.body_time) if written.body_time is not None else None,
        file,
        compile_stream(written.events) if written.events is not None else None,
        written.fault,
    )
