"""Matchers of the body: every matcher of a value is one of the body, of its text, its JSON or its bytes.

As in WireMock, an empty body is no body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockforge.matching.operators import compile_value, described
from mockforge.matching.values import MISMATCH
from mockforge.model.request import RequestView
from mockforge.model.stub import ValuePattern

__all__ = ["BodyMatcher", "compile_body"]


@dataclass(frozen=True, slots=True)
class BodyMatcher:
    """The test of a request's body. `wanted` tells a person what it asks for."""

    wanted: str
    matches: Callable[[RequestView], bool]
    closeness: Callable[[RequestView], float] | None = None

    def distance(self, request: RequestView) -> float:
        """0 for a match, 1 for a body that shares nothing."""
        if self.matches(request):
            return 0.0
        return (self.closeness and self.closeness(request)) or MISMATCH


def compile_body(pattern: ValuePattern) -> BodyMatcher:
    """The matcher that a stub's body pattern asks for; StubFileError where it cannot be."""
    matcher = compile_value(pattern)
    wanted = described(pattern)
    of_json, of_bytes, json_closeness = matcher.of_json, matcher.of_bytes, matcher.json_closeness
    if of_json is not None:
        closeness = (lambda request: json_closeness(request.json)) if json_closeness is not None else None
        return BodyMatcher(wanted, lambda request: of_json(request.json), closeness)
    if of_bytes is not None:
        return BodyMatcher(wanted, lambda request: bool(request.body) and of_bytes(request.body))
    matches, distance = matcher.matches, matcher.distance
    return BodyMatcher(
        wanted,
        lambda request: matches(request.text if request.body else None),
        lambda request: distance(request.text if request.body else None),
    )
