"""Where identifiers stand in requests and answers: found, read and replaced.

A *spot* is where an answer brings a value: a JSON scalar, a cookie, a field, a part of `Location`. A
*place* is where a request carries one: a path segment, a query value, a field, a cookie, a JSON scalar.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import orjson
import zstandard

from mockforge.model.exchange import Request, Response
from mockforge.model.headers import Headers

__all__ = [
    "Found",
    "Place",
    "Spot",
    "looks_like_an_identifier",
    "read_spot",
    "replaced",
    "values_of_request",
    "values_of_response",
]

#: Longer bodies are not searched: they are files, not records.
_LARGEST_BODY = 1 << 20
_MOST_SCALARS = 1_000

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NUMBER = re.compile(r"\d{4,}")
#: Hexadecimal, base64 and their URL-safe kin (a JWT's dots too), with a digit in them: words have none.
_TOKEN = re.compile(r"(?=[^\d]*\d)(?=.*[A-Za-z])[A-Za-z0-9_+/=.~-]{8,}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d.*|\d+(?:\.\d+)+[a-z]?")

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """Where a request carries a value: `kind` is path, query, header, cookie or json; `key` what of it.

    A path's or query's `key` is the number of the part, from 0; `name` is for people.
    """

    kind: str
    key: int | str | Path
    name: str = ""

    @property
    def shown(self) -> str:
        if self.kind == "json":
            return f"body {json_path(self.key)}"  # type: ignore[arg-type]
        return f"{self.kind} {self.name or self.key}"


class Spot(NamedTuple):
    """Where an answer brings a value: `kind` is json, cookie, header, location-path or location-query."""

    kind: str
    key: int | str | Path

    @property
    def shown(self) -> str:
        return json_path(self.key) if isinstance(self.key, tuple) else f"{self.kind} {self.key}"


class Found(NamedTuple):
    """A value in a request, and where."""

    value: str
    place: Place


def looks_like_an_identifier(text: str) -> bool:
    """Whether a program made this up: a UUID, a number of four digits or more, or a token; no date."""
    if _NUMBER.fullmatch(text) or _UUID.fullmatch(text):
        return True
    return bool(_TOKEN.fullmatch(text)) and not _DATE.fullmatch(text)


def json_path(path: Path) -> str:
    """`$.items[0].id`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def values_of_request(request: Request) -> Iterator[Found]:
    """Every identifier that a request carries."""
    path, _, query = request.target.partition("?")
    for number, segment in enumerate(path.split("/")):
        if looks_like_an_identifier(unquote(segment)):
            yield Found(unquote(segment), Place("path", number))
    for number, pair in enumerate(query.split("&") if query else ()):
        name, _, value = pair.partition("=")
        if looks_like_an_identifier(unquote(value)):
            yield Found(unquote(value), Place("query", number, unquote(name)))
    yield from _in_fields(request.headers)
    if _is_json(request.headers) and len(request.body) <= _LARGEST_BODY:
        for steps, scalar in _scalars(_parsed(request.body)):
            if looks_like_an_identifier(scalar):
                yield Found(scalar, Place("json", steps))


#: Fields that carry a token after a scheme, or are known to carry one.
_CARRIERS = ("authorization", "if-match", "if-none-match")
_NEVER = frozenset({"x-forwarded-for", "x-forwarded-port", "x-real-ip"})


def _in_fields(headers: Headers) -> Iterator[Found]:
    for name, value in headers:
        lowered = name.lower()
        if lowered == "cookie":
            for pair in value.split(";"):
                cookie, _, content = pair.strip().partition("=")
                if len(content) >= 4:
                    yield Found(content, Place("cookie", cookie))
        elif lowered in _CARRIERS or (lowered.startswith("x-") and lowered not in _NEVER):
            token = value.rpartition(" ")[2].strip('"')
            if looks_like_an_identifier(token):
                yield Found(token, Place("header", name))


def values_of_response(response: Response) -> Iterator[tuple[str, Spot]]:
    """Every identifier that an answer brings."""
    for name, value in response.headers:
        lowered = name.lower()
        if lowered == "set-cookie":
            cookie, _, content = value.partition(";")[0].strip().partition("=")
            if len(content) >= 4:
                yield content, Spot("cookie", cookie)
        elif lowered == "location":
            yield from _in_location(value)
        elif (lowered == "etag" or lowered.startswith("x-")) and looks_like_an_identifier(value.strip('"')):
            yield value.strip('"'), Spot("header", lowered)
    if _is_json(response.headers):
        for steps, scalar in _scalars(_parsed(_decoded(response))):
            if looks_like_an_identifier(scalar):
                yield scalar, Spot("json", steps)


def _in_location(location: str) -> Iterator[tuple[str, Spot]]:
    path, _, query = location.partition("#")[0].partition("?")
    # From the end, so that an origin before the path does not matter.
    for number, segment in enumerate(reversed(path.split("/"))):
        if looks_like_an_identifier(unquote(segment)):
            yield unquote(segment), Spot("location-path", -1 - number)
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        if looks_like_an_identifier(unquote(value)):
            yield unquote(value), Spot("location-query", name)


