"""What goes out: a rendered response, and when it is due."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

__all__ = ["BODILESS", "UNKNOWN_LENGTH", "DelayPlan", "RenderedResponse", "failed", "status_line"]

#: Statuses whose answers never have a body, nor a Content-Length (RFC 9110 §8.6, §15.3.5, §15.4.5).
BODILESS = frozenset({204, 304})


#: The length of a body that ends when it ends.
UNKNOWN_LENGTH = -1


def status_line(status: int) -> bytes:
    """`HTTP/1.1 404 Not Found` and its line end; a status without a name of its own has an empty phrase."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("latin-1")


@dataclass(frozen=True, slots=True)
class RenderedResponse:
    """Bytes ready to send; `headers` as raw pairs, without framing.

    `head` is the status line and all fields as HTTP/1.1 has them, Content-Length included, but for the empty
    line that ends them. `length` is the body's where `body` does not hold it: a file's, or UNKNOWN_LENGTH.
    `failure` says why this is not what the stub was to answer.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    length: int | None = None
    failure: str | None = field(default=None, compare=False)
    head: bytes = field(init=False, repr=False, compare=False)
    _wire: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = [_STATUS_LINES.get(self.status) or status_line(self.status)]
        for name, value in self.headers:
            parts += (name, b": ", value, b"\r\n")
        length = self.body_length
        if length is not None:
            parts.append(b"Content-Length: %d\r\n" % length)
        object.__setattr__(self, "head", b"".join(parts))

    @property
    def body_length(self) -> int | None:
        """What Content-Length says; None where there is none."""
        if self.status in BODILESS or self.length == UNKNOWN_LENGTH:
            return None
        return len(self.body) if self.length is None else self.length

    @property
    def elsewhere(self) -> int:
        """Bytes of the body that `body` does not hold."""
        return self.length if self.length and self.length > 0 else 0

    @property
    def wire(self) -> bytes:
        """The whole answer to anything but HEAD, on a connection that stays; made once."""
        if self._wire is None:
            object.__setattr__(self, "_wire", b"".join((self.head, b"\r\n", self.body_for("GET"))))
        return self._wire  # type: ignore[return-value]

    def body_for(self, method: str) -> bytes:
        """The body that an answer to `method` carries: none to HEAD, none with a bodiless status."""
        return b"" if method == "HEAD" or self.status in BODILESS else self.body


def failed(stub: str | None, what: str) -> RenderedResponse:
    """A 500 that says what is wrong, and names the stub where it is known."""
    whose = "" if stub is None else f"stub {stub!r}: "
    headers = ((b"Content-Type", b"text/plain; charset=utf-8"),)
    return RenderedResponse(500, headers, f"{whose}{what}\n".encode(), failure=f"{whose}{what}")


_STATUS_LINES = {status: status_line(status) for status in range(100, 600)}


class DelayPlan(NamedTuple):
    """When a response is due: absolute monotonic nanoseconds, counted from the request's arrival."""

    arrived_ns: int
    first_byte_ns: int
