"""The whole request's test, compiled from a request pattern."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mockforge.matching.body import BodyMatcher, compile_body
from mockforge.matching.url import UrlMatcher
from mockforge.matching.values import ValueMatcher, compile_value
from mockforge.model.request import RequestView
from mockforge.model.stub import RequestPattern, ValuePattern

__all__ = ["Difference", "MatchResult", "RequestMatcher"]

#: Bodies may be long; a difference shows their beginning.
_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a request that is not as the stub wants it; `distance` is above 0 and at most 1."""

    part: str
    wanted: str
    found: str
    distance: float


@dataclass(frozen=True, slots=True)
class MatchResult:
    """How far a request is from a pattern: distance 0 is a match, 1 shares nothing."""

    distance: float
    differences: tuple[Difference, ...] = ()

    @property
    def matched(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class _Part:
    """A named part of the request, with the test that one of its values must pass."""

    name: str
    wanted: str
    values: Callable[[RequestView], Sequence[str]]
    matcher: ValueMatcher

    def matches(self, request: RequestView) -> bool:
        return any(self.matcher.matches(value) for value in self.values(request) or (None,))

    def difference(self, request: RequestView) -> Difference:
        values = self.values(request)
        distance = min(self.matcher.distance(value) for value in values or (None,))
        return Difference(self.name, self.wanted, ", ".join(values) or "absent", distance)


@dataclass(frozen=True, slots=True)
class _BodyPart:
    """The body, with a test that it must pass."""

    matcher: BodyMatcher
    matches: Callable[[RequestView], bool]

    def difference(self, request: RequestView) -> Difference:
        found = request.body[: 4 * _LONGEST_SHOWN + 4].decode("utf-8", "replace")
        distance = self.matcher.distance(request)
        return Difference("body", _beginning(self.matcher.wanted), _beginning(found) or "absent", distance)


class RequestMatcher:
    """Tests requests against one pattern."""

    __slots__ = ("_method", "_parts", "_pattern", "_url")

    def __init__(self, pattern: RequestPattern) -> None:
        self._pattern = pattern
        self._method = pattern.method
        self._url = UrlMatcher.compile(pattern.url) if pattern.url else None
        # Bodies come last: parsing one costs more than all the rest.
        self._parts: tuple[_Part | _BodyPart, ...] = (
            *[_part("query", name, value, _query(name)) for name, value in pattern.query],
            *[_part("header", name, value, _header(name)) for name, value in pattern.headers],
            *[_body_part(value) for value in pattern.body],
        )

    @property
    def url(self) -> str:
        """The URL that the pattern asks for, as it is written; empty where it takes any."""
        return self._pattern.url.value if self._pattern.url else ""

    def admits_method(self, method: str) -> bool:
        return self._method in ("ANY", method)

    def admits(self, request: RequestView) -> bool:
        """Whether method and URL match: what an index decides once for all requests that share them."""
        if not self.admits_method(request.method):
            return False
        return self._url is None or self._url.matches(request)

    @property
    def rest(self) -> Callable[[RequestView], bool] | None:
        """The test of everything but method and URL; None where the pattern asks for nothing else."""
        return self._matches_rest if self._parts else None

    def _matches_rest(self, request: RequestView) -> bool:
        return all(part.matches(request) for part in self._parts)

    def matches(self, request: RequestView) -> bool:
        """Whether the whole pattern matches."""
        return self.admits(request) and self._matches_rest(request)

    def compare(self, request: RequestView) -> MatchResult:
        """How far off the request is, part by part. Slower than `matches`: not for the hot path."""
        method = 0.0 if self.admits_method(request.method) else 1.0
        compared = [Difference("method", self._method, request.method, method)]
        if self._url is not None and self._pattern.url is not None:
            distance = self._url.distance(request)
            compared.append(Difference("url", self._pattern.url.value, request.target, distance))
        compared += [part.difference(request) for part in self._parts]
        distance = sum(difference.distance for difference in compared) / len(compared)
        return MatchResult(distance, tuple(difference for difference in compared if difference.distance))


def _part(kind: str, name: str, value: ValuePattern, values: Callable[[RequestView], Sequence[str]]) -> _Part:
    return _Part(f"{kind} {name}", f"{value.operator} {value.operand}", values, compile_value(value))


def _body_part(value: ValuePattern) -> _BodyPart:
    matcher = compile_body(value)
    return _BodyPart(matcher, matcher.matches)


def _beginning(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _query(name: str) -> Callable[[RequestView], Sequence[str]]:
    return lambda request: request.query.get(name, ())


def _header(name: str) -> Callable[[RequestView], Sequence[str]]:
    return lambda request: request.headers.get_all(name)
