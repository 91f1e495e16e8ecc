"""Bodies as HAR holds them: decoded text, or base64; and the way back to the bytes.

HAR has a body after its content coding was undone (HTTP Archive 1.2, `content`); a recording has it as on
the wire.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from mockforge.model.headers import Headers
from mockforge.recording.foreign.unusable import Unusable
from mockforge.recording.redaction.codings import UndecodableError, decode

__all__ = ["as_text", "bytes_of", "charset_of", "content_of", "decoded", "encoded_text", "without_coding"]

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)
_GZIP = b"\x1f\x8b"


def content_of(body: bytes, headers: Headers) -> dict[str, Any]:
    """The `content` object of an answer's body."""
    kind = headers.get("content-type") or ""
    plain = decoded(body, headers.get("content-encoding") or "")
    content: dict[str, Any] = {"size": len(plain), "mimeType": kind}
    if len(plain) != len(body):
        content["compression"] = len(plain) - len(body)
    text = as_text(plain, kind)
    if text is None:
        return content | {"text": base64.b64encode(plain).decode(), "encoding": "base64"}
    return content | {"text": text} if text else content


def bytes_of(content: Mapping[str, Any]) -> bytes | None:
    """The inverse of `content_of`, but for the coding: the decoded body; None where it was not kept.

    Raises Unusable where it is malformed.
    """
    text = content.get("text")
    if not isinstance(text, str):
        return None
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(text)
        except binascii.Error as error:
            raise Unusable(f"its content is no base64: {error}") from error
    return encoded_text(text, str(content.get("mimeType") or ""))


def as_text(body: bytes, kind: str) -> str | None:
    """The body as text of its content type's charset; None where that does not give back the same bytes."""
    charset = charset_of(kind)
    try:
        text = body.decode(charset)
        return text if text.encode(charset) == body else None
    except ValueError:  # what charset_of lets through fails in no other way
        return None


def encoded_text(text: str, kind: str) -> bytes:
    """The inverse of `as_text`; UTF-8 where the charset cannot write the text."""
    try:
        return text.encode(charset_of(kind))
    except ValueError:
        return text.encode("utf-8", "surrogatepass")


def charset_of(kind: str) -> str:
    """The charset that a content type names; UTF-8 where it names none that is known."""
    found = _CHARSET.search(kind)
    charset = found[1] if found else "utf-8"
    try:
        "".encode(charset)
        return charset
    except (LookupError, ValueError):
        return "utf-8"


def decoded(body: bytes, codings: str) -> bytes:
    """The body without its content codings; as it is where one is unknown or does not fit."""
    plain = body
    names = (name.strip().lower() for name in reversed(codings.split(",")))
    try:
        for coding in names:
            if coding not in {"", "identity"}:
                plain, _ = decode(coding, plain)
    except UndecodableError:
        return body
    return plain


def without_coding(headers: Headers, body: bytes) -> Headers:
    """The fields that fit a body whose coding the source undid: no `Content-Encoding`, its own length.

    A body that is still encoded keeps them.
    """
    coding = (headers.get("content-encoding") or "identity").strip().lower()
    if coding == "gzip" and body.startswith(_GZIP):
        return headers
    if coding != "identity":
        headers = headers.without(("content-encoding",))
    size = str(len(body))
    return Headers(
        tuple((name, size if name.lower() == "content-length" else value) for name, value in headers.pairs)
    )
