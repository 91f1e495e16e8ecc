"""One exchange in full: heads, bodies as people read them, the timeline of its pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from mockforge.cli.recordings_shown import sizes, time_of_day
from mockforge.model.exchange import Exchange, Piece
from mockforge.model.headers import Headers
from mockforge.recording.redaction.codings import UndecodableError, decode
from mockforge.report.figures import milliseconds

__all__ = ["exchange_in_full"]

_MOST_BYTES = 1_000_000
_MOST_PIECES = 100
_DUMPED = 256


def exchange_in_full(number: int, exchange: Exchange) -> Iterator[str]:
    """Line by line."""
    request, response = exchange.request, exchange.response
    yield f"exchange {number}, arrived {exchange.arrived_ns / 1e9:,.6f} s after the start, " + time_of_day(
        exchange.wall_ns
    )
    yield from _times(exchange)
    yield ""
    yield f"{request.method} {request.target}"
    yield from _message(request.headers, request.body, request.omitted, request.trailers)
    yield ""
    if response is None:
        yield "no answer"
    else:
        yield f"{response.status} {response.reason}".rstrip()
        yield from _message(response.headers, response.body, response.omitted, response.trailers)
    if exchange.pieces:
        yield ""
        yield from _timeline(exchange.pieces)


def _times(exchange: Exchange) -> Iterator[str]:
    times = {
        "connect": exchange.connect_ns,
        "TLS": exchange.tls_ns,
        "first byte": exchange.ttfb_ns,
        "total": exchange.total_ns,
        "late": exchange.lateness_ns,
    }
    yield ", ".join(f"{what} {milliseconds(ns / 1e6)} ms" for what, ns in times.items() if ns is not None)
    yield f"connection {exchange.connection_id}, {exchange.in_flight} others in flight" + (
        f", operation {exchange.operation}" if exchange.operation else ""
    )
    if exchange.error:
        yield f"error: {exchange.error}"


def _message(headers: Headers, body: bytes, omitted: int, trailers: Headers) -> Iterator[str]:
    yield from (f"{name}: {value}" for name, value in headers)
    if omitted:
        yield f"\n({sizes(omitted)} of body, not kept)"
    if body:
        yield ""
        yield from _body(body, headers)
    yield from (f"(trailer) {name}: {value}" for name, value in trailers)


def _body(body: bytes, headers: Headers) -> Iterator[str]:
    try:
        plain = _decoded(body, headers)
    except UndecodableError as error:
        yield f"({sizes(len(body))} of body that cannot be decoded: {error})"
        return
    shown = plain[:_MOST_BYTES]
    try:
        yield orjson.dumps(orjson.loads(plain), option=orjson.OPT_INDENT_2).decode()
        return
    except orjson.JSONDecodeError:
        pass
    text = _text(shown)
    yield text if text is not None else _dump(shown)
    if len(shown) < len(plain):
        yield f"(the first {sizes(_MOST_BYTES)})"


def _decoded(body: bytes, headers: Headers) -> bytes:
    """Without its content coding; raises UndecodableError."""
    coding = (headers.get("content-encoding") or "identity").strip().lower()
    return body if coding == "identity" else decode(coding, body)[0]


def _text(body: bytes) -> str | None:
    """The body if it is text; a character cut at the end is left out."""
    text = body.decode("utf-8", "replace")
    if "�" in text[:-1] or any(ord(char) < 32 and char not in "\t\r\n\f" for char in text):
        return None
    return text.removesuffix("�")


def _dump(body: bytes) -> str:
    rows = []
    for first in range(0, min(len(body), _DUMPED), 16):
        row = body[first : first + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        rows.append(f"{first:06x}  {row.hex(' '):<47}  {shown}")
    if len(body) > _DUMPED:
        rows.append(f"({sizes(len(body))} in all)")
    return "\n".join(rows)


def _timeline(pieces: Sequence[Piece]) -> Iterator[str]:
    yield "pieces: ms after arrival, bytes, kind"
    for piece in pieces[:_MOST_PIECES]:
        yield f"{milliseconds(piece.at_ns / 1e6):>10}  {piece.size:>10,}  {piece.kind}"
    if len(pieces) > _MOST_PIECES:
        yield f"and {len(pieces) - _MOST_PIECES:,} more"
