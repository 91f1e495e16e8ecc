"""JsonUnit's placeholders in a wanted JSON value: `${json-unit.ignore}` and its like."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mockforge.errors import StubFileError
from mockforge.matching.regexes import compile_regex

__all__ = ["PLACEHOLDERS", "compile_placeholder"]

JsonTest = Callable[[Any], bool]

_PLACEHOLDER = re.compile(r"[$#]\{json-unit\.([a-z-]+)\}(.*)", re.DOTALL)


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


#: Those without an argument; `regex` has an expression behind it.
PLACEHOLDERS: Mapping[str, JsonTest] = {
    "ignore": lambda found: True,
    "ignore-element": lambda found: True,
    "any-string": lambda found: isinstance(found, str),
    "any-number": _is_number,
    "any-boolean": lambda found: isinstance(found, bool),
}


def compile_placeholder(wanted: str) -> JsonTest | None:
    """The test that a placeholder stands for; None for other texts, StubFileError for an unknown one."""
    placeholder = _PLACEHOLDER.fullmatch(wanted)
    if placeholder is None:
        return None
    name, argument = placeholder.groups()
    if name == "regex":
        fullmatch = compile_regex(argument)
        return lambda found: isinstance(found, str) and fullmatch(found) is not None
    test = PLACEHOLDERS.get(name)
    if test is None or argument:
        hint = f"known: {', '.join([*PLACEHOLDERS, 'regex'])}"
        raise StubFileError(f"placeholder {wanted!r} is not known", hint=hint)
    return test
