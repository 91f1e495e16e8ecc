"""Numbers as people write them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

__all__ = ["format_number"]

_MOST_DIGITS = 30


def format_number(value: Any, digits: int = 2, thousands: str = ",", point: str = ".") -> str:
    """A number with so many digits after the point, halves rounded away from zero, and groups of three."""
    if not 0 <= digits <= _MOST_DIGITS:
        raise ValueError(f"the digits after the point are from 0 to {_MOST_DIGITS}")
    try:
        number = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    except InvalidOperation:
        raise ValueError(f"{str(value)[:40]!r} is no number, or too large") from None
    written = f"{number:,.{digits}f}"
    return written.translate({ord(","): str(thousands), ord("."): str(point)})
