"""Which requests are one operation: path parameters recognised by shape and by cardinality together.

All paths form a tree of segments. Among the children of a node, those that look like values (numbers,
UUIDs, dates, hashes, e-mail addresses) are one parameter, whatever their number. Weaker looks (`page-7.html`,
`red-steel-lamp`, `dQw4w9WgXcQ`) make values where several siblings share them, and plain words where very
many do, and have the same subtree. Methods share the tree, so that `GET /orders/{id}` and
`DELETE /orders/{id}` agree. Where the templates are known beforehand, as from an OpenAPI file, they win.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from mockforge.learning.shapes import TYPICAL, WEAK_SUPPORT, shape_of, weak_shape_of
from mockforge.model.operation import Operation, is_parameter

__all__ = ["Operations", "path_of"]

#: A path and its segments.
_Path: TypeAlias = tuple[str, list[str]]

#: From this many sibling words with equal subtrees on, the words are values of a parameter.
_MANY_SIBLINGS = 30


def path_of(target: str) -> str:
    """The path of a request target, raw; an absolute target (`http://host/path`) loses its origin."""
    path = target.partition("?")[0].partition("#")[0]
    if "://" in path and not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path or "/"


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations of a set of requests."""

    all: tuple[Operation, ...]
    #: By the method, and the template that was known beforehand, else what `_skeleton` leaves of the path.
    _known: Mapping[tuple[str, str], Operation]
    _described: Callable[[str], str | None] | None

    @classmethod
    def find(
        cls, requests: Iterable[tuple[str, str]], described: Callable[[str], str | None] | None = None
    ) -> Operations:
        """From (method, target) pairs; the order and number of the requests do not matter.

        `described` gives the template of a path where it is known beforehand, else None.
        """
        seen, templates = set(), {}
        for method, target in requests:
            template = described(path_of(target)) if described is not None else None
            path = template or _skeleton(target)
            seen.add((method.upper(), path))
            if template is not None:
                templates[path] = template
        unknown = sorted({path for _, path in seen} - templates.keys())
        _template([(path, path.split("/")) for path in unknown], templates)
        known = {(method, path): Operation(method, templates[path]) for method, path in seen}
        return cls(tuple(sorted(set(known.values()))), known, described)

    def of(self, method: str, target: str) -> Operation:
        """The operation of a request; one that was not among those looked at is judged by shape alone."""
        template = self._described(path_of(target)) if self._described is not None else None
        found = self._known.get((method.upper(), template or _skeleton(target)))
        return found if found is not None else Operations.find([(method, target)], self._described).all[0]

    def names(self, requests: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The operation's name of each request."""
        return {request: self.of(*request).name for request in set(requests)}

    def name_of(self, method: str, target: str) -> str:
        """`METHOD /path/template` of a request."""
        return self.of(method, target).name


def _skeleton(target: str) -> str:
    """The path with one text of each shape for all of that shape: a million orders are one path."""
    return "/".join([_typical(part) for part in path_of(target).split("/")])


def _typical(segment: str) -> str:
    if segment.isascii() and segment.isdigit():
        return TYPICAL["number"]
    return _typical_of_others(segment)


@functools.lru_cache(maxsize=65_536)
def _typical_of_others(segment: str) -> str:
    shape = shape_of(segment)
    return segment if shape is None else TYPICAL[shape]


@dataclass(frozen=True, slots=True)
class _Branch:
    """Paths that share the template `prefix`, which covers the first `depth` of their segments."""

    prefix: str
    depth: int
    paths: list[_Path]


def _template(paths: list[_Path], templates: dict[str, str]) -> None:
    """Fill in the template of every path."""
    pending = [_Branch("", 1, paths)]
    while pending:  # not recursive: a path may have more segments than Python has stack
        branch = pending.pop()
        by_segment: dict[str, list[_Path]] = {}
        for path in branch.paths:
            whole, segments = path
            if len(segments) > branch.depth:
                by_segment.setdefault(segments[branch.depth], []).append(path)
            else:
                templates[whole] = branch.prefix or "/"
        pending += _children(branch, by_segment)


def _children(branch: _Branch, by_segment: Mapping[str, list[_Path]]) -> Iterator[_Branch]:
    """One branch a word, and one for all segments that are values of one parameter."""
    prefix, deeper = branch.prefix, branch.depth + 1
    values: list[str] = []
    words: list[str] = []
    for segment in by_segment:
        (values if shape_of(segment) else words).append(segment)
    if prefix:
        weak = _weak_values(words)
        values, words = (
            values + [word for word in words if word in weak],
            [word for word in words if word not in weak],
        )
        if _are_slugs(words, by_segment, deeper):
            values, words = values + words, []
    for word in words:
        yield _Branch(f"{prefix}/{word}", deeper, by_segment[word])
    if values:
        name = _parameter_name(prefix, values)
        paths = [path for value in values for path in by_segment[value]]
        yield _Branch(f"{prefix}/{{{name}}}", deeper, paths)


def _weak_values(words: list[str]) -> set[str]:
    """The words of a weak shape that enough of them share."""
    alike: dict[tuple[str, str], list[str]] = {}
    for word in words:
        shape = weak_shape_of(word)
        if shape is not None:
            alike.setdefault(shape, []).append(word)
    return {word for (name, _), some in alike.items() if len(some) >= WEAK_SUPPORT[name] for word in some}


def _are_slugs(words: list[str], by_segment: Mapping[str, list[_Path]], depth: int) -> bool:
    if len(words) < _MANY_SIBLINGS:
        return False
    first = _subtree(by_segment[words[0]], depth)
    return all(_subtree(by_segment[word], depth) == first for word in words)


def _subtree(paths: list[_Path], depth: int) -> tuple[str, ...]:
    """What follows a segment, values blanked: equal for two values of one parameter."""
    rests = (segments[depth:] for _, segments in paths)
    return tuple(sorted({"/".join("{}" if shape_of(part) else part for part in rest) for rest in rests}))


def _parameter_name(prefix: str, values: list[str]) -> str:
    """`id` for the first parameter of a path; later ones carry their collection's name: `itemId`."""
    taken = {part[1:-1] for part in prefix.split("/") if is_parameter(part)}
    shapes = {shape_of(value) for value in values}
    if shapes in ({"date"}, {"email"}):
        name = "date" if "date" in shapes else "email"
    elif not taken:
        name = "id"
    else:
        words = [part for part in prefix.split("/") if part and not is_parameter(part)]
        name = f"{_singular(words[-1])}Id" if words else "id"
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name}{number}", number + 1
    return unique


def _singular(word: str) -> str:
    word = re.sub(r"[^A-Za-z0-9]+(.)", lambda match: match[1].upper(), word)
    word = re.sub(r"[^A-Za-z0-9]", "", word).lstrip("0123456789") or "item"
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
