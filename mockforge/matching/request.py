"""The whole request's test, compiled from a request pattern."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockforge.matching.request_parts import Difference, RequestPart, compile_parts
from mockforge.matching.url import UrlMatcher
from mockforge.model.request import RequestView
from mockforge.model.stub import RequestPattern

__all__ = ["Difference", "MatchResult", "RequestMatcher"]


#: How much parts of a request count in its distance, as in WireMock: where it went says most.
_WEIGHTS = {"url": 10, "host": 10, "port": 10, "method": 3, "scheme": 3, "client IP": 3}


@dataclass(frozen=True, slots=True)
class MatchResult:
    """How far a request is from a pattern: distance 0 is a match, 1 shares nothing."""

    distance: float
    differences: tuple[Difference, ...] = ()

    @property
    def matched(self) -> bool:
        return not self.differences

    def joined_by(self, difference: Difference | None) -> MatchResult:
        """With one more difference, which brings the distance half of the way to its own."""
        if difference is None:
            return self
        distance = (self.distance + difference.distance) / 2
        return MatchResult(distance, (*self.differences, difference))


class RequestMatcher:
    """Tests requests against one pattern."""

    __slots__ = ("_methods", "_parts", "_pattern", "_url")

    def __init__(self, pattern: RequestPattern) -> None:
        self._pattern = pattern
        self._methods = pattern.methods
        self._url = UrlMatcher.compile(pattern.url) if pattern.url else None
        self._parts: tuple[RequestPart, ...] = compile_parts(pattern)

    @property
    def url(self) -> str:
        """The URL that the pattern asks for, as it is written; empty where it takes any."""
        return self._pattern.url.value if self._pattern.url else ""

    def admits_method(self, method: str) -> bool:
        if self._methods is not None:
            return (method in self._methods.names) is not self._methods.excluded
        return self._pattern.method in ("ANY", method)

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
        compared = [Difference("method", self._wanted_method(), request.method, method)]
        if self._url is not None and self._pattern.url is not None:
            distance = self._url.distance(request)
            compared.append(Difference("url", self._pattern.url.value, request.target, distance))
        compared += [part.difference(request) for part in self._parts]
        weights = [_WEIGHTS.get(difference.part, 1) for difference in compared]
        weighed = sum(each.distance * weight for each, weight in zip(compared, weights, strict=True))
        distance = weighed / sum(weights)
        return MatchResult(distance, tuple(difference for difference in compared if difference.distance))

    def _wanted_method(self) -> str:
        if self._methods is None:
            return self._pattern.method
        return ("none of " if self._methods.excluded else "one of ") + ", ".join(self._methods.names)
