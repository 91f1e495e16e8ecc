"""Secrets that are known by their own look, wherever they stand in a text.

Each entry of PATTERNS makes the `Find` of one pattern. They are tried in that order, and each sees only what
those before it left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, unquote

from mockforge.recording.redaction.cards import card_numbers
from mockforge.recording.redaction.edits import Edit, Find
from mockforge.recording.redaction.jwt import JWT_BEGINNINGS, possible_jwts
from mockforge.recording.redaction.secret_values import ACCESS_KEY, EMAIL, PRIVATE_KEY, Secrets

__all__ = ["PATTERNS", "may_hold_secret"]

#: Whatever stands between the slashes of a URL and its last `@`.
_USER_INFO = re.compile(r"""(?:(?<=://)|(?<=:\\/\\/))[^\s/?#"'<>\\]+(?=@)""")

_MARKS = tuple(mark.encode() for mark in ("@", "%40", *JWT_BEGINNINGS, "AKIA", "ASIA", "-----BEGIN "))
_DIGITS_AS_ZEROS = bytes(ord("0") if chr(each).isdigit() else each for each in range(128)) + bytes(
    range(128, 256)
)
#: A card number's digits; tokens and keys are longer.
_SHORTEST_BUT_EMAIL = 13
_CARD_MARK = b"0" * _SHORTEST_BUT_EMAIL


def may_hold_secret(text: bytes) -> bool:
    """Whether one of PATTERNS could find something; a few passes over the bytes say No to most texts."""
    if len(text) < _SHORTEST_BUT_EMAIL:
        return b"@" in text or b"%40" in text
    for mark in _MARKS:
        if mark in text:
            return True
    return _CARD_MARK in text.translate(_DIGITS_AS_ZEROS, b" -")


def _private_keys(secrets: Secrets) -> Find:
    def find(text: str, start: int, end: int) -> Iterator[Edit]:
        if "-----BEGIN " in text:
            for block in PRIVATE_KEY.finditer(text, start, end):
                yield Edit(block.start(), block.end(), secrets.private_key(block), "private-key")

    return find


def _url_credentials(secrets: Secrets) -> Find:
    def part(value: str) -> str:
        return quote(secrets.of(unquote(value)), safe="")

    def find(text: str, start: int, end: int) -> Iterator[Edit]:
        if "@" in text and "/" in text:
            for found in _USER_INFO.finditer(text, start, end):
                user, colon, password = found[0].partition(":")
                new = f"{part(user)}{colon}{part(password)}"
                yield Edit(*found.span(), new, "url-credentials")

    return find


def _jwts(secrets: Secrets) -> Find:
    def find(text: str, start: int, end: int) -> Iterator[Edit]:
        if any(mark in text for mark in JWT_BEGINNINGS):
            done = start
            for begin, last in possible_jwts(text, start, end):
                if begin >= done and (token := secrets.jwt(text[begin:last])):
                    yield Edit(begin, last, token, "jwt")
                    done = last

    return find


def _emails(secrets: Secrets) -> Find:
    def find(text: str, start: int, end: int) -> Iterator[Edit]:
        if "@" in text or "%40" in text:
            for found in EMAIL.finditer(text, start, end):
                new = secrets.email(unquote(found[0]))
                if "@" not in found[0]:
                    new = new.replace("@", "%40")
                yield Edit(found.start(), found.end(), new, "email")

    return find


def _access_keys(secrets: Secrets) -> Find:
    def find(text: str, start: int, end: int) -> Iterator[Edit]:
        if "AKIA" in text or "ASIA" in text:
            for found in ACCESS_KEY.finditer(text, start, end):
                yield Edit(found.start(), found.end(), secrets.access_key(found[0]), "access-key")

    return find


def _cards(secrets: Secrets) -> Find:
    def find(text: str, start: int, end: int) -> Iterator[Edit]:
        for first, last in card_numbers(text, start, end):
            yield Edit(first, last, secrets.card(text[first:last]), "card")

    return find


PATTERNS: Mapping[str, Callable[[Secrets], Find]] = {
    "private-key": _private_keys,
    "url-credentials": _url_credentials,
    "jwt": _jwts,
    "email": _emails,
    "access-key": _access_keys,
    "card": _cards,
}
