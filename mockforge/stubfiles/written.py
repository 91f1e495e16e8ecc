"""Values as they are written, and what a place makes of them.

`1.10` is a number where a number is wanted and the text `1.10` where a header's value is. So the YAML reader
keeps a scalar's text wherever the value alone would not give it back, and the place decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

__all__ = [
    "Flag",
    "Json",
    "ParsedJson",
    "Scalar",
    "Spelled",
    "Text",
    "as_text",
    "plain_json",
    "servable_json",
    "short_number",
]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number or truth value whose spelling says more than its value: `1.10`, `True`, `+1`."""

    value: int | float | bool
    text: str


def as_text(value: object) -> object:
    """The text of a scalar; everything that is none as it is."""
    if isinstance(value, Scalar):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return value


def plain_json(value: object) -> object:
    """The value without spellings, all the way down; ValueError where JSON cannot hold it."""
    try:
        return servable_json(_plain(value))
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def servable_json(value: object) -> object:
    """The plain value itself; ValueError where it cannot be sent as JSON."""
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"cannot be sent as JSON: {error}") from None
    return value


def short_number(number: float) -> int | float:
    """The number as it is written: a whole one without a point."""
    return int(number) if float(number).is_integer() else number


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    value = _value(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is too large for JSON; write it as a string")
    return value


def _value(value: object) -> object:
    return value.value if isinstance(value, Scalar) else value


Text = Annotated[
    str,
    BeforeValidator(as_text),
    WithJsonSchema({"type": ["string", "number", "boolean"]}, mode="validation"),
]
#: Stands after a number's bounds, which the JSON Schema would else not show.
Spelled = BeforeValidator(_value)
Flag = Annotated[bool, Spelled]
Json = Annotated[Any, BeforeValidator(plain_json)]
#: JSON that comes from a JSON file, which has no spellings to lose.
ParsedJson = Annotated[Any, AfterValidator(servable_json)]
