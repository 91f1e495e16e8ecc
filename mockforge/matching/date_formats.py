"""Dates as they are written: in ISO 8601, as HTTP has them, or by a pattern of Java's `DateTimeFormatter`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime

from mockforge.errors import StubFileError

__all__ = ["compile_date_format", "read_date"]

#: Gives None for a text that is not such a date.
ReadDate = Callable[[str], datetime | None]

#: RFC 9110 §5.6.7: the preferred form, RFC 850's, asctime's.
_HTTP_FORMATS = ("%a, %d %b %Y %H:%M:%S %Z", "%A, %d-%b-%y %H:%M:%S %Z", "%a %b %d %H:%M:%S %Y")
_ISO_START = re.compile(r"\d{4}-\d\d")
#: Java's letters, by the letter and how often it stands; 0: however often.
_DIRECTIVES = {
    ("y", 2): "%y",
    ("u", 2): "%y",
    ("y", 0): "%Y",
    ("u", 0): "%Y",
    ("M", 4): "%B",
    ("M", 3): "%b",
    ("M", 0): "%m",
    ("L", 0): "%m",
    ("d", 0): "%d",
    ("D", 0): "%j",
    ("E", 4): "%A",
    ("E", 0): "%a",
    ("H", 0): "%H",
    ("h", 0): "%I",
    ("a", 0): "%p",
    ("m", 0): "%M",
    ("s", 0): "%S",
    ("S", 0): "%f",
    ("n", 0): "%f",
    ("z", 0): "%Z",
    ("V", 0): "%Z",
    ("Z", 0): "%z",
    ("X", 0): "%z",
    ("x", 0): "%z",
}
_SECONDS_NAMES = ("epoch", "unix")
_TOKENS = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|.", re.DOTALL)


def read_date(text: str) -> datetime | None:
    """A date in ISO 8601 or one of HTTP's three forms; without a zone where it says none."""
    text = text.strip()
    if _ISO_START.match(text):
        try:
            return datetime.fromisoformat(re.sub(r"\[[^\]]*\]$", "", text))
        except ValueError:
            return None
    text = " ".join(text.split())
    return next(filter(None, (_parsed(text, each) for each in _HTTP_FORMATS)), None)


def compile_date_format(written: str) -> ReadDate:
    """A reader for a pattern of Java's, `epoch` (milliseconds) or `unix` (seconds); StubFileError else."""
    if written in _SECONDS_NAMES:
        divisor = 1000 if written == "epoch" else 1
        return lambda text: _since_1970(text, divisor)
    pattern = "".join(map(_directive, _TOKENS.finditer(written), itertools.repeat(written)))
    return lambda text: _parsed(text, pattern)


def _directive(token: re.Match[str], written: str) -> str:
    quoted, letter = token[1], token[2]
    if quoted is not None:
        return (quoted.replace("''", "'") or "'").replace("%", "%%")
    if letter is None:
        return token[0].replace("%", "%%")
    found = _DIRECTIVES.get((letter, len(token[0]))) or _DIRECTIVES.get((letter, 0))
    if found is None:
        hint = "letters of Java's DateTimeFormatter, such as dd/MM/yyyy; or epoch, unix"
        raise StubFileError(f"{token[0]!r} in the date format {written!r} is not known", hint=hint)
    return found


def _parsed(text: str, pattern: str) -> datetime | None:
    try:
        moment = datetime.strptime(text, pattern)
    except ValueError:
        return None
    names_zone = "%Z" in pattern and moment.tzinfo is None
    return moment.replace(tzinfo=UTC) if names_zone else moment


def _since_1970(text: str, divisor: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text) / divisor, UTC)
    except (ValueError, OverflowError, OSError):
        return None
