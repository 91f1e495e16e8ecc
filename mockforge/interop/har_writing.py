"""HAR 1.2 out, an entry at a time, so that a recording of any size needs the memory of one exchange.

http://www.softwareishard.com/blog/har-12-spec/ names the members. What it cannot hold is in `har_extra`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from mockforge import __version__
from mockforge.interop.addresses import join
from mockforge.interop.har_content import as_text, content_of
from mockforge.interop.har_extra import NAME, extra_of
from mockforge.interop.run_header import header_of
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.foreign.instants import iso_of
from mockforge.recording.foreign.json_spans import written
from mockforge.recording.store import RecordingReader

__all__ = ["entry_of", "write_har"]

_HTTP = "HTTP/1.1"
_UNKNOWN = -1


def write_har(reader: RecordingReader, exchanges: Iterator[Exchange], path: Path) -> None:
    """Write `exchanges`, those of `reader`, to `path`."""
    with path.open("wb") as file:
        file.write(b'{"log":%s,"entries":[' % written(_head_of(reader))[:-1])
        for number, exchange in enumerate(exchanges):
            file.write(b",\n" if number else b"\n")
            file.write(written(entry_of(exchange, reader.meta.target)))
        file.write(b"\n]}}\n")


def _head_of(reader: RecordingReader) -> dict[str, Any]:
    """The members of `log` that stand before the entries."""
    return {
        "version": "1.2",
        "creator": {"name": "MockForge", "version": __version__},
        NAME: header_of(reader),
    }


def entry_of(exchange: Exchange, target: str) -> dict[str, Any]:
    """One entry. Its time begins with the arrival: what a caller waits for is `wait` and `receive`.

    A recorder opens its connection within the wait, so that time is taken out of it.
    """
    setup_ns = (exchange.connect_ns or 0) + (exchange.tls_ns or 0)
    waited_ns = exchange.total_ns if exchange.ttfb_ns is None else exchange.ttfb_ns
    setup_ns = min(setup_ns, waited_ns)
    response = exchange.response
    shown = _response(response) if response is not None else _no_response()
    if exchange.error is not None:
        shown["_error"] = exchange.error
    return {
        "startedDateTime": iso_of(exchange.wall_ns, 6),
        "time": exchange.total_ns / 1e6,
        "request": _request(exchange.request, target),
        "response": shown,
        "cache": {},
        "timings": {
            "blocked": _UNKNOWN,
            "dns": _UNKNOWN,
            "connect": _UNKNOWN if exchange.connect_ns is None else setup_ns / 1e6,
            "ssl": _UNKNOWN if exchange.tls_ns is None else min(exchange.tls_ns, setup_ns) / 1e6,
            "send": 0,
            "wait": (waited_ns - setup_ns) / 1e6,
            "receive": (exchange.total_ns - waited_ns) / 1e6,
        },
        "connection": str(exchange.connection_id),
        NAME: extra_of(exchange),
    }


def _request(request: Request, target: str) -> dict[str, Any]:
    query = request.target.partition("?")[2]
    shown: dict[str, Any] = {
        "method": request.method,
        "url": join(target, request.target),
        "httpVersion": _HTTP,
        "cookies": [_cookie(pair) for line in request.headers.get_all("cookie") for pair in line.split(";")],
        "headers": _fields(request.headers),
        "queryString": _named(parse_qsl(query, keep_blank_values=True)),
        "headersSize": _UNKNOWN,
        "bodySize": request.size,
    }
    if request.body:
        kind = request.headers.get("content-type") or ""
        shown["postData"] = {"mimeType": kind, "text": as_text(request.body, kind) or ""}
    return shown


def _response(response: Response) -> dict[str, Any]:
    content = content_of(response.body, response.headers)
    if response.omitted:
        content |= {"size": response.size, "comment": "the body was not kept"}
    return {
        "status": response.status,
        "statusText": response.reason,
        "httpVersion": _HTTP,
        "cookies": [_cookie(line) for line in response.headers.get_all("set-cookie")],
        "headers": _fields(response.headers),
        "content": content,
        "redirectURL": response.headers.get("location") or "",
        "headersSize": _UNKNOWN,
        "bodySize": response.size,
    }


def _no_response() -> dict[str, Any]:
    """What stands in the place of an answer that never came, as browsers write it."""
    return {
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
    }


def _fields(headers: Headers) -> list[dict[str, str]]:
    return _named(list(headers.pairs))


def _named(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _cookie(line: str) -> dict[str, Any]:
    """A cookie, with the attributes that HAR knows where it is a `Set-Cookie` line."""
    first, *attributes = line.split(";")
    name, _, value = first.strip().partition("=")
    cookie: dict[str, Any] = {"name": name, "value": value}
    for attribute in attributes:
        key, _, said = attribute.strip().partition("=")
        lowered = key.lower()
        if lowered in {"path", "domain"}:
            cookie[lowered] = said
        elif lowered in {"httponly", "secure"}:
            cookie["httpOnly" if lowered == "httponly" else "secure"] = True
    return cookie
