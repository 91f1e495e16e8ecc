"""The shorthand of a request pattern: `GET /orders/{id}`.

GET /orders            {method: GET, urlPath: /orders}
GET /orders?page=2     {method: GET, url: /orders?page=2}
GET /orders/{id}       {method: GET, urlPathTemplate: "/orders/{id}"}
ANY /orders            any method
"""

from __future__ import annotations

import re

from mockforge.model.stub import RequestPattern, UrlPattern
from mockforge.stubfiles.problems import RefusedError, brief

__all__ = ["parse_shorthand", "shorthand_of"]

_SHORTHAND = re.compile(r"(\S+) (\S+)")


def parse_shorthand(text: str) -> RequestPattern:
    """The pattern that the shorthand stands for; RefusedError where it is none."""
    parts = _SHORTHAND.fullmatch(text)
    if parts is None or not parts[2].startswith("/"):
        raise RefusedError(f"{brief(text)} is not METHOD /PATH", "such as GET /orders/{id}, or ANY /orders")
    method, url = parts.groups()
    path, question, _ = url.partition("?")
    if question and "{" in path:
        hint = "write urlPathTemplate and queryParameters"
        raise RefusedError(f"{brief(text)} has a template and a query, which the shorthand cannot join", hint)
    kind = "url" if question else "urlPathTemplate" if "{" in path else "urlPath"
    return RequestPattern(method, UrlPattern(kind, url))


def shorthand_of(pattern: RequestPattern) -> str | None:
    """The shorthand that stands for just this pattern, where there is one."""
    if pattern.url is None:
        return None
    text = f"{pattern.method} {pattern.url.value}"
    try:
        return text if parse_shorthand(text) == pattern else None
    except RefusedError:
        return None
