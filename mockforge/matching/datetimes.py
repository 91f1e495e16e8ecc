"""Matchers of one value as a date and time: before, after, equal to another, which may count from now.

The expected one is ISO 8601 (`2021-06-14T15:15:15Z`, without a zone, or a date alone), `now`, or an offset
from now (`now +3 days`, `-15 days`). The actual one is in any form that HTTP has, or in `actualFormat`.
Where one of the two has a zone and the other none, local times are compared.
"""

from __future__ import annotations

import operator
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from mockforge.errors import StubFileError
from mockforge.matching.date_formats import compile_date_format, read_date
from mockforge.matching.values import ValueMatcher
from mockforge.model.stub import ValuePattern

__all__ = ["COMPARISONS", "DATE_OPTIONS", "OFFSET_UNITS", "TRUNCATIONS", "compile_datetime"]

Step = Callable[[datetime], datetime]

COMPARISONS: Mapping[str, Callable[[datetime, datetime], bool]] = {
    "before": operator.lt,
    "after": operator.gt,
    "equalToDateTime": operator.eq,
}
DATE_OPTIONS = (
    "actualFormat",
    "expectedOffset",
    "expectedOffsetUnit",
    "truncateExpected",
    "truncateActual",
    "applyTruncationLast",
)
OFFSET_UNITS = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")

_RELATIVE = re.compile(r"(?:now)?\s*([+-]?\d{1,9})\s+([a-z]+?s?)(?:\s+from\s+now)?", re.IGNORECASE)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _first_of_month(moment: datetime) -> datetime:
    return _midnight(moment).replace(day=1)


TRUNCATIONS: Mapping[str, Step] = {
    "first second of minute": lambda moment: moment.replace(second=0, microsecond=0),
    "first minute of hour": lambda moment: moment.replace(minute=0, second=0, microsecond=0),
    "first hour of day": _midnight,
    "first day of month": _first_of_month,
    "first day of next month": lambda moment: add(_first_of_month(moment), 1, "months"),
    "last day of month": lambda moment: add(_first_of_month(moment), 1, "months") - timedelta(days=1),
    "first day of year": lambda moment: _first_of_month(moment).replace(month=1),
    "first day of next year": lambda moment: add(_first_of_month(moment).replace(month=1), 1, "years"),
    "last day of year": lambda moment: _midnight(moment).replace(month=12, day=31),
}


def add(moment: datetime, amount: int, unit: str) -> datetime:
    """`moment` moved; the day of a shorter month is its last. OverflowError beyond the year 9999."""
    if unit not in ("months", "years"):
        return moment + timedelta(**{unit: amount})
    months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "years" else 1)
    year, month = months // 12, months % 12 + 1
    if not 1 <= year <= 9999:
        raise OverflowError("year out of range")
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def _wall() -> datetime:
    return datetime.now(UTC)


def compile_datetime(pattern: ValuePattern, now: Callable[[], datetime] = _wall) -> ValueMatcher:
    """The matcher of a comparison of times; StubFileError where it cannot be."""
    options = pattern.options
    expected = _expected(pattern, now)
    truncate = _truncation(options, "truncateActual")
    written = options.get("actualFormat")
    read = compile_date_format(str(written)) if written is not None else read_date
    compare = COMPARISONS[pattern.operator]

    def matches(value: str | None) -> bool:
        found = read(value) if value is not None else None
        return found is not None and compare(*_comparable(truncate(found), expected()))

    return ValueMatcher(matches)


def _comparable(found: datetime, wanted: datetime) -> tuple[datetime, datetime]:
    """Both as local times unless both have a zone."""
    if found.tzinfo is not None and wanted.tzinfo is not None:
        return found, wanted
    if wanted.tzinfo is not None:
        wanted = wanted.astimezone(UTC)
    return found.replace(tzinfo=None), wanted.replace(tzinfo=None)


def _expected(pattern: ValuePattern, now: Callable[[], datetime]) -> Callable[[], datetime]:
    """What gives the expected time when it is wanted."""
    text = str(pattern.operand).strip()
    truncate = _truncation(pattern.options, "truncateExpected")
    steps = [_offset(pattern.options)]
    start: Callable[[], datetime] = now
    if text.lower() != "now":
        relative = _RELATIVE.fullmatch(text)
        if relative is not None:
            steps.append(_moving(int(relative[1]), relative[2]))
        else:
            start = _fixed(pattern.operator, text)
    steps = [*steps, truncate] if pattern.options.get("applyTruncationLast") else [truncate, *steps]

    def expected() -> datetime:
        moment = start()
        for step in steps:
            moment = step(moment)
        return moment

    try:
        moment = expected()
    except OverflowError as error:
        raise StubFileError(f"{pattern.operator} {text!r} leads beyond the year 9999") from error
    return expected if start is now else lambda: moment


def _fixed(operator_name: str, text: str) -> Callable[[], datetime]:
    moment = read_date(text)
    if moment is None:
        hint = "such as 2021-06-14T15:15:15Z, now, or now +3 days"
        raise StubFileError(f"{operator_name} {text!r} is not a date and time", hint=hint)
    return lambda: moment


def _offset(options: Mapping[str, object]) -> Step:
    amount = options.get("expectedOffset")
    if amount is None:
        return lambda moment: moment
    return _moving(int(str(amount)), str(options.get("expectedOffsetUnit", "seconds")))


def _moving(amount: int, unit: str) -> Step:
    unit = unit.lower()
    unit = unit if unit.endswith("s") else unit + "s"
    if unit not in OFFSET_UNITS:
        raise StubFileError(f"{unit!r} is not a unit of an offset", hint=f"known: {', '.join(OFFSET_UNITS)}")
    return lambda moment: add(moment, amount, unit)


def _truncation(options: Mapping[str, object], key: str) -> Step:
    name = options.get(key)
    if name is None:
        return lambda moment: moment
    step = TRUNCATIONS.get(str(name).lower())
    if step is None:
        raise StubFileError(f"{key} {name!r} is not known", hint=f"known: {', '.join(TRUNCATIONS)}")
    return step
