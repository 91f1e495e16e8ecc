"""Serve events, requests and mappings as WireMock's JSON shows them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie

from mockforge.model.event import Forwarded, Paced, ServeEvent, SubEvent
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.model.upstream import OutgoingRequest
from mockforge.server.admin.store import StubMapping
from mockforge.stubfiles.from_model import written_stub
from mockforge.stubfiles.shorthand import parse_shorthand

__all__ = ["event_json", "mapping_json", "request_json", "sub_event_json"]

#: Longer bodies stand in full where one event is asked for, and with their beginning in lists.
_LONGEST_LISTED = 64 * 1024


def mapping_json(mapping: StubMapping) -> dict[str, object]:
    """A stub mapping: as its client wrote it, or as its file has it."""
    ids = {"id": mapping.id, "uuid": mapping.id}
    if mapping.given is not None:
        return {**mapping.given, **ids}
    written = written_stub(mapping.stub)
    request = written["request"]
    if isinstance(request, str):
        pattern = parse_shorthand(request)
        assert pattern.url is not None
        written["request"] = {"method": pattern.method, pattern.url.kind: pattern.url.value}
    return {**ids, **written, **ids}


def request_json(
    request: RequestView, wall_ns: int | None = None, *, whole: bool = True
) -> dict[str, object]:
    """A request as it is logged; without `whole` a long body is cut."""
    headers = request.headers
    scheme = request.connection.scheme
    host, port = _host_and_port(headers.get("host") or "")
    body = request.body if whole else request.body[:_LONGEST_LISTED]
    shown: dict[str, object] = {
        "url": request.target,
        "absoluteUrl": f"{scheme}://{headers.get('host') or 'localhost'}{request.target}",
        "method": request.method,
        "scheme": scheme,
        "clientIp": request.connection.client_ip,
        "host": host,
        "port": request.connection.port or port,
        "headers": _grouped(headers),
        "cookies": _cookies(headers),
        "queryParams": {name: {"key": name, "values": values} for name, values in request.query.items()},
        "browserProxyRequest": False,
        "body": body.decode("utf-8", "replace"),
        "bodyAsBase64": base64.b64encode(body).decode(),
    }
    if wall_ns is not None:
        shown["loggedDate"] = wall_ns // 1_000_000
        shown["loggedDateString"] = _date(wall_ns)
    return shown


def event_json(
    event_id: str,
    event: ServeEvent,
    mapping: StubMapping | None,
    notes: Sequence[SubEvent] = (),
    *,
    whole: bool = False,
) -> dict[str, object]:
    """A serve event, with what was planned and what was observed under `mockforge`.

    `notes` are what happened on its account.
    """
    passed_on = event.forwarded is not None
    definition: object = {"status": event.response.status if passed_on else 404, "fromConfiguredStub": False}
    written = None if mapping is None else mapping_json(mapping)
    if written is not None:
        definition = written.get("response", written.get("responses", {}))
    shown = {
        "id": event_id,
        "request": request_json(event.request, event.wall_ns, whole=whole),
        "responseDefinition": definition,
        "response": _response(event.response, whole=whole),
        "wasMatched": event.stub is not None,
        "timing": _timing(event),
        "subEvents": [
            *([] if event.stub is not None or passed_on or event.response.failure else [_not_matched(event)]),
            *([_failed(event)] if event.response.failure else []),
            *map(sub_event_json, notes),
        ],
        "mockforge": _observed(event),
    }
    if written is not None:
        shown["stubMapping"] = written
    return shown


def _response(response: RenderedResponse, *, whole: bool) -> dict[str, object]:
    body = response.body if whole else response.body[:_LONGEST_LISTED]
    return {
        "status": response.status,
        "headers": _grouped(Headers.from_raw(response.headers)),
        "body": body.decode("utf-8", "replace"),
        "bodyAsBase64": base64.b64encode(body).decode(),
    }


def _failed(event: ServeEvent) -> dict[str, object]:
    offset_ns = max(1, (event.first_byte_ns or event.end_ns) - event.plan.arrived_ns)
    return {"type": "ERROR", "timeOffsetNanos": offset_ns, "data": {"message": event.response.failure}}


def _not_matched(event: ServeEvent) -> dict[str, object]:
    offset_ns = max(1, (event.first_byte_ns or event.end_ns) - event.plan.arrived_ns)
    report = event.response.body.decode("utf-8", "replace")
    return {"type": "REQUEST_NOT_MATCHED", "timeOffsetNanos": offset_ns, "data": {"report": report}}


def _timing(event: ServeEvent) -> dict[str, int]:
    """WireMock's figures in whole milliseconds; the delay is the planned one."""
    planned_ns = event.plan.first_byte_ns - event.plan.arrived_ns
    total_ns = event.end_ns - event.plan.arrived_ns
    first_ns = total_ns if event.first_byte_ns is None else event.first_byte_ns - event.plan.arrived_ns
    return {
        "addedDelay": round(planned_ns / 1e6),
        "processTime": round(max(0, first_ns - planned_ns) / 1e6),
        "responseSendTime": round((total_ns - first_ns) / 1e6),
        "serveTime": round(max(0, total_ns - planned_ns) / 1e6),
        "totalTime": round(total_ns / 1e6),
    }


