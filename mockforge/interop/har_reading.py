"""HAR 1.2 in: browsers', Charles', mitmproxy's, k6's, and MockForge's own.

The times of an entry (HAR 1.2, `timings`; -1 is "does not apply"): the request's last byte was sent
`blocked + dns + connect + send` after its start, which is our arrival; `wait` later came the first byte,
`receive` later the last. `ssl` is within `connect` by the standard; some write it beside, which `time`
tells.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from mockforge.interop.addresses import split
from mockforge.interop.har_content import bytes_of, encoded_text, without_coding
from mockforge.interop.har_extra import NAME, exact_exchange, pairs_of
from mockforge.interop.placing import Found, SpanEntries, place
from mockforge.interop.run_header import header_from
from mockforge.interop.source import Imported, LeftOut, Source, SourceError, mapped
from mockforge.model.exchange import Exchange, Piece, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.foreign.failures import failure_of
from mockforge.recording.foreign.instants import iso_ns, scaled_ns
from mockforge.recording.foreign.json_spans import begin_of, elements, member, parsed
from mockforge.recording.foreign.unusable import Unusable

__all__ = ["found_in", "read_har"]

_PIECES_LIMIT = 10_000


def read_har(source: Source) -> Imported:
    """The exchanges of a HAR file; an entry at a time, whatever its size."""
    data = mapped(source.path)
    log, _ = member(data, begin_of(data), "log")
    entries, before = member(data, log, "entries") if log is not None else (None, {})
    if entries is None:
        raise SourceError(
            "this is no HAR: it has no list log.entries", where=str(source.path), hint="see --format"
        )
    spans = SpanEntries(data, elements(data, entries), source.told)
    header = header_from(parsed(data[slice(*before[NAME])])) if NAME in before else None
    return place(
        source, spans, _parser(), unit="entry", header=header, expected="entries as HAR 1.2 has them"
    )


def _parser() -> Callable[[bytes], Found]:
    """The reader of one entry. It numbers connections as they come; a second reading gives the same."""
    connections: dict[str, int] = {}
    return lambda raw: found_in(parsed(raw), connections)


def found_in(entry: object, connections: dict[str, int]) -> Found:
    """The exchange of one entry. Raises Unusable, or LeftOut where it never reached a backend."""
    if not isinstance(entry, dict):
        raise Unusable("is no object")
    if NAME in entry:
        return Found(exact_exchange(entry), placed=True)
    if entry.get("_fromCache"):
        raise LeftOut("from the browser's cache")
    request, response = entry.get("request"), entry.get("response")
    if not isinstance(request, dict) or not isinstance(response, dict):
        raise Unusable("has no request and response")
    url = request.get("url")
    if not isinstance(url, str):
        raise Unusable("has no request.url")
    target, asked = split(url)
    exchange = _timed(entry, _request(request, asked, target.authority), _response(response))
    named = str(entry.get("connection") or "")
    number = connections.setdefault(named, len(connections) + 1) if named else 0
    return Found(replace(exchange, connection_id=number), target.origin)


def _timed(entry: Mapping[str, Any], request: Request, response: Response | None) -> Exchange:
    said = entry.get("timings")
    timings = said if isinstance(said, dict) else {}
    ns = functools.partial(_ns, timings)
    tls_ns = ns("ssl") or 0
    setup_ns = (ns("dns") or 0) + (ns("connect") or 0)
    if _is_beside(timings, entry.get("time")):
        setup_ns += tls_ns
    before_ns = (ns("blocked") or 0) + setup_ns + (ns("send") or 0)
    wait_ns = ns("wait")
    total_ns = (wait_ns or 0) + (ns("receive") or 0)
    if wait_ns is None:
        total_ns = max(total_ns, (_ns(entry, "time") or 0) - before_ns)
    wall_ns = iso_ns(str(entry.get("startedDateTime"))) + before_ns
    pieces = _frames(entry, wall_ns)
    if pieces:
        total_ns = max(total_ns, pieces[-1].at_ns)
    return Exchange(
        wall_ns=wall_ns,
        arrived_ns=0,
        request=request,
        response=response,
        total_ns=total_ns,
        ttfb_ns=wait_ns if response is not None else None,
        connect_ns=(setup_ns - tls_ns) or None,
        tls_ns=tls_ns or None,
        error=_error(entry, response),
        pieces=pieces,
    )


def _ns(times: Mapping[str, Any], name: str) -> int | None:
    """Milliseconds as nanoseconds; None where the time does not apply."""
    value = times.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e12:
        return None
    return round(value * 1e6)


def _is_beside(timings: Mapping[str, Any], time: object) -> bool:
    """Whether `ssl` was written beside `connect`, not within: it is then part of `time` in its own right."""
    ssl_ns = _ns(timings, "ssl") or 0
    if ssl_ns > (_ns(timings, "connect") or 0):
        return True
    if not ssl_ns or not isinstance(time, int | float):
        return False
    others = ("blocked", "dns", "connect", "send", "wait", "receive")
    apart_ns = round(time * 1e6) - sum(_ns(timings, name) or 0 for name in others)
    return abs(apart_ns - ssl_ns) < abs(apart_ns)


def _request(request: Mapping[str, Any], asked: str, authority: str) -> Request:
    headers = _headers(request)
    if "host" not in headers:  # HTTP/2 has it as :authority
        headers = Headers((("Host", authority), *headers.pairs))
    posted = request.get("postData")
    body = _posted(posted) if isinstance(posted, dict) else b""
    size = request.get("bodySize")
    omitted = size if not body and isinstance(size, int) and size > 0 else 0
    return Request(str(request.get("method") or "GET"), asked, headers, body, omitted=omitted)


def _posted(posted: Mapping[str, Any]) -> bytes:
    text, params = posted.get("text"), posted.get("params")
    if isinstance(text, str) and text:
        return bytes_of(posted) or b""
    if isinstance(params, list) and params:
        pairs = [(str(param.get("name", "")), str(param.get("value", ""))) for param in params]
        return encoded_text(urlencode(pairs), "")
    return b""


def _response(response: Mapping[str, Any]) -> Response | None:
    status = response.get("status")
    if not isinstance(status, int) or status <= 0:
        return None
    headers = _headers(response)
    said = response.get("content")
    content = said if isinstance(said, dict) else {}
    body = bytes_of(content)
    reason = str(response.get("statusText") or "")
    if not body:
        sizes = [size for size in (response.get("bodySize"), content.get("size")) if isinstance(size, int)]
        omitted = max((size for size in sizes if size > 0), default=0)
        return Response(status, headers, omitted=0 if body == b"" else omitted, reason=reason)
    return Response(status, without_coding(headers, body), body, reason=reason)


def _headers(message: Mapping[str, Any]) -> Headers:
    """The fields as sent; HTTP/2's pseudo fields are none."""
    fields = pairs_of(message.get("headers") or ())
    return Headers(tuple(pair for pair in fields.pairs if not pair[0].startswith(":")))


def _error(entry: Mapping[str, Any], response: Response | None) -> str | None:
    said = entry["response"].get("_error") or entry.get("_error")
    if said:
        return failure_of(str(said), answered=response is not None)
    return None if response is not None else failure_of("", answered=False)


def _frames(entry: Mapping[str, Any], wall_ns: int) -> tuple[Piece, ...]:
    """The frames of a WebSocket as browsers write them: `time` in seconds since 1970."""
    messages = entry.get("_webSocketMessages")
    if not isinstance(messages, list):
        return ()
    try:
        return tuple(
            Piece(
                max(scaled_ns(message["time"], 1_000_000_000) - wall_ns, 0),
                len(str(message.get("data", "")).encode()),
                "frame-in" if message["type"] == "send" else "frame-out",
            )
            for message in messages[:_PIECES_LIMIT]
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Unusable(f"its _webSocketMessages are malformed: {error}") from error
