"""Heads of requests and answers: read for what they say, passed on as they stand.

Framing follows RFC 9112 §6. Reading is as lenient as the callers and backends of the field are (line ends
without a carriage return, folded lines, lines that are no field, any method): what the proxy would refuse, a
recording could not show. Only what leaves open where a message ends is refused.

Load repeats heads byte for byte, so what was read of one is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from mockforge.model.exchange import Request
from mockforge.model.headers import Headers
from mockforge.targets import Target

__all__ = [
    "CHUNKED",
    "HEAD_LIMIT",
    "NOT_HTTP",
    "UNTIL_CLOSE",
    "AnswerHead",
    "MalformedError",
    "RefusedError",
    "RequestHead",
    "answer_head_end",
    "head_end",
    "may_begin_request",
    "read_answer_head",
    "read_trailers",
    "request_reader",
]

#: The longest head, and so the longest target, in bytes.
HEAD_LIMIT = 65_536
#: What is said of a target that does not answer with a head.
NOT_HTTP = "not HTTP"

#: Lengths of bodies whose end is not known in advance.
CHUNKED = -1
UNTIL_CLOSE = -2

#: What ends a head: an empty line.
_HEAD_END = re.compile(rb"\n\r?\n")

#: Heads that are remembered: of one backend there are rarely more kinds at once.
_REMEMBERED = 512

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rf"[\r\n]*({_WORD}) ([^ \r\n]+) HTTP/(\d)\.(\d)[ \t]*\r?\n".encode())
_REQUEST_BEGIN = re.compile(rf"[\r\n]*(?:{_WORD}(?: |\Z)|\Z)".encode())
_STATUS_LINE = re.compile(r"[\r\n]*HTTP/(\d)\.(\d) (\d{3})(?: ([^\r\n]*))?\r?\n")
_FIELD = re.compile(r"^([^\s:][^:\r\n]*):([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)\r?\n", re.MULTILINE)
_FOLD = re.compile(r"\r?\n[ \t]+")
_HOST = re.compile(rb"(\nhost[ \t]*:[ \t]*)[^\r\n]*", re.IGNORECASE)

#: Sending these twice does what sending them once does (RFC 9110 §9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_BODILESS_STATUSES = frozenset({204, 304})


class MalformedError(Exception):
    """The bytes do not say where a message ends, or are no HTTP."""


class RefusedError(Exception):
    """A request that the proxy itself turns down: the answer's status, and why."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


class RequestHead(NamedTuple):
    """A request's head: `request` has no body yet, `out` are the bytes for the target.

    `length` is the body's, in bytes, or CHUNKED. `repeatable`: it may be sent a second time.
    """

    request: Request
    out: bytes
    length: int
    closes: bool
    upgrades: bool
    repeatable: bool


class AnswerHead(NamedTuple):
    """An answer's head; `length` is the body's in bytes, CHUNKED or UNTIL_CLOSE, if it may have one."""

    status: int
    reason: str
    headers: Headers
    length: int
    closes: bool

    @property
    def is_interim(self) -> bool:
        """Whether another answer to the same request follows."""
        return self.status < 200 and self.status != 101

    def body_length(self, method: str) -> int:
        """The length of the body that follows this head as the answer to `method`."""
        if method == "HEAD" or self.status in _BODILESS_STATUSES or self.status < 200:
            return 0
        return self.length

    def closes_after(self, method: str) -> bool:
        """Whether the connection ends with this answer to `method`."""
        return self.closes or self.body_length(method) == UNTIL_CLOSE


def may_begin_request(data: bytes) -> bool:
    """Whether a request may begin so; `data` need not be all of its head."""
    return _REQUEST_BEGIN.match(data) is not None


def head_end(data: bytes, at: int) -> int | None:
    """Where the head that begins at `at` ends, empty lines before it counted in; None where it does not."""
    begin = at
    while begin < len(data) and data[begin] in b"\r\n":
        begin += 1
    found = _HEAD_END.search(data, begin)
    return None if found is None else found.end()


def answer_head_end(data: bytes, at: int) -> int | None:
    """The same of an answer's head. Raises MalformedError where what has begun cannot become one."""
    end = head_end(data, at)
    if end is None:
        begun = data[at:]
        if len(begun) > HEAD_LIMIT or not b"HTTP/".startswith(begun.lstrip(b"\r\n")[:5]):
            raise MalformedError(NOT_HTTP)
    return end


