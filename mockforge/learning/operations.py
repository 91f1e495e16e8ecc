"""Which requests are one operation: path parameters recognised by shape and by cardinality together.

All paths form a tree of segments. Among the children of a node, those that look like values (numbers,
UUIDs, dates, hashes, e-mail addresses) are one parameter, whatever their number. Weaker looks (`page-7.html`,
`red-steel-lamp`, `dQw4w9WgXcQ`) make values where several siblings share them, and plain words where very
many do, and have the same subtree. Methods share the tree, so that `GET /orders/{id}` and
`DELETE /orders/{id}` agree. Where the templates are known beforehand, as from an OpenAPI file, they win.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mockforge.learning.shapes import WEAK_SUPPORT, shape_of, weak_shape_of
from mockforge.model.operation import Operation, is_parameter

__all__ = ["Operations", "path_of"]

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
    _by_request: Mapping[tuple[str, str], Operation]

    @classmethod
    def find(
        cls, requests: Iterable[tuple[str, str]], described: Callable[[str], str | None] = lambda _: None
    ) -> Operations:
        """From (method, target) pairs; the order and number of the requests do not matter.

        `described` gives the template of a path where it is known beforehand, else None.
        """
        seen = sorted({(method.upper(), path_of(target)) for method, target in requests})
        templates: dict[str, str] = {}
        unknown: list[tuple[str, list[str]]] = []
        for path in sorted({path for _, path in seen}):
            template = described(path)
            if template is None:
                unknown.append((path, path.split("/")[1:]))
            else:
                templates[path] = template
        _template(_Branch("", unknown), templates)
        by_request = {(method, path): Operation(method, templates[path]) for method, path in seen}
        return cls(tuple(sorted(set(by_request.values()))), by_request)

    def of(self, method: str, target: str) -> Operation:
        """The operation of a request; one that was not among those looked at is judged by shape alone."""
        key = (method.upper(), path_of(target))
        found = self._by_request.get(key)
        return found if found is not None else Operations.find([key])._by_request[key]

    def name_of(self, method: str, target: str) -> str:
        """`METHOD /path/template` of a request."""
        return self.of(method, target).name


@dataclass(frozen=True, slots=True)
class _Branch:
    """Paths that share the template `prefix`; each with the segments that still follow."""

    prefix: str
    paths: list[tuple[str, list[str]]]


def _template(branch: _Branch, templates: dict[str, str]) -> None:
    """Fill in the template of every path of the branch."""
    pending = [branch]
    while pending:  # not recursive: a path may have more segments than Python has stack
        branch = pending.pop()
        by_segment: dict[str, list[tuple[str, list[str]]]] = {}
        for path, segments in branch.paths:
            if segments:
                by_segment.setdefault(segments[0], []).append((path, segments[1:]))
            else:
                templates[path] = branch.prefix or "/"
        pending += _children(branch.prefix, by_segment)


def _children(prefix: str, by_segment: Mapping[str, list[tuple[str, list[str]]]]) -> Iterator[_Branch]:
    """One branch a word, and one for all segments that are values of one parameter."""
    values = [segment for segment in by_segment if shape_of(segment)]
    words = [segment for segment in by_segment if not shape_of(segment)]
    if prefix:
        weak = _weak_values(words)
        values, words = (
            values + [word for word in words if word in weak],
            [word for word in words if word not in weak],
        )
        if _are_slugs(words, by_segment):
            values, words = values + words, []
    for word in words:
        yield _Branch(f"{prefix}/{word}", by_segment[word])
    if values:
        name = _parameter_name(prefix, values)
        yield _Branch(f"{prefix}/{{{name}}}", [entry for value in values for entry in by_segment[value]])


def _weak_values(words: list[str]) -> set[str]:
    """The words of a weak shape that enough of them share."""
    alike: dict[tuple[str, str], list[str]] = {}
    for word in words:
        shape = weak_shape_of(word)
        if shape is not None:
            alike.setdefault(shape, []).append(word)
    return {word for (name, _), some in alike.items() if len(some) >= WEAK_SUPPORT[name] for word in some}


def _are_slugs(words: list[str], by_segment: Mapping[str, list[tuple[str, list[str]]]]) -> bool:
    if len(words) < _MANY_SIBLINGS:
        return False
    return len({_subtree(by_segment[word]) for word in words}) == 1


def _subtree(paths: list[tuple[str, list[str]]]) -> tuple[str, ...]:
    """What follows a segment, values blanked: equal for two values of one parameter."""
    return tuple(sorted("/".join("{}" if shape_of(part) else part for part in rest) for _, rest in paths))


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
