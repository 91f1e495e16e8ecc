"""What clients write, checked: a stub mapping or a request pattern from the admin API's JSON.

The check is the stub files' own. WireMock's wire is stricter in places where people who write YAML are given
latitude (`equalTo: 12`), and its clients send keys that say nothing here; both are seen to first.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from pydantic import ValidationError

from mockforge.matching.request import RequestMatcher
from mockforge.model.request import RequestView
from mockforge.model.stub import RequestPattern, Stub
from mockforge.server.admin.answers import AdminError, as_uuid
from mockforge.stubfiles.folder import BODIES, Bodies
from mockforge.stubfiles.form import StubForm
from mockforge.stubfiles.parsed import Parsed
from mockforge.stubfiles.pattern_form import PatternForm, ValuesForm
from mockforge.stubfiles.problems import Loc, Problem, RefusedError
from mockforge.stubfiles.refusals import refusals_of
from mockforge.stubfiles.to_model import Place, derived_name, to_stub

__all__ = ["file_form", "matcher_of", "metadata_test", "read_mapping", "request_of"]

_TITLE = "Error parsing JSON"
#: Keys that clients send back as they got them, and that say nothing about what is served.
_SAYS_NOTHING = ("insertionIndex", "persistent", "uuid")
_SAYS_NOTHING_EMPTY = ("postServeActions", "serveEventListeners", "metadata")
#: Operators whose operand is a JSON string and nothing else.
_TEXT_OPERATORS = ("equalTo", "contains", "doesNotContain", "matches", "doesNotMatch")
#: Where a request pattern holds the tests of named values, and where lists of tests.
_NAMED_PATTERNS = ("headers", "queryParameters", "cookies", "formParameters", "pathParameters")


def read_mapping(written: object, bodies: Bodies) -> tuple[Stub, dict[str, object]]:
    """The stub of a mapping's JSON, and the JSON to show for it; AdminError with every fault."""
    if not isinstance(written, dict):
        raise AdminError(_TITLE, detail="a stub mapping is a JSON object")
    given: dict[str, object] = {key: value for key, value in written.items() if value is not None}
    mapping_id = given.get("id", given.get("uuid"))
    if mapping_id is not None:
        mapping_id = as_uuid(str(mapping_id), "{} is not a valid UUID")
        given["id"] = given["uuid"] = mapping_id
    problems = list(_stricter(given.get("request")))
    stub = None if problems else _stub(given, bodies, problems)
    if stub is None or problems:
        raise problems[0].joined(problems[1:])
    return stub, given


def file_form(given: Mapping[str, object]) -> dict[str, object]:
    """What a stub file says of a mapping: without what only the admin API knows, and what says nothing."""
    written = {
        key: value
        for key, value in given.items()
        if key not in _SAYS_NOTHING and (value or key not in _SAYS_NOTHING_EMPTY)
    }
    response = written.get("response")
    if isinstance(response, dict):
        written["response"] = {
            key: value
            for key, value in response.items()
            if key != "fromConfiguredStub" and (value is not None or key == "jsonBody")
        }
    if "response" not in written and "responses" not in written:
        written["response"] = {}
    return written


def _stub(given: Mapping[str, object], bodies: Bodies, problems: list[AdminError]) -> Stub | None:
    served = file_form(given)
    try:
        form = StubForm.model_validate(served)
    except ValidationError as error:
        problems += [_problem(loc, refused) for loc, refused in refusals_of(error, StubForm)]
        return None
    found: list[Problem] = []
    place = Place("", Parsed(served, lambda loc: 1), (), "", found)
    stub = to_stub(form, form.name or derived_name(form), place, bodies)
    problems += [_problem(each.key, RefusedError(each.what, each.hint)) for each in found]
    return replace(stub, place="")


def _problem(loc: Loc, refused: RefusedError) -> AdminError:
    detail = f"{refused.what} ({refused.hint})" if refused.hint else refused.what
    return AdminError(_TITLE, pointer=_pointer(loc), detail=detail)


