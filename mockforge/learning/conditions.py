"""What may tell two requests of one operation apart: conditions that a request pattern can hold.

Each condition is tested by the matcher that will serve it, so that what was found out about a recording is
what the mock does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from mockforge.matching.request import RequestMatcher
from mockforge.model.operation import is_parameter
from mockforge.model.request import MALFORMED, RequestView
from mockforge.model.stub import RequestPattern, UrlPattern, ValuePattern

__all__ = ["Condition", "condition_candidates", "form_fields", "path_candidates", "with_conditions"]

#: Header fields that a backend may choose an answer by; so may those that begin with `X-`.
_HEADERS = frozenset(
    {
        "accept",
        "accept-language",
        "authorization",
        "content-type",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "prefer",
        "range",
    }
)
#: Of fields called like this it only counts whether they are there: their values stand in no stub.
_SECRET = re.compile(r"auth|token|secret|passw|api[-_]?key|session|signature|credential", re.IGNORECASE)
#: Of these that they are there says more than one of their many values.
_PRESENCE_FIRST = frozenset({"if-match", "if-modified-since", "if-none-match", "range"})
_MOST_VALUES = 8
_MOST_FORMS = 16
_MOST_LEAVES = 40
_DEEPEST = 4
_LONGEST_VALUE = 100
_PLAIN_STEP = re.compile(r"[A-Za-z_]\w*")
_SPECIAL = re.compile(r"[\\.^$*+?{}()\[\]|]")
_PRESENT = ValuePattern("matches", ".*")
_ABSENT = ValuePattern("absent", True)


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a request pattern. `field` names what it looks at, `words` the whole of it, for people.

    Two conditions on one field that are both `exact` exclude one another.
    """

    field: str
    words: str
    pattern: RequestPattern
    exact: bool = True

    @property
    def holds(self) -> Callable[[RequestView], bool]:
        """The test, compiled anew."""
        return RequestMatcher(self.pattern).matches

    def excludes(self, other: Condition) -> bool:
        """Whether no request can meet both."""
        return self.field == other.field and self.exact and other.exact and self.words != other.words


def with_conditions(pattern: RequestPattern, conditions: Iterable[Condition]) -> RequestPattern:
    """The pattern, narrowed by all the conditions."""
    for condition in conditions:
        extra = condition.pattern
        pattern = replace(
            pattern,
            url=extra.url or pattern.url,
            query=pattern.query + extra.query,
            headers=pattern.headers + extra.headers,
            body=pattern.body + extra.body,
            # Of two on one parameter the later one is the narrower: `.*\\.json`, then `[0-9]{4}\\.json`.
            path=tuple({**dict(pattern.path), **dict(extra.path)}.items()),
        )
    return pattern


def condition_candidates(views: Sequence[RequestView], *, query: bool = True) -> list[Condition]:
    """Every condition that some of the requests meet and others do not, the plainest first."""
    found: list[Condition] = []
    if query:
        found += _of_fields(views, _query_values, _query_condition)
    found += _of_fields(views, _header_values, _header_condition)
    found += _of_fields(views, _json_values, _json_condition)
    found += _of_fields(views, _form_values, _form_condition)
    found += _of_the_body(views)
    return found


def path_candidates(views: Sequence[RequestView], template: str) -> list[Condition]:
    """Conditions on what a path parameter looks like: `[0-9]{7}`, `.*\\.json`, `[0-9]{7}\\.json`."""
    parts = template.split("/")
    found = []
    for position, part in enumerate(parts):
        if is_parameter(part):
            segments = {view.path.split("/")[position] for view in views}
            forms = {form for segment in segments for form in _forms(segment)}
            for words, regex in sorted(forms)[:_MOST_FORMS]:
                looks = ValuePattern("matches", regex)
                url = UrlPattern("urlPathTemplate", template)
                pattern = RequestPattern(url=url, path=((part[1:-1], looks),))
                exact = not words.startswith("ending")
                found.append(Condition(f"path.{part[1:-1]}", f"{part[1:-1]} {words}", pattern, exact))
    return found


def _forms(segment: str) -> Iterator[tuple[str, str]]:
    """How many digits, and which ending: in words, and as a regular expression."""
    name, dot, ending = segment.rpartition(".")
    is_ended = bool(dot and name) and ending.isascii() and ending.isalpha()
    if is_ended:
        yield f"ending .{ending}", rf".*\.{ending}"
    digits = _digits(name if is_ended else segment)
    if digits:
        and_ending = (f" ending .{ending}", rf"\.{ending}") if is_ended else ("", "")
        yield f"of {digits} digits{and_ending[0]}", f"[0-9]{{{digits}}}{and_ending[1]}"


