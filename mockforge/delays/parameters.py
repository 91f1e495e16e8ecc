"""The parameters of a law as they are written: numbers, durations, percentiles; refusals name the key."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mockforge.delays.durations import milliseconds_of
from mockforge.errors import StubFileError

__all__ = ["LONGEST_MS", "milliseconds", "number", "only", "percentile", "to_ns"]

_NS_PER_MS = 1_000_000
#: Ten days. What is longer is a slip, and would not fit into a timer.
LONGEST_MS = 864_000_000


def to_ns(delay_ms: float) -> int:
    """Whole nanoseconds."""
    return round(delay_ms * _NS_PER_MS)


def milliseconds(
    parameters: Mapping[str, object], key: str, *, at_least: float = -math.inf, above: float = -math.inf
) -> float:
    """A time in ms: a number, or a duration such as `12ms` or `1.5s`."""
    value = parameters.get(key)
    if isinstance(value, str):
        value = milliseconds_of(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LONGEST_MS:
        hint = f"at most {LONGEST_MS} (ten days); or a duration such as 12ms or 1.5s"
        raise StubFileError(f"{key} must be a number of milliseconds, not {parameters.get(key)!r}", hint=hint)
    return _within(key, float(value), at_least, above)


def number(
    parameters: Mapping[str, object], key: str, *, at_least: float = -math.inf, above: float = -math.inf
) -> float:
    """A number that is no time."""
    value = parameters.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LONGEST_MS:
        raise StubFileError(f"{key} must be a number, not {value!r}")
    return _within(key, float(value), at_least, above)


def _within(key: str, value: float, at_least: float, above: float) -> float:
    if value < at_least or value <= above:
        bound = f"at least {at_least:g}" if value < at_least else f"above {above:g}"
        raise StubFileError(f"{key} is {value:g}; it must be {bound}")
    return value


def percentile(key: object) -> float:
    """A percentile, 0 to 100."""
    try:
        level = float(str(key))
    except ValueError:
        level = math.nan
    if not 0 <= level <= 100:
        raise StubFileError(f"{key!r} is not a percentile", hint="keys go from 0 to 100")
    return level


def only(parameters: Mapping[str, object], known: set[str]) -> None:
    """StubFileError where a key is none of `known`."""
    for key in parameters:
        if key not in known:
            hint = f"known: {', '.join(sorted(known))}"
            raise StubFileError(f"unknown key {key!r} in delayDistribution", hint=hint)
