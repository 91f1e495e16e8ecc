"""Matchers of whole requests that other packages bring, found by the entry points that they register.

An entry point of the group `mockforge.matchers` is a function. It gets the parameters that stand in the stub,
does the work that can be done once, and returns the test of a request; ValueError refuses the parameters.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points

from mockforge.errors import StubFileError
from mockforge.model.request import RequestView

__all__ = ["GROUP", "compile_custom"]

GROUP = "mockforge.matchers"


def compile_custom(name: str, parameters: Mapping[str, object]) -> Callable[[RequestView], bool]:
    """The test that a registered matcher makes of its parameters; StubFileError where it cannot be."""
    entry = _registered().get(name)
    if entry is None:
        known = f"known: {', '.join(sorted(_registered()))}" if _registered() else "none is registered"
        raise StubFileError(f"customMatcher {name!r} is not registered", hint=f"{known}; group {GROUP}")
    try:
        make = entry.load()
    except Exception as error:  # whatever importing somebody's module does
        raise StubFileError(f"customMatcher {name!r} cannot be loaded from {entry.value}: {error}") from error
    try:
        test = make(parameters)
    except (ValueError, TypeError, KeyError) as error:
        raise StubFileError(f"customMatcher {name!r} refuses its parameters: {error}") from error
    if not callable(test):
        raise StubFileError(f"customMatcher {name!r} gave no test of a request, but {test!r}")
    return lambda request: bool(test(request))


@functools.cache
def _registered() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
