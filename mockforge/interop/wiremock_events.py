"""WireMock's journal in: what `GET /__admin/requests` gives.

Its times are whole milliseconds (WireMock's `Timing`): `totalTime` is from the request's arrival to the
end of sending, added delay included, and `responseSendTime` the sending alone. A chunked dribble is in
none of them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from mockforge.interop.addresses import split
from mockforge.interop.har_content import bytes_of
from mockforge.interop.placing import Found, SpanEntries, place
from mockforge.interop.source import Imported, LeftOut, Source, SourceError, mapped
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.foreign.json_spans import begin_of, elements, member, parsed
from mockforge.recording.foreign.unusable import Unusable

__all__ = ["read_wiremock_events"]

_MS = 1_000_000

_FAULTS = {
    "CONNECTION_RESET_BY_PEER": "wait: reset",
    "EMPTY_RESPONSE": "wait: closed without an answer",
    "MALFORMED_RESPONSE_CHUNK": "body: malformed",
    "RANDOM_DATA_THEN_CLOSE": "wait: not HTTP",
}
#: Fields that WireMock adds to say which stub answered.
_ITS_OWN = ("matched-stub-id", "matched-stub-name")


def read_wiremock_events(source: Source) -> Imported:
    """The exchanges of a journal; `source.target` takes the place of WireMock's own address."""
    data = mapped(source.path)
    requests, _ = member(data, begin_of(data), "requests")
    if requests is None or data[requests : requests + 1] != b"[":
        raise SourceError("this is no WireMock journal: it has no list requests", where=str(source.path))
    spans = SpanEntries(data, elements(data, requests), source.told)
    named = source.target is not None
    return place(
        source,
        spans,
        lambda raw: _found(parsed(raw), named),
        unit="event",
        expected="what GET /__admin/requests gives",
    )


def _found(event: object, named: bool) -> Found:
    if not isinstance(event, dict) or not isinstance(event.get("request"), dict):
        raise Unusable("has no request")
    request, timing = event["request"], event.get("timing")
    if not isinstance(timing, dict) or "totalTime" not in timing:
        raise LeftOut("still under way when the journal was read")
    try:
        wall_ns = int(request["loggedDate"]) * _MS
        total_ns = int(timing["totalTime"]) * _MS
        sending_ns = int(timing.get("responseSendTime") or 0) * _MS
    except (KeyError, TypeError, ValueError) as problem:
        raise Unusable("has no loggedDate and timing in milliseconds") from problem
    response, error = _answer(event)
    exchange = Exchange(
        wall_ns=wall_ns,
        arrived_ns=0,
        request=_request(request),
        response=response,
        total_ns=total_ns,
        ttfb_ns=None if response is None else max(total_ns - sending_ns, 0),
        error=error,
    )
    absolute = request.get("absoluteUrl")
    return Found(exchange, None if named or not absolute else split(str(absolute))[0].origin)


def _request(request: Mapping[str, Any]) -> Request:
    url = request.get("url")
    if not isinstance(url, str):
        raise Unusable("has no request.url")
    return Request(str(request.get("method") or "GET"), url, _headers(request), _body(request))


def _answer(event: Mapping[str, Any]) -> tuple[Response | None, str | None]:
    """The answer, and what went wrong with it."""
    said = event.get("response")
    if not isinstance(said, dict) or not isinstance(said.get("status"), int):
        return None, "wait: no answer"
    fault = said.get("fault") or (event.get("responseDefinition") or {}).get("fault")
    error = _FAULTS.get(str(fault), f"wait: {fault}") if fault else None
    if error is not None and not error.startswith("body"):
        return None, error
    return Response(said["status"], _headers(said).without(_ITS_OWN), _body(said)), error


def _headers(message: Mapping[str, Any]) -> Headers:
    """From names with one value or several."""
    said = message.get("headers")
    pairs: list[tuple[str, str]] = []
    for name, value in said.items() if isinstance(said, dict) else ():
        pairs += [(name, str(one)) for one in (value if isinstance(value, list) else [value])]
    return Headers(tuple(pairs))


def _body(message: Mapping[str, Any]) -> bytes:
    packed = message.get("bodyAsBase64")
    if not isinstance(packed, str):
        return bytes_of({"text": message.get("body")}) or b""
    try:
        return base64.b64decode(packed)
    except binascii.Error as error:
        raise Unusable(f"its body is no base64: {error}") from error
