"""Recorded requests as the bytes that go to the target, made before they are due.

Method, request target, fields and body go out as they were recorded: order, case, repetitions and odd bytes
included. Only what speaks of the old connection is replaced: `Host`, the framing and the hop-by-hop fields.
Text of a recording is Latin-1, one character a byte, and so are the bytes that are made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mockforge.model.exchange import Request
from mockforge.model.headers import HOP_BY_HOP, Headers
from mockforge.targets import Target

__all__ = ["HostPolicy", "PreparedRequest", "fields_for", "prepare", "target_for", "with_fields"]

#: Sending these twice does what sending them once does (RFC 9110 §9.2.2).
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

#: Without a body these announce none; others say that theirs is empty (RFC 9110 §8.6).
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"})

#: Beside the hop-by-hop fields: this client sends its bodies without waiting to be asked.
_NOT_PASSED_ON = HOP_BY_HOP | {"expect"}
_FRAMING = ("content-length", "transfer-encoding")
_TRAILERS_PASS = frozenset({"te", "trailer"})

#: What would end a field or the head early, and so change what is sent.
_LINE_BREAKS = re.compile("[\r\n\0]")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BLANKS = re.compile("[\0-\x20\x7f]")


class PreparedRequest(NamedTuple):
    """A request ready to be sent, so that nothing is computed when it is due.

    `data` is all that goes on the wire; empty where the request cannot be sent, and `refusal` says why.
    """

    data: bytes
    head_only: bool = False
    idempotent: bool = False
    refusal: str | None = None


class HostPolicy(NamedTuple):
    """What the `Host` field says: `value`, or where that is None the field as it was recorded."""

    value: str | None

    @classmethod
    def of(cls, option: str | None, target: Target) -> HostPolicy:
        """From the command line: nothing is the target's authority, `keep` the recorded field."""
        return cls(target.authority if option is None else None if option == "keep" else option)


def prepare(request: Request, target: Target, host: HostPolicy | None = None) -> PreparedRequest:
    """`request` as it goes to `target`; `host` is the target's authority unless given."""
    fields = tuple(fields_for(request, host or HostPolicy(target.authority)))
    path = target_for(request.target, target)
    refusal = _refusal(request, path, fields)
    if refusal is not None:
        return PreparedRequest(b"", refusal=refusal)
    lines = [f"{request.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    data = "\r\n".join(lines).encode("latin-1") + _framed(request)
    return PreparedRequest(data, request.method == "HEAD", request.method in _IDEMPOTENT)


def target_for(recorded: str, target: Target) -> str:
    """The request target on the wire: the recorded one behind the target's prefix, its origin left out."""
    if "://" in recorded and not recorded.startswith("/"):
        recorded = "/" + recorded.partition("://")[2].partition("/")[2]
    return recorded if recorded == "*" else target.prefix + recorded


def fields_for(request: Request, host: HostPolicy) -> Iterator[tuple[str, str]]:
    """The fields on the wire, in order; `Host` and the framing stand where they were recorded."""
    listed = {
        name.strip().lower() for value in request.headers.get_all("connection") for name in value.split(",")
    }
    chunked = len(request.trailers) > 0
    dropped = _NOT_PASSED_ON | (listed - {"host", *_FRAMING})
    if chunked:
        dropped = dropped - _TRAILERS_PASS
    if "host" not in request.headers:
        yield "Host", host.value or ""
    framing = _framing_field(request, chunked=chunked)
    seen_host = False
    for name, value in request.headers:
        lowered = name.lower()
        if lowered == "host":
            if not seen_host:
                seen_host = True
                yield name, value if host.value is None else host.value
        elif lowered in _FRAMING:
            if framing is not None:
                yield (name if lowered == framing[0].lower() else framing[0]), framing[1]
                framing = None
        elif lowered not in dropped:
            yield name, value
    if framing is not None:
        yield framing


def _framing_field(request: Request, *, chunked: bool) -> tuple[str, str] | None:
    """How the body's end is told, or None where there is no body to tell of.

    A body whose bytes were too many to be recorded goes out empty: there is nothing else to send.
    """
    if chunked:
        return "Transfer-Encoding", "chunked"
    announced = any(name in request.headers for name in _FRAMING)
    if request.body or announced or request.method not in _BODILESS:
        return "Content-Length", str(len(request.body))
    return None


def _framed(request: Request) -> bytes:
    """The body; one with trailers as a single chunk, since they can stand after nothing else."""
    if not len(request.trailers):
        return request.body
    chunk = b"%x\r\n%b\r\n" % (len(request.body), request.body) if request.body else b""
    trailers = b"".join(b"%b: %b\r\n" % pair for pair in request.trailers.raw())
    return chunk + b"0\r\n" + trailers + b"\r\n"


def _refusal(request: Request, path: str, fields: tuple[tuple[str, str], ...]) -> str | None:
    """Why these cannot be the head of a request, or None."""
    if not _NAME.fullmatch(request.method):
        return f"no request has the method {request.method!r}"
    if not path or _BLANKS.search(path):
        return "a blank or control character stands in the request target"
    for name, value in (*fields, *request.trailers):
        if not _NAME.fullmatch(name):
            return f"no field has the name {name!r}"
        if _LINE_BREAKS.search(value):
            return f"a line break stands in the field {name}"
    try:
        "".join((path, *(value for _, value in (*fields, *request.trailers)))).encode("latin-1")
    except UnicodeEncodeError:
        return "a character stands in it that no byte can be"
    return None


def with_fields(headers: Headers, given: tuple[tuple[str, str], ...]) -> Headers:
    """`headers` with the `given` fields in place of those of the same name, or after the others."""
    left = {name.lower(): (name, value) for name, value in given}
    pairs: list[tuple[str, str]] = []
    replaced: set[str] = set()
    for name, value in headers:
        lowered = name.lower()
        if lowered not in left:
            pairs.append((name, value))
        elif lowered not in replaced:
            replaced.add(lowered)
            pairs.append((name, left[lowered][1]))
    pairs.extend(pair for lowered, pair in left.items() if lowered not in replaced)
    return Headers(tuple(pairs))
