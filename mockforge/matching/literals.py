"""Which path segments a regular expression cannot match without."""

from __future__ import annotations

import re

__all__ = ["literal_segments"]

#: Escapes that stand for the character itself.
_ESCAPED = re.compile(r"\\([^A-Za-z0-9])")
_QUANTIFIERS = "*+?{"
_OPENERS = {"(": ")", "[": "]"}


def literal_segments(expression: str) -> list[str]:
    """Segments (what stands between slashes) that every match of `expression` contains, longest first.

    Conservative: an expression with a top-level alternative, inline flags or anything unusual has none.
    """
    runs = _literal_runs(expression)
    if runs is None:
        return []
    segments: set[str] = set()
    for number, run in enumerate(runs):
        parts = run.split("/")
        first = 0 if number == 0 else 1
        last = len(parts) if number == len(runs) - 1 else len(parts) - 1
        segments.update(parts[first:last])
    return sorted((segment for segment in segments if segment), key=lambda each: (-len(each), each))


def _literal_runs(expression: str) -> list[str] | None:
    """The texts between what is not literal, in order; None where they cannot be told.

    The first run begins where the match does and the last ends where it does; both may be empty.
    """
    runs: list[str] = []
    run, at = "", 0
    while at < len(expression):
        character = expression[at]
        if character == "|" or expression.startswith("(?", at):
            return None
        escaped = _ESCAPED.match(expression, at)
        if character in _OPENERS:
            end = _closing(expression, at)
            if end is None:
                return None
            runs, run, at = [*runs, run], "", end
        elif escaped or character not in "\\.^$*+?{})]":
            run += escaped[1] if escaped else character
            at += 2 if escaped else 1
        elif character in _QUANTIFIERS:  # what is repeated may be absent
            end = expression.find("}", at) + 1 if character == "{" else at + 1
            if end == 0:
                return None
            runs, run, at = [*runs, run[:-1]], "", end
        else:
            at += 2 if character == "\\" else 1
            runs, run = [*runs, run], ""
    return [*runs, run]


def _closing(expression: str, at: int) -> int | None:
    """Past the bracket that closes the one at `at`; None where brackets are nested or escaped oddly."""
    if expression.startswith("[^]", at):  # the class of all but what follows, `]` among it
        return None
    opener, closer = expression[at], _OPENERS[expression[at]]
    depth, position = 0, at
    while position < len(expression):
        character = expression[position]
        if character == "\\":
            position += 1
        elif character == "[" and opener == "(":
            return None
        elif character == opener and (opener == "(" or position == at):
            depth += 1
        elif character == closer and (opener == "(" or position > at + 1):
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return None
