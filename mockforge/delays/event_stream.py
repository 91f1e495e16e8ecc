"""Server-sent events as bytes with their times (WHATWG HTML §9.2)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from mockforge.delays.pacing import Answer, Finish, Piece
from mockforge.model.sending import EventStream, ServerSentEvent

__all__ = ["STREAM_HEADERS", "CompiledStream", "compile_stream"]

#: What a stream's head says unless the stub does.
STREAM_HEADERS = ((b"Content-Type", b"text/event-stream"), (b"Cache-Control", b"no-cache"))

_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class CompiledStream:
    """Events as bytes, each so long after the one before; `rounds` None is for ever."""

    events: tuple[tuple[int, bytes], ...]
    rounds: int | None
    stays_open: bool

    @property
    def is_endless(self) -> bool:
        return self.rounds is None or self.stays_open

    def answer(self, head: bytes, ending: bytes, *, chunked: bool) -> Answer:
        """The stream as an answer: `chunked`, or until the connection closes."""
        framing = _CHUNKED if chunked else b""
        finish = Finish.HOLDS if self.stays_open else Finish.STAYS if chunked else Finish.CLOSES
        return Answer(head + framing + ending, self._pieces(chunked=chunked), None, finish)

    def once(self) -> CompiledStream:
        """A single round of a stream that is for ever, which then stays open."""
        return self if self.rounds is not None else CompiledStream(self.events, 1, stays_open=True)

    def _pieces(self, *, chunked: bool) -> Iterator[Piece]:
        at_ns = 0
        for _ in itertools.count() if self.rounds is None else range(self.rounds):
            for after_ns, data in self.events:
                at_ns += after_ns
                yield Piece(at_ns, b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
        if chunked and not self.stays_open:
            yield Piece(at_ns, _LAST_CHUNK)


def compile_stream(stream: EventStream) -> CompiledStream:
    """The stream as it goes out."""
    events = tuple((round(event.delay_ms * 1e6), _bytes(event)) for event in stream.events)
    return CompiledStream(events, stream.rounds, stream.stays_open)


def _bytes(event: ServerSentEvent) -> bytes:
    return "".join(f"{line}\n" for line in (*_lines(event), "")).encode()


def _lines(event: ServerSentEvent) -> Iterator[str]:
    if event.comment is not None:
        yield from (f": {line}" for line in event.comment.splitlines() or [""])
    if event.id is not None:
        yield f"id: {event.id}"
    if event.event is not None:
        yield f"event: {event.event}"
    if event.retry_ms is not None:
        yield f"retry: {event.retry_ms}"
    if event.data is not None:
        text = event.data if isinstance(event.data, str) else orjson.dumps(event.data).decode()
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        yield from (f"data: {line}" for line in lines)
