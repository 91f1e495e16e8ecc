"""Which stubs can match a request at all, found by method and URL before any other matcher runs.

Stubs with an exact URL hang in dictionaries, those with a template in a tree of path segments, those with a
regular expression under a segment that it cannot match without. What a method and a target admit is the
same for every request that has them, so it is found once and remembered.

Candidates come in the order in which they win: lower priority first, among equals the later stub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from mockforge.matching.literals import literal_segments
from mockforge.matching.request import RequestMatcher
from mockforge.model.operation import is_parameter
from mockforge.model.request import RequestView
from mockforge.model.stub import Stub

__all__ = ["Candidate", "StubIndex"]

Entry = TypeVar("Entry")

#: So many targets are remembered, and none longer than this: a caller must not be able to fill the memory.
_MOST_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 1_000


class Candidate(NamedTuple, Generic[Entry]):
    """An entry whose method and URL match; `rest` tests everything else, None where there is nothing else."""

    rest: Callable[[RequestView], bool] | None
    entry: Entry


class _Ranked(NamedTuple, Generic[Entry]):
    rank: tuple[int, int]
    matcher: RequestMatcher
    candidate: Candidate[Entry]


@dataclass(slots=True)
class _Segment(Generic[Entry]):
    """A node of the tree of path templates."""

    words: dict[str, _Segment[Entry]] = field(default_factory=dict)
    parameter: _Segment[Entry] | None = None
    entries: list[_Ranked[Entry]] = field(default_factory=list)


class StubIndex(Generic[Entry]):
    """Compiled stubs by what their method and URL admit. `add` in the order of the files."""

    def __init__(self) -> None:
        self._targets: dict[str, list[_Ranked[Entry]]] = {}
        self._paths: dict[str, list[_Ranked[Entry]]] = {}
        self._templates: _Segment[Entry] = _Segment()
        self._by_segment: dict[str, list[_Ranked[Entry]]] = {}
        self._others: list[_Ranked[Entry]] = []
        self._entries: list[Entry] = []
        self._remembered: dict[tuple[str, str], tuple[Candidate[Entry], ...]] = {}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(self, stub: Stub, matcher: RequestMatcher, entry: Entry) -> None:
        """Enter one stub; what was remembered is forgotten."""
        self._entries.append(entry)
        self._remembered.clear()
        rank = (stub.priority, -len(self._entries))
        self._place(stub).append(_Ranked(rank, matcher, Candidate(matcher.rest, entry)))

    def candidates(self, request: RequestView) -> tuple[Candidate[Entry], ...]:
        """What the request's method and URL admit, winners first."""
        key = (request.method, request.target)
        found = self._remembered.get(key)
        if found is None:
            found = self._find(request)
            if len(request.target) <= _LONGEST_REMEMBERED:
                if len(self._remembered) >= _MOST_REMEMBERED:
                    self._remembered.clear()
                self._remembered[key] = found
        return found

    def _place(self, stub: Stub) -> list[_Ranked[Entry]]:
        """The list that the stub hangs in."""
        url = stub.request.url
        if url is None:
            return self._others
        if url.kind == "url":
            return self._targets.setdefault(url.value, [])
        if url.kind == "urlPath":
            return self._paths.setdefault(url.value, [])
        if url.kind == "urlPathTemplate":
            return self._node(url.value).entries
        segments = literal_segments(url.value)
        return self._by_segment.setdefault(segments[0], []) if segments else self._others

    def _find(self, request: RequestView) -> tuple[Candidate[Entry], ...]:
        found = list(self._others)
        found += self._targets.get(request.target, ())
        found += self._paths.get(request.path, ())
        parts = request.path.split("/")
        if self._by_segment:
            for segment in {*parts, *request.target.split("/")}:
                found += self._by_segment.get(segment, ())
        self._walk(self._templates, parts, 0, found)
        admitted = [ranked for ranked in found if ranked.matcher.admits(request)]
        admitted.sort(key=lambda ranked: ranked.rank)
        return tuple(ranked.candidate for ranked in admitted)

    def _node(self, template: str) -> _Segment[Entry]:
        node = self._templates
        for part in template.split("/"):
            if is_parameter(part):
                node.parameter = node.parameter or _Segment()
                node = node.parameter
            else:
                node = node.words.setdefault(part, _Segment())
        return node

    def _walk(self, node: _Segment[Entry], parts: list[str], depth: int, found: list[_Ranked[Entry]]) -> None:
        if depth == len(parts):
            found += node.entries
            return
        word = node.words.get(parts[depth])
        if word is not None:
            self._walk(word, parts, depth + 1, found)
        if node.parameter is not None and parts[depth]:
            self._walk(node.parameter, parts, depth + 1, found)
