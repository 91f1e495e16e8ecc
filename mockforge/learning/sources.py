"""The parts of requests that an answer may give back, each as a template looks it up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mockforge.matching.url import path_parameters, template_regex
from mockforge.model.operation import is_parameter
from mockforge.model.request import MALFORMED, RequestView

__all__ = ["MISSING", "Source", "sources_of"]

#: What a source is in a request that lacks it.
MISSING: Final = object()
#: Of the requests this share must have a part for it to be a source.
_HAVE = 0.99
_MOST_LEAVES = 60
_NAME = re.compile(r"[A-Za-z]\w*")
_NEVER = frozenset({"connection", "host", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Source:
    """An expression of a template, and its value in each request."""

    expression: str
    values: tuple[Any, ...]

    @property
    def texts(self) -> tuple[str, ...] | None:
        """As the template writes them into a text; None where they are neither texts nor whole numbers."""
        if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in self.values):
            return None
        return tuple(map(str, self.values))


def sources_of(views: Sequence[RequestView], template: str, *, named: bool) -> list[Source]:
    """Every part of the requests: first parameters, then members of the body, headers, the whole.

    `template` is the path's; without `named` its parameters are read off the URL.
    """
    found = list(_of_path(views, template, named))
    queries = [{name: values[0] for name, values in view.query.items()} for view in views]
    found += _members("request.query", queries)
    documents = [MISSING if view.json is MALFORMED else view.json for view in views]
    found += _members("request.json", documents)
    found += _of_headers(views)
    found += [
        Source("request.url", tuple(view.target for view in views)),
        Source("request.body", tuple(view.text for view in views)),
        Source("request.query", tuple(queries)),
        Source("request.json", tuple(documents)),
    ]
    return found


def _of_path(views: Sequence[RequestView], template: str, named: bool) -> Iterator[Source]:
    regex = template_regex(template)
    parameters = [path_parameters(regex, view.path) for view in views]
    for position, part in enumerate(template.split("/")):
        if is_parameter(part):
            name = part[1:-1]
            unnamed = f"request.url.split('?')[0].split('/')[{position}]"
            values = tuple(given.get(name, MISSING) for given in parameters)
            yield Source(f"request.path.{name}" if named else unnamed, values)


def _members(root: str, documents: Sequence[Any]) -> Iterator[Source]:
    """The members of the requests' documents, as far down as all of them go."""
    pending: list[tuple[str, tuple[Any, ...]]] = [(root, tuple(documents))]
    given = 0
    while pending and given < _MOST_LEAVES:
        expression, values = pending.pop(0)
        present = [value for value in values if value is not MISSING]
        if len(present) < _HAVE * len(values):
            continue
        if expression != root:
            given += 1
            yield Source(expression, values)
        if all(isinstance(value, dict) for value in present):
            keys = dict.fromkeys(key for value in present for key in value)
            pending += [(_step(expression, key), _each(values, key)) for key in keys if "'" not in key]
        elif all(isinstance(value, list) for value in present):
            most = min(max(map(len, present), default=0), 5)
            pending += [(f"{expression}[{number}]", _each(values, number)) for number in range(most)]


def _step(expression: str, key: str) -> str:
    return f"{expression}.{key}" if _NAME.fullmatch(key) else f"{expression}[{_quoted(key)}]"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\") + "'"


def _each(values: Sequence[Any], key: str | int) -> tuple[Any, ...]:
    def inner(value: Any) -> Any:
        try:
            return value[key]
        except (KeyError, IndexError, TypeError):
            return MISSING

    return tuple(inner(value) if value is not MISSING else MISSING for value in values)


def _of_headers(views: Sequence[RequestView]) -> Iterator[Source]:
    names = sorted({name.lower() for view in views for name, _ in view.headers} - _NEVER)
    for name in names:
        values = tuple(view.headers.get(name) for view in views)
        if sum(value is not None for value in values) >= _HAVE * len(values):
            title = "-".join(part.capitalize() for part in name.split("-"))
            yield Source(f"request.headers['{title}']", tuple(MISSING if v is None else v for v in values))
