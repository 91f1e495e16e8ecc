"""Moments and durations as files write them, to and from integer nanoseconds, exactly."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from mockforge.recording.foreign.unusable import Unusable

__all__ = ["UNITS", "clf_ns", "epoch_ns", "iso_ns", "iso_of", "scaled_ns"]

#: Nanoseconds in a unit, by the names that people give it.
UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1_000_000_000),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), 1_000_000),
    **dict.fromkeys(("us", "usec", "micros", "microsecond", "microseconds"), 1_000),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanosecond", "nanoseconds"), 1),
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))? ?(Z|z|[+-]\d\d:?\d\d)?")
_CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: Below this many seconds since 1970 (1973), a number is taken for a count from something else.
_OLDEST_S = 100_000_000
#: (nanoseconds in a unit, numbers since 1970 that are smaller than this are in it).
_SIZES = ((1_000_000_000, 10**11), (1_000_000, 10**14), (1_000, 10**17))


def iso_ns(text: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 moment; UTC where it has no zone. Raises Unusable."""
    found = _ISO.fullmatch(text.strip())
    if found is None:
        raise Unusable(f"{text!r} is no ISO 8601 time")
    date, time, fraction, zone = found.groups()
    if zone in {None, "Z", "z"}:
        zone = "+00:00"
    return _whole_seconds(f"{date}T{time}{zone}") * 1_000_000_000 + int(((fraction or "") + "0" * 9)[:9])


def clf_ns(text: str) -> int:
    """Nanoseconds since 1970 of `24/Nov/2026:02:58:52 +0000`, as access logs write it. Raises Unusable."""
    found = _CLF.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        raise Unusable(f"{text!r} is no time like 24/Nov/2026:02:58:52 +0000")
    day, month, year, time, zone = found.groups()
    return _whole_seconds(f"{year}-{_MONTHS.index(month) + 1:02}-{day}T{time}{zone}") * 1_000_000_000


@functools.lru_cache(maxsize=4096)
def _whole_seconds(text: str) -> int:
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(seconds=1)
    except ValueError as error:
        raise Unusable(f"{text!r} is no time: {error}") from error


def iso_of(ns: int, digits: int = 9) -> str:
    """Nanoseconds since 1970 as an ISO 8601 moment in UTC, with `digits` of the second's fraction."""
    seconds, fraction = divmod(ns, 1_000_000_000)
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{fraction:09}"[: len(whole) + 1 + digits] + "Z"


def scaled_ns(value: str | float, unit_ns: int) -> int:
    """A number of units as nanoseconds, exactly where it is written in decimals. Raises Unusable."""
    if isinstance(value, int):
        return value * unit_ns
    try:
        return round(Decimal(value) * unit_ns)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Unusable(f"{value!r} is no number") from error


def epoch_ns(value: str | float, unit_ns: int | None) -> int:
    """A number since 1970 as nanoseconds; without a unit, its size tells s, ms, µs or ns. Raises Unusable."""
    return scaled_ns(value, _unit_by_size(value) if unit_ns is None else unit_ns)


def _unit_by_size(value: str | float) -> int:
    size = abs(scaled_ns(value, 1))
    if size < _OLDEST_S:
        raise Unusable(f"{value!r} is no time since 1970; say its unit with --time-unit")
    return next((unit_ns for unit_ns, most in _SIZES if size < most), 1)
