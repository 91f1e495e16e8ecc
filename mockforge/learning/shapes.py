"""What a value looks like: the shapes of texts, and of JSON documents.

A strong shape says by itself that a text is a value (a number, a UUID). A weak one, such as a word with
hyphens, says so only where enough siblings have it too.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

__all__ = ["TYPICAL", "WEAK_SUPPORT", "json_shape", "same_shape", "shape_of", "weak_shape_of"]

_STRONG = (
    ("number", re.compile(r"-?\d+")),
    ("uuid", re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("date", re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")),
    ("hash", re.compile(r"(?=.*\d)(?=.*[a-fA-F])[0-9a-fA-F]{12,}")),
    ("token", re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_~=.-]{20,}")),
    ("email", re.compile(r"[^@/\s]+(?:@|%40)[^@/\s]+\.[A-Za-z]{2,}")),
    ("braces", re.compile(r".*[{}].*")),  # a client's own template, sent unfilled: no template can spell it
)
_WEAK = (
    ("base64", re.compile(r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_-]{8,}={0,2}")),
    ("short hash", re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{7,11}")),
    ("slug", re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){2,}")),
)
#: From this many siblings of one weak shape on, they are values.
WEAK_SUPPORT = {"base64": 3, "short hash": 3, "slug": 10, "numbered": 8}

#: A text of each strong shape.
TYPICAL = {
    "number": "0",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "date": "2000-01-01",
    "hash": "0a0a0a0a0a0a",
    "token": "0token00000000000000",
    "email": "a@example.com",
    "braces": "{}",
}

_DIGITS = re.compile(r"\d+")


def shape_of(text: str) -> str | None:
    """The strong shape of a text: number, uuid, date, hash, token, email, braces; None for a word."""
    if text.isalpha():  # every shape has a digit or a sign: most words need no more tests
        return None
    for name, pattern in _STRONG:
        if pattern.fullmatch(text):
            return name
    return None


def weak_shape_of(text: str) -> tuple[str, str] | None:
    """The weak shape and what texts of it must share: `page-17.html` is numbered, with `page-#.html`."""
    if text.isalpha():
        return None
    for name, pattern in _WEAK:
        if pattern.fullmatch(text):
            return name, name
    numbered = _DIGITS.sub("#", text)
    return ("numbered", numbered) if numbered != text else None


def json_shape(value: Any) -> Hashable:
    """The types of a JSON document and the names of its members; two lists of one kind are alike."""
    if isinstance(value, Mapping):
        return ("object", tuple(sorted((key, json_shape(each)) for key, each in value.items())))
    if isinstance(value, list):
        return ("list", frozenset(json_shape(each) for each in value))
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else "text"


def same_shape(one: Any, other: Any) -> bool:
    """Whether a program that reads one JSON document can read the other.

    Objects have the same members, lists the same kinds of elements; null and an empty list fit anything of
    their kind, for they say nothing of it.
    """
    if one is None or other is None:
        return True
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same_shape(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return not one or not other or all(any(same_shape(a, b) for b in other) for a in one)
    return json_shape(one) == json_shape(other)
