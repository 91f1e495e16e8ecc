"""Secrets in bodies: what a body is, and how the bytes around the secrets stay as they are."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import groupby

from mockforge.model.headers import Headers
from mockforge.recording.redaction.codings import DamagedError, UndecodableError, decode, encode
from mockforge.recording.redaction.edits import Finding, apply
from mockforge.recording.redaction.json_text import JsonTexts, missing_end, parsed_json
from mockforge.recording.redaction.media import Media, media_of
from mockforge.recording.redaction.screen import JsonScreen
from mockforge.recording.redaction.targets import FORM, Targets
from mockforge.recording.redaction.text import Texts

__all__ = ["Bodies"]

#: Codecs in which ASCII characters are not the bytes that they are in ASCII, by the mark at their begin.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_BY_ZEROS = {
    "x000": "utf-32-le",
    "000x": "utf-32-be",
    "x0x0": "utf-16-le",
    "0x0x": "utf-16-be",
}
_CONTROLS = re.compile(r"[\0-\x08\x0e-\x1f]")
_MARK = "\ufeff"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FILE_NAME = re.compile(r"\bfilename\*?=", re.IGNORECASE)
_FIELD_NAME = re.compile(r'\bname=(?:"([^"]*)"|([^\s;]+))', re.IGNORECASE)

#: Bodies that are remembered, each up to so many bytes, all together up to so many.
_LONGEST_REMEMBERED = 1 << 16
_MOST_REMEMBERED = 8 << 20


class Bodies:
    """Redacts bodies; remembers those that it has seen, since many answers come again and again."""

    def __init__(self, screen: JsonScreen, targets: Targets, jsons: JsonTexts, texts: Texts) -> None:
        self._screen = screen
        self._targets = targets
        self._jsons = jsons
        self._texts = texts
        self._known: dict[tuple[bytes, Media], tuple[bytes, list[Finding]]] = {}
        self._known_size = 0

    def redact(self, body: bytes, media: Media, found: list[Finding]) -> bytes:
        """The body with the secrets in it replaced; the same object where there are none.

        UndecodableError where it cannot be told what is in it.
        """
        key = (body, media)
        known = self._known.get(key)
        if known is None:
            here: list[Finding] = []
            known = (self._redacted(body, media, here), here)
            self._remember(key, known)
        found += known[1]
        return body if known[0] == body else known[0]

    def _remember(self, key: tuple[bytes, Media], known: tuple[bytes, list[Finding]]) -> None:
        size = len(key[0]) + len(known[0])
        if size > _LONGEST_REMEMBERED:
            return
        if self._known_size + size > _MOST_REMEMBERED:
            self._known.clear()
            self._known_size = 0
        self._known[key] = known
        self._known_size += size

    def _redacted(self, body: bytes, media: Media, found: list[Finding]) -> bytes:
        content, forms = _decoded(body, media.codings)
        try:
            new = self._content(content, media, found)
        except RecursionError:
            raise UndecodableError("nested too deeply") from None
        if new == content:
            return body
        for form in forms:
            new = encode(form, new)
        return new

    def _content(self, content: bytes, media: Media, found: list[Finding]) -> bytes:
        """A body without content codings."""
        if content[:1] in (b"{", b"[") and self._screen.passes(content):
            return content
        if media.is_multipart and (delimiter := _delimiter(content, media)):
            return self._multipart(content, delimiter, found)
        codec = _codec(content, media)
        if codec is None:
            return content
        text = content.decode(codec, "surrogateescape" if codec == "utf-8" else "strict")
        mark = _MARK if text.startswith(_MARK) else ""
        new = mark + self._text(text[len(mark) :], media, found)
        return content if new == text else new.encode(codec, "surrogateescape")

    def _text(self, text: str, media: Media, found: list[Finding]) -> str:
        form = text.rstrip("\r\n")
        if media.is_form or ("=" in form and media.kind in _MAY_BE_FORM and FORM.fullmatch(form)):
            return self._targets.form(form, "form", found) + text[len(form) :]
        document = parsed_json(text)
        if document is not None:
            return apply(text, self._jsons.edits(text, document, "body JSON", found))
        if cut := missing_end(text):
            return self._cut_off(text, *cut, found)
        if media.is_json or media.kind == "text/event-stream":
            return self._lines(text, found)
        return self._texts.redacted(text, "body text", found)

    def _cut_off(self, text: str, last: str, closing: str, found: list[Finding]) -> str:
        """A JSON text whose end is missing, redacted as if it were there."""
        whole = f"{text}{last}{closing}"
        edits = self._jsons.edits(whole, parsed_json(whole), "body JSON", found)
        new = apply(whole, edits).removesuffix(closing)
        # A secret that was cut off is replaced with the rest that was made up for it.
        return new if edits and edits[-1].end > len(text) else new.removesuffix(last)

    def _lines(self, text: str, found: list[Finding]) -> str:
        """A text of which each line may be JSON; the lines between are one text."""
        parts: list[str] = []
        for is_json, group in groupby(_LINE.findall(text), _holds_json):
            if is_json:
                parts += self._json_lines(group, found)
            else:
                parts.append(self._texts.redacted("".join(group), "body text", found))
        return "".join(parts)

    def _json_lines(self, lines: Iterator[str], found: list[Finding]) -> Iterator[str]:
        for line in lines:
            text = _value_of(line)
            edits = self._jsons.edits(text, parsed_json(text), "body JSON", found)
            yield line[: len(line) - len(text)] + apply(text, edits)

    def _multipart(self, content: bytes, delimiter: bytes, found: list[Finding]) -> bytes:
        """Each part by its own header, and what stands around the parts as text."""
        first, *parts = content.split(delimiter)
        new = [self._content(first, _PLAIN, found)]
        new += [self._part(part, found) for part in parts]
        return delimiter.join(new)

    def _part(self, part: bytes, found: list[Finding]) -> bytes:
        head, gap, rest = part.partition(b"\r\n\r\n")
        if not gap:
            return self._content(part, _PLAIN, found)
        value = rest.removesuffix(b"\r\n")
        headers = _part_headers(head)
        disposition = headers.get("content-disposition") or ""
        name = _FIELD_NAME.search(disposition)
        if name and not _FILE_NAME.search(disposition):
            text = value.decode("utf-8", "surrogateescape")
            plain_name = name[1] or name[2] or ""
            value = self._targets.field(plain_name, text, "multipart", found).encode(
                "utf-8", "surrogateescape"
            )
        else:
            value = self._content(value, media_of(headers.get("content-type") or "", ""), found)
        new_head = self._content(head, _PLAIN, found)
        return new_head + gap + value + (b"\r\n" if rest.endswith(b"\r\n") else b"")


_PLAIN = Media("text/plain")
_MAY_BE_FORM = frozenset({"", "text/plain", "application/octet-stream"})


def _decoded(body: bytes, codings: tuple[str, ...]) -> tuple[bytes, list[str]]:
    """The body without its content codings, and how to apply them again, in their order."""
    content = body
    forms: list[str] = []
    try:
        for coding in reversed(codings):
            content, form = decode(coding, content)
            forms.insert(0, form)
    except DamagedError:
        # Some say that a plain text is coded.
        if content is body and _is_plain_text(body):
            return body, []
        raise
    return content, forms


def _is_plain_text(content: bytes) -> bool:
    try:
        return not _CONTROLS.search(content.decode())
    except UnicodeDecodeError:
        return False


def _delimiter(content: bytes, media: Media) -> bytes:
    """What stands between the parts of a multipart body: where it is not told, what the body begins with."""
    if media.boundary:
        return b"--" + media.boundary.encode("latin-1", "replace")
    first = content.partition(b"\r\n")[0]
    return first if first.startswith(b"--") and len(first) > 2 else b""


def _codec(content: bytes, media: Media) -> str | None:
    """How the content is a text; None where it is none.

    Whatever says that it is a text is one, in UTF-8 with all other bytes left alone, which does for every
    codec that has ASCII in it. UndecodableError where it is in a wide codec and damaged.
    """
    wide = _wide_codec(content, media)
    try:
        content.decode(wide or "utf-8")
    except UnicodeDecodeError:
        if wide and media.is_text:
            raise UndecodableError(f"no valid {wide}") from None
        return "utf-8" if media.is_text else None
    return wide or "utf-8"


def _wide_codec(content: bytes, media: Media) -> str | None:
    """The codec of a text of two or four bytes a character, by its mark, or by the zeros in `{` or `<`."""
    for mark, codec in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return codec
    if media.charset in _BYTE_ORDER_MARKS.values():
        return media.charset
    if media.charset not in (None, "utf-16", "utf-32") or not (media.is_text or not media.kind):
        return None
    zeros = "".join("x" if each else "0" for each in content[:4])
    return _BY_ZEROS.get(zeros) if len(content) % 2 == 0 else None


def _value_of(line: str) -> str:
    """What may be JSON in a line, which a stream of events begins with `data:`."""
    return line.removeprefix("data:").lstrip(" ")


def _holds_json(line: str) -> bool:
    return parsed_json(_value_of(line)) is not None


def _part_headers(head: bytes) -> Headers:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
    return Headers(tuple((name.strip(), value.strip()) for name, _, value in lines))
