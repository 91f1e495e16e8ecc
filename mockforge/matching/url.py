"""Matchers of the URL: exact, by regular expression, by path template."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from mockforge.errors import StubFileError
from mockforge.matching.regexes import FullMatch, RunawayError, compile_regex
from mockforge.matching.values import MISMATCH, ValueMatcher, equal_to, text_distance
from mockforge.model.operation import is_parameter
from mockforge.model.request import RequestView
from mockforge.model.stub import UrlPattern, ValuePattern

__all__ = ["UrlMatcher", "parameter_names", "path_parameters", "template_regex"]

#: Before a parameter's name in hexadecimal digits.
_ENCODED = "mockforge_hex_"


def template_regex(template: str) -> re.Pattern[str]:
    """A path template as a regular expression; `{name}` is a group over one segment."""
    parts = [
        f"(?P<{_group(part[1:-1])}>[^/]+)" if is_parameter(part) else re.escape(part)
        for part in template.split("/")
    ]
    try:
        return re.compile("/".join(parts))
    except re.error as error:
        raise StubFileError(f"path template {template!r} does not parse: {error}") from error


def _group(name: str) -> str:
    """The group of a parameter: its name where a group can have it (not `0`, not `contact-id`)."""
    return name if name.isidentifier() and name.isascii() else _ENCODED + name.encode().hex()


def _parameter(group: str) -> str:
    return bytes.fromhex(group.removeprefix(_ENCODED)).decode() if group.startswith(_ENCODED) else group


def parameter_names(template: re.Pattern[str]) -> list[str]:
    """The names of a template's parameters, in their order."""
    return [_parameter(group) for group in template.groupindex]


def path_parameters(template: re.Pattern[str], path: str) -> dict[str, str]:
    """The decoded path parameters of a path; empty where the template does not match."""
    found = template.fullmatch(path)
    return {_parameter(name): unquote(value) for name, value in found.groupdict().items()} if found else {}


@dataclass(frozen=True, slots=True)
class UrlMatcher:
    """The test of a request's URL: `part` picks what is tested, the raw target or the raw path."""

    part: Callable[[RequestView], str]
    value: ValueMatcher

    @classmethod
    def compile(cls, pattern: UrlPattern) -> UrlMatcher:
        """From a URL pattern; StubFileError where its expression does not parse."""
        part = _target if pattern.kind in ("url", "urlPattern") else _path
        if pattern.kind in ("url", "urlPath"):
            return cls(part, equal_to(ValuePattern("equalTo", pattern.value)))
        fullmatch = _expression(pattern)
        return cls(
            part,
            ValueMatcher(
                lambda value: value is not None and fullmatch(value) is not None,
                lambda value: text_distance(pattern.value, value),
            ),
        )

    def matches(self, request: RequestView) -> bool:
        return self.value.matches(self.part(request))

    def distance(self, request: RequestView) -> float:
        """0 for a match, 1 for a URL that shares nothing, or that an expression takes too long over."""
        try:
            return self.value.distance(self.part(request))
        except RunawayError:
            return MISMATCH


def _expression(pattern: UrlPattern) -> FullMatch:
    if pattern.kind == "urlPathTemplate":
        return template_regex(pattern.value).fullmatch
    return compile_regex(pattern.value)


def _target(request: RequestView) -> str:
    return request.target


def _path(request: RequestView) -> str:
    return request.path