def _observed(event: ServeEvent) -> dict[str, object]:
    arrived_ns = event.plan.arrived_ns
    first_ns, late_ns = event.first_byte_ns, event.lateness_ns
    return {
        "stub": event.stub,
        "plannedMilliseconds": (event.plan.first_byte_ns - arrived_ns) / 1e6,
        "firstByteMilliseconds": None if first_ns is None else (first_ns - arrived_ns) / 1e6,
        "endMilliseconds": (event.end_ns - arrived_ns) / 1e6,
        "latenessMilliseconds": None if late_ns is None else late_ns / 1e6,
        "inFlight": event.in_flight,
        "callerLeft": event.caller_left,
        "requestBodyBytes": len(event.request.body),
        "responseBodyBytes": len(event.response.body) + event.response.elsewhere,
        **({} if event.forwarded is None else {"upstream": _upstream(event.forwarded, arrived_ns)}),
        **({} if event.paced is None else _paced(event.paced, arrived_ns)),
    }


def _paced(paced: Paced, arrived_ns: int) -> dict[str, object]:
    """When the last byte was due, and what was sent in place of an answer."""
    end_ns = paced.planned_end_ns
    return {
        "plannedEndMilliseconds": None if end_ns is None else (end_ns - arrived_ns) / 1e6,
        "fault": paced.fault,
        "failure": paced.failure,
        "sentBytes": paced.sent_bytes,
    }


def _upstream(forwarded: Forwarded, arrived_ns: int) -> dict[str, object]:
    """Where the request went on to; times are counted from its arrival here."""

    def since(at_ns: int | None) -> float | None:
        return None if at_ns is None else (at_ns - arrived_ns) / 1e6

    return {
        "url": forwarded.url,
        "askedMilliseconds": since(forwarded.asked_ns),
        "firstByteMilliseconds": since(forwarded.first_byte_ns),
        "endMilliseconds": since(forwarded.end_ns),
        "connectMilliseconds": None if forwarded.connect_ns is None else forwarded.connect_ns / 1e6,
        "tlsMilliseconds": None if forwarded.tls_ns is None else forwarded.tls_ns / 1e6,
        "bodyBytes": forwarded.body_bytes,
        "error": forwarded.error,
    }


def sub_event_json(note: SubEvent) -> dict[str, object]:
    """What happened on account of an event, in WireMock's shape."""
    data = note.data
    shown: dict[str, object]
    if isinstance(data, str):
        shown = {"message": data}
    elif isinstance(data, OutgoingRequest):
        body = data.body[:_LONGEST_LISTED]
        shown = {
            "method": data.method,
            "url": data.path,
            "absoluteUrl": data.url,
            "scheme": data.target.scheme,
            "host": data.target.host,
            "port": data.target.port,
            "headers": _grouped(Headers.from_raw(data.headers)),
            "body": body.decode("utf-8", "replace"),
            "bodyAsBase64": base64.b64encode(body).decode(),
        }
    else:
        shown = _response(data, whole=False)
    return {"type": note.kind, "timeOffsetNanos": note.offset_ns, "data": shown}


def _grouped(headers: Iterable[tuple[str, str]]) -> Mapping[str, object]:
    """A header's value, or all of them where it stands several times; its case is that of the first."""
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return {name: each[0] if len(each) == 1 else each for name, each in values.items()}


def _cookies(headers: Headers) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    for line in headers.get_all("cookie"):
        try:
            jar.load(line)
        except CookieError:
            continue
    return {name: morsel.value for name, morsel in jar.items()}


def _host_and_port(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":")
    return (name, int(port)) if name and port.isdecimal() else (host, 80)


def _date(wall_ns: int) -> str:
    return (
        datetime.fromtimestamp(wall_ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