def request_reader(target: Target, host: str | None) -> Callable[[bytes], RequestHead]:
    """A function that reads a request's whole head as it is to go to `target`.

    `host` is what the `Host` field is to say, None leaves it. The function raises RefusedError.
    """
    prefix = target.prefix.encode("latin-1")
    authority = None if host is None else host.encode("latin-1")

    @lru_cache(_REMEMBERED)
    def read(head: bytes) -> RequestHead:
        line = _REQUEST_LINE.match(head)
        if line is None:
            raise RefusedError(400, "not a request")
        method = line[1].decode("latin-1")
        path = _origin_form(line[2].decode("latin-1"))
        if line[3] != b"1":
            raise RefusedError(505, f"HTTP/{line[3].decode()} is not spoken here; speak HTTP/1.1")
        if method == "CONNECT":
            raise RefusedError(501, "a reverse proxy opens no tunnels (CONNECT)")
        if not path.startswith("/"):
            raise RefusedError(400, f"a reverse proxy cannot pass on {method} {path}")
        headers = _fields(head[line.end() :])
        try:
            length = _length(headers, otherwise=0)
        except MalformedError as error:
            raise RefusedError(400, str(error)) from error
        if length == UNTIL_CLOSE:
            raise RefusedError(400, "the request's end cannot be told from its Transfer-Encoding")
        fields = head[line.end(2) :]
        if authority is not None:
            fields = _HOST.sub(lambda found: found[1] + authority, fields)
        return RequestHead(
            Request(method, path, headers),
            head[: line.start(2)] + prefix + path.encode("latin-1") + fields,
            length,
            _closes(headers, line[4] != b"0"),
            headers.get("upgrade") is not None,
            length == 0 and method in _IDEMPOTENT,
        )

    return read


@lru_cache(_REMEMBERED)
def read_answer_head(head: bytes) -> AnswerHead:
    """The whole head of an answer. Raises MalformedError."""
    text = head.decode("latin-1")
    line = _STATUS_LINE.match(text)
    if line is None or line[1] != "1":
        raise MalformedError("not HTTP")
    headers = _fields(head, line.end())
    return AnswerHead(
        int(line[3]),
        line[4] or "",
        headers,
        _length(headers, otherwise=UNTIL_CLOSE),
        _closes(headers, line[2] != "0"),
    )


def read_trailers(lines: bytes) -> Headers:
    """The fields that follow a chunked body; `lines` are whole."""
    return _fields(lines) if lines else _NO_FIELDS


def _origin_form(target: str) -> str:
    """The path and query of a target; callers that take the proxy for a forward one send an origin too."""
    if target[:7].lower() != "http://" and target[:8].lower() != "https://":
        return target
    rest = target.partition("://")[2]
    at = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    path = rest[at:]
    return path if path.startswith("/") else f"/{path}"


def _fields(head: bytes, begin: int = 0) -> Headers:
    pairs = [
        (name.rstrip(), value.strip(" \t")) for name, value in _FIELD.findall(head.decode("latin-1"), begin)
    ]
    if any("\n" in value for _, value in pairs):
        pairs = [(name, _FOLD.sub(" ", value)) for name, value in pairs]
    return Headers(tuple(pairs))


def _length(headers: Headers, *, otherwise: int) -> int:
    """The body's length by the fields (RFC 9112 §6.3); raises MalformedError where they contradict."""
    codings = [word for word in _words(headers, "transfer-encoding") if word != "identity"]
    if codings:
        return CHUNKED if codings[-1] == "chunked" else UNTIL_CLOSE
    lengths = set(_words(headers, "content-length"))
    if not lengths:
        return otherwise
    (length, *others) = lengths
    if others or not (length.isascii() and length.isdigit()) or len(length) > 18:
        raise MalformedError(f"Content-Length is {', '.join(sorted(lengths))!r}")
    return int(length)


def _closes(headers: Headers, modern: bool) -> bool:
    options = _words(headers, "connection")
    return "close" in options if modern else "keep-alive" not in options


def _words(headers: Headers, name: str) -> list[str]:
    values = headers.get_all(name)
    return [word.strip().lower() for value in values for word in value.split(",")] if values else []


_NO_FIELDS = Headers()