def _pointer(loc: Loc) -> str:
    """Where a fault is, down to the test of one value and not into it, as WireMock says it."""
    parts = [str(part) for part in loc if part != "[key]"]
    if len(parts) > 2 and parts[0] == "request" and parts[1] in (*_NAMED_PATTERNS, "bodyPatterns"):
        parts = parts[:3]
    return "/" + "/".join(parts)


def _stricter(request: object) -> Iterator[AdminError]:
    """What WireMock refuses and stub files do not, and what it refuses in words that clients look for."""
    if not isinstance(request, dict):
        return
    for key in _NAMED_PATTERNS:
        patterns = request.get(key)
        if isinstance(patterns, dict):
            for name, pattern in patterns.items():
                yield from _stricter_pattern(f"/request/{key}/{name}", pattern)
    patterns = request.get("bodyPatterns")
    if isinstance(patterns, list):
        for number, pattern in enumerate(patterns):
            yield from _stricter_pattern(f"/request/bodyPatterns/{number}", pattern)


def _stricter_pattern(pointer: str, pattern: object) -> Iterator[AdminError]:
    if not isinstance(pattern, dict):
        return
    for operator in _TEXT_OPERATORS:
        if operator in pattern and not isinstance(pattern[operator], str):
            detail = f"{operator} operand must be a non-null string"
            yield AdminError(_TITLE, pointer=pointer, detail=detail)
            return
    known = {*_pattern_keys(), "customMatcher"}
    if pattern and not known & set(pattern):
        detail = f"{orjson.dumps(pattern).decode()} is not a valid match operation"
        yield AdminError(_TITLE, pointer=pointer, detail=detail)


def _pattern_keys() -> set[str]:
    """Every key of a value's test that is known, or known to be WireMock's."""
    return {*PatternForm.keys(), *PatternForm.wiremock, *ValuesForm.keys()}


def matcher_of(pattern: object) -> RequestMatcher:
    """The matcher of a request pattern's JSON, in which nothing is asked for that it does not say."""
    if not isinstance(pattern, dict):
        raise AdminError(_TITLE, detail="a request pattern is a JSON object")
    given = {key: value for key, value in pattern.items() if value is not None}
    if not given:
        return RequestMatcher(RequestPattern())
    stub, _ = read_mapping({"request": given}, Bodies(Path(BODIES)))
    return RequestMatcher(stub.request)


def metadata_test(pattern: object) -> Callable[[Stub], bool]:
    """Whether a stub's metadata, as a JSON body, passes the test of a value; without any it never does."""
    matcher = matcher_of({"bodyPatterns": [pattern]})

    def passes(stub: Stub) -> bool:
        if not stub.metadata:
            return False
        return matcher.matches(RequestView("GET", "/", body=orjson.dumps(stub.metadata)))

    return passes


def request_of(written: Mapping[str, object]) -> RequestView:
    """The request that a logged request's JSON describes."""
    url = written.get("url") or written.get("absoluteUrl") or "/"
    parts = urlsplit(str(url))
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    pairs: list[tuple[bytes, bytes]] = []
    headers = written.get("headers")
    for name, values in (headers if isinstance(headers, dict) else {}).items():
        each = values if isinstance(values, list) else [values]
        pairs += [(_latin(name), _latin(value)) for value in each]
    cookies = written.get("cookies")
    if isinstance(cookies, dict) and cookies:
        pairs.append((b"Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()))
    encoded = written.get("bodyAsBase64")
    try:
        body = base64.b64decode(str(encoded)) if encoded else str(written.get("body") or "").encode()
    except ValueError as error:
        raise AdminError(_TITLE, pointer="/bodyAsBase64", detail=str(error)) from None
    return RequestView(str(written.get("method") or "GET"), target, pairs, body)


def _latin(value: object) -> bytes:
    return str(value).encode("latin-1", "replace")
