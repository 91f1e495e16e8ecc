"""The parts of a multipart body (RFC 2046 §5.1), and the test of one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mockforge.errors import StubFileError
from mockforge.matching.body import compile_body
from mockforge.matching.multi_values import compile_values
from mockforge.model.request import RequestView
from mockforge.model.stub import MultipartPattern

__all__ = ["MATCHING_TYPES", "compile_multipart", "parts_of"]

MATCHING_TYPES = ("ANY", "ALL")

_TYPE = re.compile(r"\s*multipart/", re.IGNORECASE)
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]*)"|([^;\s]+))', re.IGNORECASE)
_MOST_PARTS = 1_000


@dataclass(frozen=True, slots=True)
class _Part:
    """One part, as a request of its own, and the names that its disposition gives."""

    request: RequestView
    name: str | None
    file_name: str | None


def parts_of(request: RequestView) -> list[_Part]:
    """The parts of the body, none where it is not multipart."""
    parts: list[_Part] = request.remembered("parts", _parse)
    return parts


def compile_multipart(pattern: MultipartPattern) -> Callable[[RequestView], bool]:
    """The test whether any part, or every one, passes; StubFileError where it cannot be."""
    if pattern.matching_type not in MATCHING_TYPES:
        raise StubFileError(f"matchingType {pattern.matching_type!r} is not known", hint="known: ANY, ALL")
    headers = [(name, compile_values(value)) for name, value in pattern.headers]
    bodies = [compile_body(value) for value in pattern.body]

    def passes(part: _Part) -> bool:
        request = part.request
        return (
            pattern.name in (None, part.name)
            and pattern.file_name in (None, part.file_name)
            and all(matcher.matches(request.headers.get_all(name)) for name, matcher in headers)
            and all(body.matches(request) for body in bodies)
        )

    if pattern.matching_type == "ANY":
        return lambda request: any(map(passes, parts_of(request)))
    return lambda request: bool(parts_of(request)) and all(map(passes, parts_of(request)))


def _parse(request: RequestView) -> list[_Part]:
    kind = request.headers.get("Content-Type") or ""
    boundary = _BOUNDARY.search(kind)
    if not _TYPE.match(kind) or boundary is None:
        return []
    delimiter = b"\r\n--" + (boundary[1] or boundary[2] or "").encode()
    pieces = (b"\r\n" + request.body).split(delimiter, _MOST_PARTS + 1)
    parts = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            break
        padding, newline, rest = piece.partition(b"\r\n")
        if newline and not padding.strip():
            parts.append(_part(rest))
    return parts


def _part(piece: bytes) -> _Part:
    head, _, body = (b"\r\n" + piece).partition(b"\r\n\r\n")
    raw = []
    for line in re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            raw.append((name.strip(), value.strip()))
    request = RequestView("POST", "/", raw, body)
    disposition = request.headers.get("Content-Disposition") or ""
    return _Part(request, _parameter(disposition, "name"), _parameter(disposition, "filename"))


def _parameter(disposition: str, name: str) -> str | None:
    found = re.search(rf';\s*{name}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', disposition, re.IGNORECASE)
    if found is None:
        return None
    return re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]
