"""What nearly matched, computed only when nothing did."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mockforge.matching.request import Difference, MatchResult, RequestMatcher
from mockforge.matching.values import MISMATCH
from mockforge.model.request import RequestView
from mockforge.model.stub import ScenarioStep

__all__ = ["COMPARED", "NearMiss", "describe_miss", "nearest", "state_difference"]

_MOST = 3
#: So many stubs are compared part by part, those whose URLs are most like the request's: a miss among
#: thousands must not hold up the answers to others.
COMPARED = 60


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
    """
    compared = (
        NearMiss(name, matcher.compare(request).joined_by(elsewhere.get(name))) for name, matcher in stubs
    )
    return heapq.nsmallest(_MOST, compared, key=lambda miss: miss.result.distance)


def state_difference(step: ScenarioStep, state: str) -> Difference:
    """That a stub's scenario is in another state than it requires."""
    return Difference(f"scenario {step.scenario}", f"state {step.required}", f"state {state}", MISMATCH)


def describe_miss(request: RequestView, misses: list[NearMiss], stubs: int = 0) -> str:
    """The body of a 404: what was asked, and what the nearest of so many stubs want instead."""
    lines = [f"No stub matches {request.method} {request.target}"]
    for miss in misses:
        lines += ["", f"Near miss: {miss.stub}"]
        for difference in miss.result.differences:
            lines.append(f"  {difference.part}: wanted {difference.wanted}, found {difference.found}")
    if not misses:
        lines += ["", "The service has no stubs."]
    if stubs > COMPARED:
        lines += ["", f"Compared with the {COMPARED} stubs of {stubs} whose URLs are most like this one."]
    return "\n".join(lines) + "\n"