def form_fields(view: RequestView) -> Mapping[str, str]:
    """The fields of a form that the body holds, each with its first value, as they were sent; or none."""
    body = view.text
    if "=" not in body or body[:1] in "{[<" or len(body) > 10_000 or re.search(r"[\s\"]", body):
        return {}
    fields: dict[str, str] = {}
    for pair in body.split("&"):
        name, equals, value = pair.partition("=")
        if not name or not equals:
            return {}
        fields.setdefault(name, value)
    return fields


def _of_fields(
    views: Sequence[RequestView],
    values_of: Callable[[RequestView], Mapping[str, str | None]],
    condition: Callable[[str, str | None], Condition],
) -> Iterator[Condition]:
    """Conditions on what `values_of` gives of each request; a value None is one that only may be there."""
    values: dict[str, Counter[str | None]] = {}
    for view in views:
        for name, value in values_of(view).items():
            values.setdefault(name, Counter())[value] += 1
    names = sorted(values, key=lambda name: (-values[name].total(), name))[:_MOST_LEAVES]
    for name in names:
        counted = values[name]
        given = sorted(value for value in counted if value is not None and len(value) <= _LONGEST_VALUE)
        is_varied = len(counted) > 1 or counted.total() < len(views)
        presence = [condition(name, None)] if counted.total() < len(views) else []
        if name in _PRESENCE_FIRST:
            yield from presence
        if is_varied and len(counted) <= _MOST_VALUES and not _SECRET.search(name):
            yield from (condition(name, value) for value in given)
        if name not in _PRESENCE_FIRST:
            yield from presence


def _query_values(view: RequestView) -> Mapping[str, str | None]:
    return {name: given[0] if len(given) == 1 else None for name, given in view.query.items() if name}


def _query_condition(name: str, value: str | None) -> Condition:
    wanted = _PRESENT if value is None else ValuePattern("equalTo", value)
    words = f"with {name}" if value is None else f"{name}={value}"
    return Condition(f"query.{name}", words, RequestPattern(query=((name, wanted),)), value is not None)


def _header_values(view: RequestView) -> Mapping[str, str | None]:
    values: dict[str, str | None] = {}
    for name, value in view.headers:
        lowered = name.lower()
        if lowered in _HEADERS or lowered.startswith("x-"):
            values[lowered] = None if lowered in values else value
    return values


def _header_condition(name: str, value: str | None) -> Condition:
    title = "-".join(part.capitalize() for part in name.split("-"))
    wanted = _PRESENT if value is None else ValuePattern("equalTo", value)
    words = f"with {title}" if value is None else f"{title}: {value}"
    return Condition(f"header.{name}", words, RequestPattern(headers=((title, wanted),)), value is not None)


def _json_values(view: RequestView) -> Mapping[str, str | None]:
    """The scalar members of a JSON body by their JSONPath."""
    if view.json is MALFORMED or not isinstance(view.json, dict):
        return {}
    values: dict[str, str | None] = {}
    pending: list[tuple[str, Any, int]] = [("$", view.json, 0)]
    while pending and len(values) < _MOST_LEAVES:
        path, value, depth = pending.pop(0)
        if isinstance(value, dict) and depth < _DEEPEST:
            pending += [
                (f"{path}.{key}" if _PLAIN_STEP.fullmatch(key) else f"{path}['{key}']", each, depth + 1)
                for key, each in value.items()
                if not set(key) & {"'", "\\"}
            ]
        elif isinstance(value, str) and value:
            values[path] = value
        elif isinstance(value, bool | int | float):
            values[path] = orjson.dumps(value).decode()
    return values


def _json_condition(path: str, value: str | None) -> Condition:
    operand: object = path if value is None else {"expression": path, "equalTo": value}
    shown = path.removeprefix("$.")
    words = f"with {shown}" if value is None else f"{shown}={value}"
    pattern = RequestPattern(body=(ValuePattern("matchesJsonPath", operand),))
    return Condition(f"body.{path}", words, pattern, value is not None)


def _form_values(view: RequestView) -> Mapping[str, str | None]:
    return form_fields(view)


def _form_condition(name: str, value: str | None) -> Condition:
    inner = "[^&]*" if value is None else re.escape(value)
    regex = f"(.*&)?{re.escape(name)}={inner}(&.*)?"
    words = f"with {name}" if value is None else f"{name}={value}"
    pattern = RequestPattern(body=(ValuePattern("matches", regex),))
    return Condition(f"form.{name}", words, pattern, value is not None)


def _of_the_body(views: Sequence[RequestView]) -> Iterator[Condition]:
    """A body that is JSON, among others that are not; and none, among others that are there."""
    if len({view.json is MALFORMED for view in views if view.body}) > 1:
        pattern = RequestPattern(body=(ValuePattern("matchesJsonPath", "$"),))
        yield Condition("body", "a JSON body", pattern, exact=False)
    if len({bool(view.body) for view in views}) > 1:
        yield Condition("body", "no body", RequestPattern(body=(_ABSENT,)), exact=False)


def _digits(segment: str) -> int:
    return len(segment) if segment.isascii() and segment.isdigit() else 0
