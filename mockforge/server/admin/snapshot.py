"""Stub mappings made of served requests, one of each, as WireMock's recorder makes them."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import uuid4

import orjson
from lxml import etree

from mockforge.model.event import ServeEvent
from mockforge.model.headers import Headers
from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.recording.redaction.codings import UndecodableError, decode
from mockforge.server.admin.record_spec import BodyPatternSpec, RecordSpec, Thresholds
from mockforge.state.journal import Entry

__all__ = ["Snapshot", "is_wanted", "snapshot"]

_STARTED = "Started"
#: Fields that the mock adds to its answers, or writes as the body is.
_OWN_FIELDS = ("matched-stub-id", "matched-stub-name", "content-length", "transfer-encoding", "connection")
_TEXT_TYPE = re.compile(r"text/|.*(json|xml|yaml|csv|javascript|ecmascript|x-www-form-urlencoded)")
_UTF8 = ("", "utf-8", "utf8", "us-ascii", "ascii")
_UNSAFE = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Mappings, newest first, and the body files that they name."""

    mappings: Sequence[dict[str, object]]
    files: dict[str, bytes]


def is_wanted(entry: Entry, spec: RecordSpec) -> bool:
    """Whether a stub is to be made of the event: it has the upstream's whole answer, and is asked for."""
    event = entry.event
    forwarded = event.forwarded
    if forwarded is None:
        if not spec.allow_non_proxied:
            return False
    elif forwarded.error is not None or forwarded.body_bytes != len(event.response.body):
        return False
    if spec.ids is not None and entry.id not in spec.ids:
        return False
    return spec.filters is None or spec.filters.matches(event.request)


def snapshot(entries: Iterable[Entry], spec: RecordSpec) -> Snapshot:
    """Stubs of `entries`, which are oldest first."""
    files: dict[str, bytes] = {}
    made = [_mapping(entry.event, spec, files) for entry in entries]
    repeats: dict[bytes, list[dict[str, object]]] = {}
    for mapping in made:
        request = orjson.dumps(mapping["request"], option=orjson.OPT_SORT_KEYS)
        repeats.setdefault(request, []).append(mapping)
    if spec.as_scenarios:
        several = [each for each in repeats.values() if len(each) > 1]
        for number, group in enumerate(several, 1):
            _put_in_scenario(group, number)
    else:
        made = [group[0] for group in repeats.values()]
    named = {str(_response_of(mapping).get("bodyFileName")) for mapping in made}
    return Snapshot(made[::-1], {name: body for name, body in files.items() if name in named})


def _response_of(mapping: dict[str, object]) -> dict[str, object]:
    response = mapping["response"]
    assert isinstance(response, dict)
    return response


def _put_in_scenario(group: Sequence[dict[str, object]], number: int) -> None:
    """Answers to the same request, given one after the other."""
    request = group[0]["request"]
    assert isinstance(request, dict)
    name = f"scenario-{number}-{'-'.join(_path_parts(str(request['url'])))}"
    for count, mapping in enumerate(group, 1):
        mapping["scenarioName"] = name
        mapping["requiredScenarioState"] = _STARTED if count == 1 else f"{name}-{count}"
        if count < len(group):
            mapping["newScenarioState"] = f"{name}-{count + 1}"


def _mapping(event: ServeEvent, spec: RecordSpec, files: dict[str, bytes]) -> dict[str, object]:
    mapping_id = str(uuid4())
    url = event.request.target
    name = "_".join(_path_parts(url))[:_LONGEST_NAME] or "(root)"
    mapping: dict[str, object] = {
        "id": mapping_id,
        "name": name,
        "request": _request(event.request, spec),
        "response": _response(event.response, spec.thresholds, url, f"{name}-{mapping_id}", files),
        "uuid": mapping_id,
    }
    return mapping


def _path_parts(url: str) -> list[str]:
    parts = url.partition("?")[0].split("/")
    return [_UNSAFE.sub("_", part) for part in parts if part]


