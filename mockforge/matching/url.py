"""Matchers of the URL: exact, by regular expression, by path template."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from mockforge.errors import StubFileError
from mockforge.matching.values import ValueMatcher, compile_value, text_distance
from mockforge.model.operation import is_parameter
from mockforge.model.request import RequestView
from mockforge.model.stub import UrlPattern, ValuePattern

__all__ = ["UrlMatcher", "path_parameters", "template_regex"]


def template_regex(template: str) -> re.Pattern[str]:
    """A path template as a regular expression; `{name}` is a group over one segment."""
    parts = [
        f"(?P<{part[1:-1]}>[^/]+)" if is_parameter(part) else re.escape(part) for part in template.split("/")
    ]
    try:
        return re.compile("/".join(parts))
    except re.error as error:
        raise StubFileError(f"path template {template!r} does not parse: {error}") from error


def path_parameters(template: re.Pattern[str], path: str) -> dict[str, str]:
    """The decoded path parameters of a path; empty where the template does not match."""
    found = template.fullmatch(path)
    return {name: unquote(value) for name, value in found.groupdict().items()} if found else {}


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
            return cls(part, compile_value(ValuePattern("equalTo", pattern.value)))
        fullmatch = _expression(pattern).fullmatch
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
        return self.value.distance(self.part(request))


def _expression(pattern: UrlPattern) -> re.Pattern[str]:
    if pattern.kind == "urlPathTemplate":
        return template_regex(pattern.value)
    try:
        return re.compile(pattern.value)
    except re.error as error:
        raise StubFileError(f"regular expression {pattern.value!r} does not parse: {error}") from error


def _target(request: RequestView) -> str:
    return request.target


def _path(request: RequestView) -> str:
    return request.path
