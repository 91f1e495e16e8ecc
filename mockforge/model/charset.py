"""The charset that a content type names, and whether anybody knows it."""

from __future__ import annotations

import codecs
import re

from mockforge.model.headers import Headers

__all__ = ["unknown_charset", "without_unknown_charset"]

_CHARSET = re.compile(r"\s*;\s*charset\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s;]*))", re.IGNORECASE)


def unknown_charset(content_type: str) -> str | None:
    """The charset of a Content-Type's value that is none; None where it is one, or not named."""
    found = _CHARSET.search(content_type)
    if found is None:
        return None
    name = next((each for each in found.groups() if each is not None), "")
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):
        return name
    return None


def without_unknown_charset(headers: Headers) -> Headers:
    """The same fields, a Content-Type without a charset that nobody knows."""
    written = headers.get("content-type")
    if written is None or unknown_charset(written) is None:
        return headers
    return Headers(
        tuple(
            (name, _CHARSET.sub("", value) if name.lower() == "content-type" else value)
            for name, value in headers
        )
    )
