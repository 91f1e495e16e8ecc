"""Which stubs can match a request at all, found by method and path before any matcher runs.

Stubs with an exact URL hang in a dictionary; those with a template in a tree of path segments; only
regular expressions and stubs without a URL are tried one by one. Candidates come in the order in which
they win: lower priority first, among equals the later stub.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mockforge.model.operation import is_parameter
from mockforge.model.request import RequestView
from mockforge.model.stub import Stub

__all__ = ["StubIndex"]

Entry = TypeVar("Entry")
Rank = tuple[int, int]
Ranked = tuple[Rank, Entry]


@dataclass(slots=True)
class _Segment(Generic[Entry]):
    """A node of the tree of path templates."""

    words: dict[str, _Segment[Entry]] = field(default_factory=dict)
    parameter: _Segment[Entry] | None = None
    entries: list[Ranked[Entry]] = field(default_factory=list)


class StubIndex(Generic[Entry]):
    """Compiled stubs by what their method and URL admit. `add` in the order of the files."""

    def __init__(self) -> None:
        self._targets: dict[str, list[Ranked[Entry]]] = {}
        self._paths: dict[str, list[Ranked[Entry]]] = {}
        self._templates: _Segment[Entry] = _Segment()
        self._others: list[Ranked[Entry]] = []
        self._entries: list[Entry] = []

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(self, stub: Stub, entry: Entry) -> None:
        self._entries.append(entry)
        ranked = ((stub.priority, -len(self._entries)), entry)
        url = stub.request.url
        if url is None or url.kind in ("urlPattern", "urlPathPattern"):
            into = self._others
        elif url.kind == "url":
            into = self._targets.setdefault(url.value, [])
        elif url.kind == "urlPath":
            into = self._paths.setdefault(url.value, [])
        else:
            into = self._node(url.value).entries
        into.append(ranked)
        into.sort(key=lambda item: item[0])

    def candidates(self, request: RequestView) -> Iterator[Entry]:
        """Entries whose URL may match, winners first. Their method is still to be tested."""
        found = list(self._others)
        found += self._targets.get(request.target, ())
        found += self._paths.get(request.path, ())
        self._walk(self._templates, request.path.split("/"), 0, found)
        if len(found) > 1:
            found.sort(key=lambda item: item[0])
        return (entry for _, entry in found)

    def _node(self, template: str) -> _Segment[Entry]:
        node = self._templates
        for part in template.split("/"):
            if is_parameter(part):
                node.parameter = node.parameter or _Segment()
                node = node.parameter
            else:
                node = node.words.setdefault(part, _Segment())
        return node

    def _walk(self, node: _Segment[Entry], parts: list[str], depth: int, found: list[Ranked[Entry]]) -> None:
        if depth == len(parts):
            found += node.entries
            return
        word = node.words.get(parts[depth])
        if word is not None:
            self._walk(word, parts, depth + 1, found)
        if node.parameter is not None and parts[depth]:
            self._walk(node.parameter, parts, depth + 1, found)
