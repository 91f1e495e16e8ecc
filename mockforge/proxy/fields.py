"""Which header fields pass through the proxy: all but those that speak of one connection."""

from __future__ import annotations

from collections.abc import Iterable

from mockforge.model.headers import HOP_BY_HOP, Headers

__all__ = ["end_to_end", "for_target", "from_wire_text", "to_wire_text"]

#: Answered by the proxy itself, so that the body is read whole before the target sees the request.
_EXPECT = "expect"


def end_to_end(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The fields that are passed on, in order and as spelled.

    Left out are the hop-by-hop fields, those that `Connection` names (RFC 9110 §7.6.1), and `Expect`.
    """
    headers = Headers.from_raw(raw)
    dropped = HOP_BY_HOP | {_EXPECT}
    for value in headers.get_all("connection"):
        dropped |= {name.strip().lower() for name in value.split(",")}
    return Headers(tuple(pair for pair in headers.pairs if pair[0].lower() not in dropped))


def for_target(headers: Headers, authority: str) -> list[tuple[str, str]]:
    """The request's fields as the target gets them: `Host` is its own, once.

    A name that is repeated is spelled as it was first: aiohttp keeps only the last of two spellings.
    """
    spelling: dict[str, str] = {}
    fields = [("Host", authority)]
    for name, value in headers:
        lowered = name.lower()
        if lowered == "host":
            fields[0] = (spelling.setdefault(lowered, name), authority)
        else:
            fields.append((spelling.setdefault(lowered, name), to_wire_text(value)))
    return fields


def from_wire_text(text: str) -> str:
    """aiohttp reads bytes as UTF-8 with escapes; here they are Latin-1, a character a byte."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def to_wire_text(text: str) -> str:
    """The inverse of `from_wire_text`."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")
