"""JSON Web Tokens (RFC 7519): what they say becomes pseudonyms, and they stay tokens that can be read."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

__all__ = ["JWT", "JWT_BEGINNINGS", "possible_jwts", "pseudonym_of_jwt"]

#: How base64url writes `{"`, `{ `, and `{` before a line's end.
JWT_BEGINNINGS = ("eyJ", "eyA", "ewo", "ew0")
#: Three parts; of an encrypted token (RFC 7516) five.
JWT = re.compile(r"(?:eyJ|eyA|ewo|ew0)[\w-]*\.[\w-]+\.[\w-]*(?:\.[\w-]*\.[\w-]*)?", re.ASCII)
#: What may be a token, with other letters before it.
_DOTTED = re.compile(r"(?<![\w-])[\w-]+\.[\w-]+\.[\w-]*(?:\.[\w-]*\.[\w-]*)?", re.ASCII)
_BEGINNING = re.compile("|".join(JWT_BEGINNINGS))
#: So many times what begins like a token is tried in one word.
_MOST_TRIED = 4

#: What a header says of the token's form and not of its bearer.
_OF_FORM = frozenset({"alg", "b64", "crit", "crv", "cty", "enc", "kty", "typ", "zip"})


def pseudonym_of_jwt(token: str, text: Callable[[str], str], number: Callable[[Any], Any]) -> str | None:
    """The token with its claims' texts and numbers replaced and its other parts made up; None if it is none.

    Names of claims stay, and what the header says of the token's form. The signature is no longer valid.
    """
    header, payload, *others = token.split(".")
    fields = _decoded(header)
    if not isinstance(fields, dict):
        return None

    def replaced(value: Any) -> Any:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, dict):
            return {name: replaced(each) for name, each in value.items()}
        if isinstance(value, list):
            return [replaced(each) for each in value]
        return number(value)

    new_fields = {name: value if name in _OF_FORM else replaced(value) for name, value in fields.items()}
    claims = _decoded(payload)
    parts = [
        _encoded(header, fields, new_fields),
        text(payload) if claims is None else _encoded(payload, claims, replaced(claims)),
        *(text(part) for part in others),
    ]
    return ".".join(parts)


def possible_jwts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where in `text[start:end]` tokens may stand; several tries for one that has other letters before it."""
    for run in _DOTTED.finditer(text, start, end):
        header_end = text.index(".", run.start())
        for begin in islice(_BEGINNING.finditer(text, run.start(), header_end), _MOST_TRIED):
            yield begin.start(), run.end()


def _decoded(part: str) -> Any:
    """The JSON object or list in a part, None where it holds none."""
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _encoded(part: str, old: Any, new: Any) -> str:
    """The part again, as it was written where nothing in it has changed."""
    if old == new:
        return part
    written = json.dumps(new, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(written).decode().rstrip("=")