def _request(request: RequestView, spec: RecordSpec) -> dict[str, object]:
    pattern: dict[str, object] = {"url": request.target, "method": request.method}
    captured = {}
    for name, caseless in spec.captured:
        value = request.headers.get(name)
        if value is not None:
            captured[name] = {"equalTo": value, **({"caseInsensitive": True} if caseless else {})}
    if captured:
        pattern["headers"] = captured
    body = _plain(request.headers, request.body)
    tests = _body_test(body, _media_type(request.headers), spec.body_pattern) if body else None
    if tests is not None:
        pattern["bodyPatterns"] = [tests]
    return pattern


def _body_test(body: bytes, media_type: str, spec: BodyPatternSpec) -> dict[str, object] | None:
    """The test that the body passes; None for one that differs each time it is sent."""
    text = _text(body)
    if spec.matcher == "auto" and media_type == "multipart/form-data":
        return None
    if text is None:
        return {"binaryEqualTo": base64.b64encode(body).decode()}
    if _wants(spec, "equalToJson", media_type, "json") and _is_json(body):
        return {
            "equalToJson": text,
            "ignoreArrayOrder": spec.ignore_array_order,
            "ignoreExtraElements": spec.ignore_extra_elements,
        }
    if _wants(spec, "equalToXml", media_type, "xml") and _is_xml(body):
        return {"equalToXml": text}
    if (
        spec.matcher == "auto"
        and media_type
        and not _TEXT_TYPE.match(media_type)
        and "text" not in media_type
    ):
        return {"binaryEqualTo": base64.b64encode(body).decode()}
    return {"equalTo": text, **({"caseInsensitive": True} if spec.case_insensitive else {})}


def _wants(spec: BodyPatternSpec, matcher: str, media_type: str, word: str) -> bool:
    return spec.matcher == matcher or (spec.matcher == "auto" and word in media_type)


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_xml(body: bytes) -> bool:
    try:
        etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return False
    return True


def _response(
    response: RenderedResponse, thresholds: Thresholds, url: str, name: str, files: dict[str, bytes]
) -> dict[str, object]:
    headers = Headers.from_raw(response.headers)
    body = _plain(headers, response.body)
    if body is not response.body:
        headers = headers.without(("content-encoding",))
    shown: dict[str, object] = {"status": response.status}
    if body:
        media_type = _media_type(headers)
        text = _text(body) if _is_text(headers, media_type) else None
        limit = thresholds.binary if text is None else thresholds.text
        if limit is not None and len(body) > limit:
            file_name = f"{name}{_ending(url, media_type)}"
            files[file_name] = body
            shown["bodyFileName"] = file_name
        elif text is None:
            shown["base64Body"] = base64.b64encode(body).decode()
        else:
            shown["body"] = text
    kept = headers.without(_OWN_FIELDS)
    if kept:
        grouped: dict[str, list[str]] = {}
        for field, value in kept:
            grouped.setdefault(field, []).append(value)
        shown["headers"] = {field: each[0] if len(each) == 1 else each for field, each in grouped.items()}
    return shown


def _plain(headers: Headers, body: bytes) -> bytes:
    """The body without its content coding, where that can be undone."""
    coding = headers.get("content-encoding")
    if coding is None or not body:
        return body
    try:
        return decode(coding.strip().lower(), body)[0]
    except UndecodableError:
        return body


def _media_type(headers: Headers) -> str:
    return (headers.get("content-type") or "").partition(";")[0].strip().lower()


def _is_text(headers: Headers, media_type: str) -> bool:
    """Whether a text is what the body is shown as, and sent again as the same bytes."""
    charset = re.search(r"charset=[\"']?([\w-]+)", headers.get("content-type") or "", re.IGNORECASE)
    utf8 = charset is None or charset[1].lower() in _UTF8
    return utf8 and (not media_type or _TEXT_TYPE.match(media_type) is not None)


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _ending(url: str, media_type: str) -> str:
    """How the name of a body's file ends."""
    suffix = PurePosixPath(url.partition("?")[0]).suffix
    if re.fullmatch(r"\.\w{1,8}", suffix):
        return suffix
    return mimetypes.guess_extension(media_type) or (".txt" if media_type.startswith("text/") else ".bin")
