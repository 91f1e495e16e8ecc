"""Dates: now, a while from now, parsed, and in any format and zone."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime, parsedate_to_datetime
from time import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["date", "moved", "now"]

_OFFSET = re.compile(r"\s*([+-]?\s*\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "millisecond": 0.001, "s": 1, "second": 1, "m": 60, "minute": 60, "h": 3_600}
_SECONDS |= {"hour": 3_600, "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800}
_MONTHS = {"month": 1, "year": 12, "y": 12}

#: What Java's SimpleDateFormat means by a run of one letter; what it does not name is refused.
_JAVA = {
    "yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d", "EEEE": "%A", "EEE": "%a",
    "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "a": "%p", "DDD": "%j", "z": "%Z", "Z": "%z",
}  # fmt: skip
_JAVA_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


def now(format: str | None = None, offset: str = "", zone: str = "UTC") -> str | int:
    """The time of the answer: `now()`, `now('yyyy-MM-dd', offset='+3 days', zone='Europe/Paris')`."""
    if format == "unix" and not offset:
        return int(time())
    return _formatted(moved(datetime.now(_zone(zone)), offset), format)


def date(value: str | int | float, format: str | None = None, offset: str = "", zone: str = "") -> str | int:
    """A date in another format: ISO 8601, RFC 1123, or seconds or milliseconds since 1970."""
    at = _parsed(value)
    return _formatted(moved(at.astimezone(_zone(zone)) if zone else at, offset), format)


def moved(at: datetime, offset: str) -> datetime:
    """The moment an offset away: `+3 days`, `-2 hours 30 minutes`."""
    if not offset:
        return at
    place = 0
    for found in _OFFSET.finditer(offset):
        if found.start() != place:
            break
        place = found.end()
        amount, unit = float(found[1].replace(" ", "")), found[2].lower()
        unit = unit if unit in _SECONDS or unit in _MONTHS else unit.removesuffix("s")
        if unit in _SECONDS:
            at += timedelta(seconds=amount * _SECONDS[unit])
        elif unit in _MONTHS:
            at = _months_on(at, int(amount * _MONTHS[unit]))
        else:
            raise ValueError(f"{found[2]!r} is no unit of time; such as '+3 days'")
    if place != len(offset):
        raise ValueError(f"{offset!r} is no offset; such as '+3 days'")
    return at


def _months_on(at: datetime, months: int) -> datetime:
    years, month = divmod(at.month - 1 + months, 12)
    for day in (at.day, 30, 29, 28):
        try:
            return at.replace(year=at.year + years, month=month + 1, day=min(day, at.day))
        except ValueError:
            continue
    raise ValueError("the date is out of range")


@functools.lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    if name.upper() in {"UTC", "Z", "GMT"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; such as 'Europe/Paris'") from None


def _parsed(value: str | int | float) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, IndexError, TypeError):
            raise ValueError(f"{value[:40]!r} is no date") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _formatted(at: datetime, format: str | None) -> str | int:
    if format is None or format == "iso":
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if format in {"epoch", "millis"}:
        return int(at.timestamp() * 1000)
    if format == "unix":
        return int(at.timestamp())
    if format == "http":
        return format_datetime(at.astimezone(UTC), usegmt=True)
    if "%" in format:
        return at.strftime(format)
    return "".join(_java(found, at) for found in _tokens(format))


@functools.lru_cache(maxsize=256)
def _tokens(format: str) -> tuple[re.Match[str], ...]:
    return tuple(_JAVA_TOKEN.finditer(format))


def _java(token: re.Match[str], at: datetime) -> str:
    text = token[0]
    if text[0] == "'":
        return token[1].replace("''", "'") if token[1] else "'"
    if not token[2]:
        return text
    if set(text) == {"S"}:
        return f"{at.microsecond:06}"[: len(text)].ljust(len(text), "0")
    if text in {"XXX", "X"}:
        offset = at.strftime("%z")
        return "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}" if text == "XXX" else offset[:3]
    if text in {"M", "d", "H", "h", "m", "s"}:
        return str(int(at.strftime(_JAVA[text * 2])))
    if text not in _JAVA:
        raise ValueError(f"{text!r} is no part of a date format")
    return at.strftime(_JAVA[text])
