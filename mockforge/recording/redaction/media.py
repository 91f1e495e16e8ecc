"""What a body is, by the header fields that speak of it."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

__all__ = ["Media", "media_of"]

_PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s;]*))')
_TEXT = re.compile(
    r"text/|message/|multipart/|.*(?:json|xml|urlencoded|javascript|ecmascript|graphql|yaml|csv|html|sparql|sql)\b"
)


@dataclass(frozen=True, slots=True)
class Media:
    """`kind` is the media type in lower case, empty where none is named.

    `codings` are the content codings, in the order in which they were applied. `charset` is a codec that
    Python knows, or None. `boundary` is that of a multipart body.
    """

    kind: str
    codings: tuple[str, ...] = ()
    charset: str | None = None
    boundary: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether it says that it is a text."""
        return bool(_TEXT.match(self.kind)) or self.charset is not None

    @property
    def is_multipart(self) -> bool:
        """Whether it has parts with headers of their own."""
        return self.kind.startswith("multipart/")

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON, or JSON values one after the other."""
        return "json" in self.kind

    @property
    def is_form(self) -> bool:
        """Whether it says that it is a form's fields as in a URL."""
        return self.kind == "application/x-www-form-urlencoded"


def media_of(content_type: str, content_encoding: str) -> Media:
    """From the values of the two fields, empty where there is none."""
    kind = content_type.partition(";")[0].strip().lower()
    parameters = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(content_type)}
    codings = tuple(
        each
        for each in (part.strip().lower() for part in content_encoding.split(","))
        if each not in ("", "identity")
    )
    charset = parameters.get("charset")
    try:
        codec = codecs.lookup(charset).name if charset else None
    except (LookupError, ValueError):
        codec = None
    return Media(kind, codings, codec, parameters.get("boundary") or None)
