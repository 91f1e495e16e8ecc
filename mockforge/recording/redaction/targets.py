"""Secrets in request targets, URLs and forms: parts that are percent-encoded each by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, unquote_plus

from mockforge.recording.redaction.edits import Finding, apply, shown_name
from mockforge.recording.redaction.json_text import JsonTexts, parsed_json
from mockforge.recording.redaction.names import Names
from mockforge.recording.redaction.secret_values import Secrets
from mockforge.recording.redaction.text import Texts, encoded_like

__all__ = ["FORM", "Targets"]

#: A text that is nothing but a form's fields.
FORM = re.compile(r"""[\w.%+*\[\]-]{1,200}=[^&\s<>"{}]*(?:&[\w.%+*\[\]-]{1,200}=[^&\s<>"{}]*)*""", re.ASCII)
#: `scheme://host` of a URL, and what follows up to the query.
_URL = re.compile(r"((?:[A-Za-z][\w+.-]*:)?//[^/?#]*)?([^?#]*)", re.ASCII)
#: A slash between segments, but none of those in `https://host`, which may stand in a path.
_SLASH = re.compile(r"(?<!/)/(?!/)")


class Targets:
    """Redacts URLs and forms, and the values in them: each is a text, or JSON."""

    def __init__(self, names: Names, secrets: Secrets, texts: Texts, jsons: JsonTexts) -> None:
        self._names = names
        self._secrets = secrets
        self._texts = texts
        self._jsons = jsons

    def url(self, url: str, place: str, parameters: str, found: list[Finding]) -> str:
        """A request target, or an absolute or relative URL, with the secrets in it replaced.

        Parameters are at the place `parameters` and their name.
        """
        split = _URL.match(url)
        assert split is not None
        authority, path = split[1] or "", split[2]
        rest = url[split.end() :]
        parts = [
            self._texts.redacted(authority, place, found) if authority else "",
            self._path(path, place, found),
        ]
        while rest:
            mark, rest = rest[0], rest[1:]
            end = rest.find("#") if mark == "?" else -1
            piece, rest = (rest, "") if end < 0 else (rest[:end], rest[end:])
            parts += (mark, self.form(piece, parameters, found))
        return "".join(parts)

    def form(self, form: str, place: str, found: list[Finding]) -> str:
        """The pairs of a form or a query, each value by its name; they are at `place` and their name."""
        pairs = form.split("&")
        if self._are_quiet(form, pairs):
            return form
        return "&".join([self._pair(pair, place, found) for pair in pairs])

    def field(self, name: str, value: str, place: str, found: list[Finding]) -> str:
        """A value that is not encoded, by the name that it has."""
        if name in self._names:
            new = self._secrets.of(value)
            if new != value:
                found.append(Finding("parameter", f"{place} {shown_name(name)}"))
            return new
        return self._value(value, f"{place} {shown_name(name)}", found)

    def _are_quiet(self, form: str, pairs: list[str]) -> bool:
        """Whether nothing in a form is encoded, a form itself, secret by its name or secret by its look."""
        if (
            "%" in form
            or "+" in form
            or form.count("=") > len(pairs)
            or not self._texts.are_quiet(form, but_for="=")
        ):
            return False
        return not any(pair.partition("=")[0] in self._names for pair in pairs)

    def _pair(self, pair: str, place: str, found: list[Finding]) -> str:
        name, equals, value = pair.partition("=")
        plain_name = _decoded(name)
        new_name = self._encoded(name, plain_name, self._texts.redacted(plain_name, place, found))
        if not value:
            return f"{new_name}{equals}"
        decoded = _decoded(value)
        new = self.field(plain_name, decoded, place, found)
        return f"{new_name}{equals}{self._encoded(value, decoded, new)}"

    def _encoded(self, written: str, old: str, new: str) -> str:
        return written if new == old else encoded_like(written, new)

    def _value(self, value: str, place: str, found: list[Finding]) -> str:
        document = parsed_json(value)
        if document is not None:
            return apply(value, self._jsons.edits(value, document, place, found))
        return self._texts.redacted(value, place, found)

    def _path(self, path: str, place: str, found: list[Finding]) -> str:
        """A path, segment by segment; `;name=value` in one is a parameter."""
        if not ("%" in path or "=" in path) and self._texts.are_quiet(path):
            return path
        return "/".join([self._segment(segment, place, found) for segment in _SLASH.split(path)])

    def _segment(self, segment: str, place: str, found: list[Finding]) -> str:
        first, *parameters = segment.split(";")
        decoded = unquote(first, errors="surrogateescape")
        new = self._encoded(first, decoded, self._texts.redacted(decoded, place, found))
        return ";".join([new, *self._all(parameters, place, found)])

    def _all(self, pairs: Sequence[str], place: str, found: list[Finding]) -> list[str]:
        return [self._pair(pair, place, found) for pair in pairs]


def _decoded(written: str) -> str:
    return unquote_plus(written, errors="surrogateescape") if "%" in written or "+" in written else written
