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

from mockforge.matching.likely import LikelyUrls
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
    stub: Stub


@dataclass(slots=True)
class _Segment(Generic[Entry]):
    """A node of the tree of path templates."""

    words: dict[str, _Segment[Entry]] = field(default_factory=dict)
    parameter: _Segment[Entry] | None = None
    entries: list[_Ranked[Entry]] = field(default_factory=list)


class StubIndex(Generic[Entry]):
    """Compiled stubs by what their method and URL admit. `add` in the order of the files.

    Edits touch what they are about alone; whoever owns the index makes them between two requests.
    """

    def __init__(self) -> None:
        self._targets: dict[str, list[_Ranked[Entry]]] = {}
        self._paths: dict[str, list[_Ranked[Entry]]] = {}
        self._templates: _Segment[Entry] = _Segment()
        self._by_segment: dict[str, list[_Ranked[Entry]]] = {}
        self._others: list[_Ranked[Entry]] = []
        #: By number, in the order in which they were added; an edited one keeps its place.
        self._entries: dict[int, _Ranked[Entry]] = {}
        self._next = 0
        self._remembered: dict[tuple[str, str], tuple[Candidate[Entry], ...]] = {}
        #: For near misses; made when the first is asked for, and kept up from then on.
        self._likely: LikelyUrls[int] | None = None

    def __iter__(self) -> Iterator[Entry]:
        return (ranked.candidate.entry for ranked in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def numbered(self) -> Iterator[tuple[int, Stub, Entry]]:
        """Every stub and entry with its number, in the order in which they were added."""
        return ((number, each.stub, each.candidate.entry) for number, each in self._entries.items())

    def add(self, stub: Stub, matcher: RequestMatcher, entry: Entry) -> int:
        """Enter one stub; its number, by which it is edited. What was remembered is forgotten."""
        self._next += 1
        self._enter(self._next, stub, matcher, entry)
        return self._next

    def edit(self, number: int, stub: Stub, matcher: RequestMatcher, entry: Entry) -> None:
        """Put another stub into the place of one."""
        self._leave(number)
        self._enter(number, stub, matcher, entry)

    def remove(self, number: int) -> None:
        """Take one stub out."""
        self._leave(number)
        del self._entries[number]

    def likely(self, target: str, most: int) -> list[Entry]:
        """So many entries whose URLs are most like a request's, the likeliest first."""
        if self._likely is None:
            self._likely = LikelyUrls()
            for number, ranked in self._entries.items():
                self._likely.add(number, ranked.matcher.url)
        return [self._entries[number].candidate.entry for number in self._likely.most_like(target, most)]

    def _enter(self, number: int, stub: Stub, matcher: RequestMatcher, entry: Entry) -> None:
        self._remembered.clear()
        ranked = _Ranked((stub.priority, -number), matcher, Candidate(matcher.rest, entry), stub)
        self._entries[number] = ranked
        self._place(stub).append(ranked)
        if self._likely is not None:
            self._likely.add(number, matcher.url)

    def _leave(self, number: int) -> None:
        """Unhang a stub, and take down a place that is then empty: stubs that come and go leave nothing."""
        self._remembered.clear()
        ranked = self._entries[number]
        place = self._place(ranked.stub)
        del place[next(at for at, other in enumerate(place) if other is ranked)]
        if not place:
            self._clear_away(ranked.stub)
        if self._likely is not None:
            self._likely.remove(number)

    def _clear_away(self, stub: Stub) -> None:
        url = stub.request.url
        if url is None:
            return
        if url.kind == "urlPathTemplate":
            self._prune(self._templates, url.value.split("/"))
        elif url.kind in ("url", "urlPath"):
            (self._targets if url.kind == "url" else self._paths).pop(url.value, None)
        elif segments := literal_segments(url.value):
            self._by_segment.pop(segments[0], None)

    def _prune(self, node: _Segment[Entry], parts: list[str]) -> None:
        """Cut off what no stub hangs in any more along a template."""
        if not parts:
            return
        child = node.parameter if is_parameter(parts[0]) else node.words.get(parts[0])
        if child is None:
            return
        self._prune(child, parts[1:])
        if child.entries or child.words or child.parameter is not None:
            return
        if child is node.parameter:
            node.parameter = None
        else:
            del node.words[parts[0]]

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