def read_spot(response: Response, spot: Spot) -> str | None:
    """The value that this answer brings there, or None."""
    if spot.kind == "json":
        found: Any = _parsed(_decoded(response))
        for step in spot.key if isinstance(spot.key, tuple) else ():
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return _text(found)
    for name, value in response.headers:
        got = _read_field(name.lower(), value, spot)
        if got is not None:
            return got
    return None


def _read_field(name: str, value: str, spot: Spot) -> str | None:
    if spot.kind == "cookie" and name == "set-cookie":
        cookie, _, content = value.partition(";")[0].strip().partition("=")
        return content if cookie == spot.key else None
    if spot.kind == "header" and name == spot.key:
        return value.strip('"')
    if name == "location" and spot.kind.startswith("location"):
        path, _, query = value.partition("#")[0].partition("?")
        if isinstance(spot.key, int):
            segments = path.split("/")
            return unquote(segments[spot.key]) if -spot.key <= len(segments) else None
        for pair in query.split("&"):
            if pair.partition("=")[0] == spot.key:
                return unquote(pair.partition("=")[2])
    return None


def replaced(request: Request, place: Place, recorded: str, value: str) -> Request:
    """`request` with `value` at the place where `recorded` stood; everything else byte for byte."""
    return _REPLACERS[place.kind](request, place, recorded, value)


def _in_path(request: Request, place: Place, recorded: str, value: str) -> Request:
    path, mark, query = request.target.partition("?")
    segments = path.split("/")
    assert isinstance(place.key, int)
    segments[place.key] = quote(value, safe="~!$&'()*+,;=:@")
    return replace(request, target="/".join(segments) + mark + query)


def _in_query(request: Request, place: Place, recorded: str, value: str) -> Request:
    path, mark, query = request.target.partition("?")
    pairs = query.split("&")
    assert isinstance(place.key, int)
    name, equals, _ = pairs[place.key].partition("=")
    pairs[place.key] = name + equals + quote(value, safe="~!$'()*,;:@/")
    return replace(request, target=path + mark + "&".join(pairs))


def _in_header(request: Request, place: Place, recorded: str, value: str) -> Request:
    pairs = tuple(
        (name, text.replace(recorded, value)) if name == place.key else (name, text)
        for name, text in request.headers
    )
    return replace(request, headers=Headers(pairs))


def _in_cookie(request: Request, place: Place, recorded: str, value: str) -> Request:
    old, new = f"{place.key}={recorded}", f"{place.key}={value}"
    pairs = tuple(
        (name, _with_cookie(text, old, new)) if name.lower() == "cookie" else (name, text)
        for name, text in request.headers
    )
    return replace(request, headers=Headers(pairs))


def _with_cookie(text: str, old: str, new: str) -> str:
    return ";".join(pair.replace(old, new) if pair.strip() == old else pair for pair in text.split(";"))


def _in_json(request: Request, place: Place, recorded: str, value: str) -> Request:
    """The token is replaced in the text, so that blanks, order and the other numbers stay as they are."""
    new_string = orjson.dumps(value)
    body = request.body.replace(orjson.dumps(recorded), new_string)
    if recorded.isdecimal():
        number = value.encode() if value.isdecimal() else new_string
        # Where a JSON value stands: in a string it would be part of a text.
        stands = rb"([:\[,]\s*)%b(?=\s*[,\]}])" % recorded.encode()
        body = re.sub(stands, lambda match: match[1] + number, body)
    return replace(request, body=body)


_REPLACERS: dict[str, Callable[[Request, Place, str, str], Request]] = {
    "path": _in_path,
    "query": _in_query,
    "header": _in_header,
    "cookie": _in_cookie,
    "json": _in_json,
}


def _is_json(headers: Headers) -> bool:
    return "json" in (headers.get("content-type") or "").lower()


def _decoded(response: Response) -> bytes:
    """The body without its content coding; empty where that cannot be undone or the body is too large."""
    coding = (response.headers.get("content-encoding") or "identity").strip().lower()
    try:
        if coding in ("gzip", "deflate"):
            return zlib.decompressobj(wbits=47).decompress(response.body, _LARGEST_BODY)
        if coding == "zstd":
            return zstandard.ZstdDecompressor().decompress(response.body, max_output_size=_LARGEST_BODY)
    except (zlib.error, zstandard.ZstdError):
        return b""
    return response.body if coding == "identity" and len(response.body) <= _LARGEST_BODY else b""


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _scalars(document: Any) -> Iterator[tuple[Path, str]]:
    """The first scalars of a document as text, each with its path."""
    pending: list[tuple[Path, Any]] = [((), document)]
    left = _MOST_SCALARS
    while pending and left:
        path, value = pending.pop()
        if isinstance(value, dict):
            pending.extend(((*path, key), each) for key, each in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend(((*path, index), each) for index, each in reversed(list(enumerate(value))))
        else:
            text = _text(value)
            if text is not None:
                left -= 1
                yield path, text


def _text(value: Any) -> str | None:
    """A string or whole number as text; nothing else is an identifier."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
