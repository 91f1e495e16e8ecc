"""What nearly matched, computed only when nothing did."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType

from mockforge.matching.request import Difference, MatchResult, RequestMatcher
from mockforge.matching.values import MISMATCH
from mockforge.model.request import RequestView
from mockforge.model.stub import ScenarioStep

__all__ = ["NearMiss", "describe_miss", "nearest", "state_difference"]

_MOST = 3
_COMPARED = 30


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A stub that did not match, and how far off the request was."""

    stub: str
    result: MatchResult


def nearest(
    stubs: Iterable[tuple[str, RequestMatcher]],
    request: RequestView,
    elsewhere: Mapping[str, Difference] = MappingProxyType({}),
) -> list[NearMiss]:
    """The three nearest stubs, nearest first, from (name, matcher) pairs.

    `elsewhere` is what else a stub differs in, by its name: the state of its scenario.
    Only those whose URL begins most like the request's are compared part by part, so that a miss among
    thousands of stubs does not hold up the answers to others.
    """
    likely = heapq.nsmallest(_COMPARED, stubs, key=lambda pair: -_shared_prefix(pair[1].url, request.target))
    compared = (
        NearMiss(name, matcher.compare(request).joined_by(elsewhere.get(name))) for name, matcher in likely
    )
    return heapq.nsmallest(_MOST, compared, key=lambda miss: miss.result.distance)


def _shared_prefix(url: str, target: str) -> int:
    """How many characters two URLs have in common from their start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(url, target, strict=False)))


def state_difference(step: ScenarioStep, state: str) -> Difference:
    """That a stub's scenario is in another state than it requires."""
    return Difference(f"scenario {step.scenario}", f"state {step.required}", f"state {state}", MISMATCH)


def describe_miss(request: RequestView, misses: list[NearMiss]) -> str:
    """The body of a 404: what was asked, and what the nearest stubs want instead."""
    lines = [f"No stub matches {request.method} {request.target}"]
    for miss in misses:
        lines += ["", f"Near miss: {miss.stub}"]
        for difference in miss.result.differences:
            lines.append(f"  {difference.part}: wanted {difference.wanted}, found {difference.found}")
    if not misses:
        lines += ["", "The service has no stubs."]
    return "\n".join(lines) + "\n"
