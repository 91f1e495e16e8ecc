"""What a replay changes in the recorded requests when it is told to: fields, and dates."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from mockforge.errors import UsageError
from mockforge.model.exchange import Request
from mockforge.replay.wire import with_fields

__all__ = ["Rewriting", "Shift", "parse_fields"]

_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
_FROM_ENVIRONMENT = re.compile(r"(?:(?<=\s)|^)env:([A-Za-z_][A-Za-z0-9_]*)$")
_REFUSED = {
    "host": "--host-header sets it",
    "content-length": "it follows from the body",
    "transfer-encoding": "it follows from the body",
    "connection": "it speaks of the connection, which is the replay's own",
}


def parse_fields(options: Iterable[str], environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The fields of `Name: value` options; a value or its last word may be `env:NAME`. Raises UsageError.

    An error never shows a value.
    """
    return tuple(_field(option, environment) for option in options)


def _field(option: str, environment: Mapping[str, str]) -> tuple[str, str]:
    match = _FIELD.fullmatch(option)
    if match is None:
        raise UsageError(
            "--header is not of the form 'Name: value'",
            hint="for example --header 'Authorization: env:TOKEN'",
        )
    name, value = match[1], match[2].strip()
    if name.lower() in _REFUSED:
        raise UsageError(f"--header cannot set {name}", hint=_REFUSED[name.lower()])
    taken = _FROM_ENVIRONMENT.search(value)
    if taken is not None:
        if taken[1] not in environment:
            raise UsageError(
                f"--header {name} takes its value from the variable {taken[1]}, which is not set",
                hint=f"export {taken[1]}=… first",
            )
        value = value[: taken.start()] + environment[taken[1]]
    return name, value


@dataclass(frozen=True, slots=True)
class Shift:
    """Moves dates by a time, and knows when the recording was made.

    Moved are ISO 8601 dates and times, and numbers that are Unix times (s or ms) within a year of `around`.
    How they are written (fraction, zone, `%3A` for a colon) stays.
    """

    by: datetime.timedelta
    around: datetime.datetime

    def text(self, text: str) -> str:
        """`text` with its dates moved."""
        return _DATES.sub(partial(_moved, self), text)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Fields to set in every request (replaced where they are, else added), and how dates move."""

    fields: tuple[tuple[str, str], ...] = ()
    shift: Shift | None = None

    def with_given_fields(self, request: Request) -> Request:
        """`request` with the given fields in it."""
        return replace(request, headers=with_fields(request.headers, self.fields)) if self.fields else request

    def moved(self, request: Request) -> Request:
        """`request` with the dates in its target and in its body, where that is text, moved."""
        if self.shift is None:
            return request
        target, body = self.shift.text(request.target), request.body
        if body and _is_text(request):
            body = self.shift.text(body.decode("latin-1")).encode("latin-1")
        if target == request.target and body == request.body:
            return request
        return replace(request, target=target, body=body)


_COLON = r"(?::|%3[aA])"
_DATES = re.compile(
    rf"(?<![\w.-])(?P<date>\d{{4}}-\d\d-\d\d)"
    rf"(?:(?P<t>[T ]|%20|\+)(?P<time>\d\d(?P<colon>{_COLON})\d\d(?:{_COLON}\d\d)?)"
    rf"(?P<rest>[.,]\d+)?(?P<zone>Z|(?:[+-]|%2[bB])\d\d(?:{_COLON})?\d\d)?)?(?![\w-])"
    r"|(?<![\w.-])(?P<unix>\d{10}(?:\d{3})?)(?![\w.-])"
)
_YEAR = datetime.timedelta(days=366)
_TEXT = ("json", "text/", "xml", "x-www-form-urlencoded")


def _is_text(request: Request) -> bool:
    kind = (request.headers.get("content-type") or "").lower()
    return any(mark in kind for mark in _TEXT) and "content-encoding" not in request.headers


def _moved(shift: Shift, match: re.Match[str]) -> str:
    try:
        if match["unix"]:
            return _moved_number(shift, match["unix"])
        return _moved_date(shift, match)
    except (ValueError, OverflowError):
        return match[0]  # 2024-13-45 is no date


def _moved_number(shift: Shift, digits: str) -> str:
    scale = 1000 if len(digits) == 13 else 1
    when = datetime.datetime.fromtimestamp(int(digits) / scale, datetime.UTC)
    if abs(when - shift.around) > _YEAR:
        return digits
    return str(int(digits) + round(shift.by.total_seconds() * scale))


def _moved_date(shift: Shift, match: re.Match[str]) -> str:
    if not match["time"]:
        return (datetime.date.fromisoformat(match["date"]) + shift.by).isoformat()
    time = re.sub(_COLON, ":", match["time"])
    moved = datetime.datetime.fromisoformat(f"{match['date']}T{time}") + shift.by
    written = moved.strftime("%H:%M:%S" if time.count(":") == 2 else "%H:%M").replace(":", match["colon"])
    # The shift is of whole seconds, so that a fraction stays what it was.
    return f"{moved.date().isoformat()}{match['t']}{written}{match['rest'] or ''}{match['zone'] or ''}"
