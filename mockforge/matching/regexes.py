"""Regular expressions of stubs: those of Java that people bring along, and none that can run away.

An expression with at most one quantifier, and that not on a group, takes time in proportion to the text:
Python's own engine runs it. Every other one is run by the `regex` package, which knows more of Java's syntax
(possessive quantifiers, `\\p{…}`, `[a-z&&[^b]]`) and gives up after `LONGEST_S`; what then is raised is an
error of the stub, never "no match".
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable

import regex

from mockforge.errors import StubFileError

__all__ = ["LONGEST_S", "FullMatch", "RunawayError", "compile_regex"]

#: What matches the whole of a text, None where nothing does; RunawayError where that cannot be told in time.
FullMatch = Callable[[str], object | None]

#: Seconds that one expression may take over one text.
LONGEST_S = 0.25

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]\[]*\]")
_QUANTIFIER = re.compile(r"(?<!\()[*+?{]")
_GROUP_REPEATED = re.compile(r"\)[*+{]")
_BACK_REFERENCE = re.compile(r"\\[1-9k]|\(\?P=")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)


class RunawayError(Exception):
    """An expression took too long over a text."""


def compile_regex(expression: str, *, ignore_case: bool = False, search: bool = False) -> FullMatch:
    """The test whether a text wholly matches (`search`: anywhere); StubFileError where it does not parse."""
    written = expression
    expression = _QUOTED.sub(lambda quoted: re.escape(quoted[1]), expression)
    if _is_harmless(expression):
        flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                own = re.compile(expression, flags)
            except (re.error, Warning, RecursionError, OverflowError):
                pass  # of another dialect, perhaps
            else:
                return own.search if search else own.fullmatch
    return _bounded(expression, written, ignore_case, search)


def _bounded(expression: str, written: str, ignore_case: bool, search: bool) -> FullMatch:
    flags = regex.DOTALL | regex.VERSION1 | (regex.IGNORECASE if ignore_case else 0)
    try:
        bounded = regex.compile(expression, flags)
    except regex.error as error:
        if "too big" in str(error):
            raise StubFileError(f"regular expression {written[:60]!r} is too large") from error
        raise StubFileError(
            f"regular expression {written!r} does not parse: {error}", hint="write it as Python's or Java's"
        ) from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise StubFileError(f"regular expression {written[:60]!r} is too large") from error
    run = bounded.search if search else bounded.fullmatch

    def matches(text: str) -> object | None:
        try:
            return run(text, timeout=LONGEST_S)
        except TimeoutError:
            what = (
                f"regular expression {written!r} took more than {LONGEST_S:g} s over {len(text)} characters"
            )
            raise RunawayError(what) from None

    return matches


def _is_harmless(expression: str) -> bool:
    """Whether it has one quantifier at most, not on a group, and refers back to nothing."""
    if _BACK_REFERENCE.search(expression):
        return False
    bare = _CLASS.sub("C", _ESCAPE.sub("E", expression))
    if _GROUP_REPEATED.search(bare):
        return False
    quantifiers = re.sub(r"([*+}])[?+]", r"\1", bare)
    return len(_QUANTIFIER.findall(quantifiers)) <= 1
