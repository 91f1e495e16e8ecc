"""How values stand in a body: texts and numbers as they are, all else as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from jinja2 import Undefined

__all__ = ["Write", "as_is", "escaped", "json_of", "text_of"]

#: What a text is written into: as it is, or the inside of a JSON string.
Write = Callable[[str], str]

_PLAIN = (str, int, float)


def text_of(value: Any) -> str:
    """A value's text; UndefinedError for what is not there, TypeError for what cannot stand in a body."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int or kind is float or (isinstance(value, _PLAIN) and kind is not bool):
        return str(value)
    return json_of(value)


def json_of(value: Any) -> str:
    """A value as JSON; UndefinedError for what is not there, TypeError for what JSON cannot hold."""
    if isinstance(value, Undefined):
        return str(value)  # raises, and says what is not there
    if isinstance(value, Mapping) and type(value) is not dict:
        value = dict(value)
    elif not (value is None or isinstance(value, str | bool | int | float | dict | list | tuple)):
        raise TypeError(f"a {type(value).__name__} cannot stand in a body")
    return orjson.dumps(value, default=_of_other, option=orjson.OPT_NON_STR_KEYS).decode()


def as_is(text: str) -> str:
    """The text itself."""
    return text


def escaped(text: str) -> str:
    """The inside of a JSON string."""
    if text.isalnum():  # as most are, and none of it has to be escaped
        return text
    return orjson.dumps(text).decode()[1:-1]


def _of_other(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Undefined):
        str(value)  # raises
    raise TypeError(f"a {type(value).__name__} cannot stand in a body")
