"""What is asked of an upstream, and how its answer comes: the seam between who answers and who fetches."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from mockforge.model.headers import Headers
from mockforge.targets import Target

__all__ = ["AnswerSink", "OutgoingRequest", "Upstream", "UpstreamCall", "UpstreamHead"]

#: Sending these twice does what sending them once does (RFC 9110 §9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


class OutgoingRequest(NamedTuple):
    """A whole request to `target`: `path` is path and query as they go out, `headers` all fields."""

    target: Target
    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""

    @property
    def url(self) -> str:
        return self.target.origin + self.path

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent a second time, where a kept connection turns out to be closed."""
        return self.method in _IDEMPOTENT

    @property
    def wire(self) -> bytes:
        """The bytes to send."""
        lines = [f"{self.method} {self.path} HTTP/1.1".encode()]
        lines += [name + b": " + value for name, value in self.headers]
        return b"\r\n".join((*lines, b"", self.body))


class UpstreamHead(NamedTuple):
    """The head of an answer; `length` is that of the body to come, None where it was not told."""

    status: int
    reason: str
    headers: Headers
    length: int | None


class AnswerSink(Protocol):
    """Who asked: hears of the answer in parts, and of its end exactly once, unless it cancels."""

    def on_interim(self, head: UpstreamHead) -> None:
        """A 1xx answer came ahead of the final one."""

    def on_head(self, head: UpstreamHead) -> None:
        """The final answer's head is here."""

    def on_body(self, data: bytes) -> None:
        """Some of the body, without the framing that it came in."""

    def on_read(self) -> None:
        """All of the answer that has come so far has been told, and there is more to come."""

    def on_end(self, trailers: Headers) -> None:
        """The answer is complete."""

    def on_failure(self, status: int, what: str) -> None:
        """There is no complete answer: `phase: reason`, and what a gateway would answer, 502 or 504."""


class UpstreamCall(Protocol):
    """A request under way. `connect_ns` and `tls_ns` are None where a kept connection serves."""

    connect_ns: int | None
    tls_ns: int | None

    def pause(self) -> None:
        """Take no more of the answer for now."""

    def resume(self) -> None:
        """Go on."""

    def cancel(self) -> None:
        """Nobody waits for the answer any more: the sink hears nothing further."""


class Upstream(Protocol):
    """Sends requests; a failure is told to the sink and is no exception."""

    def send(self, request: OutgoingRequest, sink: AnswerSink) -> UpstreamCall:
        """Send now; the sink is not called before this returns."""
        ...

    async def close(self) -> None:
        """Give up what is under way, and every connection."""
