"""Answers that give back what was asked: bodies as templates, found by comparing answers with requests.

A body becomes a template when every part of it is either always the same or a part of the request. Whatever
is found is rendered against the recorded exchanges, and dropped where it does not give their answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mockforge.errors import StubFileError
from mockforge.learning.sources import MISSING, Source, sources_of
from mockforge.learning.template_text import Expression, Parts, json_style, write_json, write_text
from mockforge.learning.volatile import json_of
from mockforge.matching.url import path_parameters, template_regex
from mockforge.model.request import RequestView
from mockforge.model.stub import Body
from mockforge.templating.body import RenderBody
from mockforge.templating.failure import TemplateFailure
from mockforge.templating.jinja import compile_body_template
from mockforge.templating.request import TemplateRequest

__all__ = ["Pair", "find_echo"]

#: A pair of a request and the body that it was answered with, in plain text.
Pair: TypeAlias = tuple[RequestView, bytes]

_MOST_COMPARED = 200
_MOST_CHECKED = 2_000
#: The template must give this share of the recorded answers.
_HOLDS = 0.99
#: A part of the request that is given back must have had so many values.
_LEAST_VALUES = 3
_LONGEST_BODY = 20_000
_LONGEST_TEXT = 2_000
_MOST_PARTS = 4
_MARKUP = re.compile(r"\{[{%#]|[%#}]\}")


class _NoEchoError(Exception):
    """The answers are not made of constants and of what was asked."""


def find_echo(pairs: Sequence[Pair], template: str, *, named: bool = True) -> Body | None:
    """The template of the answers' bodies; None where there is none, or nothing varies.

    `template` is the path's; without `named` its parameters are read off the URL, as a stub without
    `urlPathTemplate` must.
    """
    step = -(-len(pairs) // _MOST_COMPARED) or 1
    some = pairs[::step]
    if len({body for _, body in some}) < _LEAST_VALUES or max(len(body) for _, body in some) > _LONGEST_BODY:
        return None
    finder = _Finder([view for view, _ in some], template, named=named)
    try:
        body = finder.body([body for _, body in some])
        render = compile_body_template(body)
    except (_NoEchoError, StubFileError, RecursionError, UnicodeDecodeError):
        return None
    step = -(-len(pairs) // _MOST_CHECKED) or 1
    known = template_regex(template) if named else None
    right = [_gives(render, view, recorded, known) for view, recorded in pairs[::step]]
    return body if sum(right) >= _HOLDS * len(right) else None


def _gives(render: RenderBody, view: RequestView, recorded: bytes, template: re.Pattern[str] | None) -> bool:
    parameters = path_parameters(template, view.path) if template is not None else {}
    try:
        rendered = render(TemplateRequest(view, parameters))
    except TemplateFailure:
        return False
    if rendered == recorded:
        return True
    value = json_of(recorded)
    return value is not None and json_of(rendered) == value


@dataclass(slots=True)
class _Finder:
    """Finds what of the answers to `views` was in the requests."""

    _sources: list[Source]
    _texts: list[tuple[str, tuple[str, ...]]]

    def __init__(self, views: Sequence[RequestView], template: str, *, named: bool) -> None:
        self._sources = [
            source
            for source in sources_of(views, template, named=named)
            if len(set(map(repr, source.values))) >= _LEAST_VALUES
        ]
        texts = [(each.expression, each.texts) for each in self._sources if each.texts is not None]
        # The longest first: what it gives back whole is not given back in pieces.
        self._texts = sorted(texts, key=lambda each: -len(each[1][0]))

    def body(self, bodies: Sequence[bytes]) -> Body:
        """The template of these answers, one to each of the requests; raises where there is none."""
        documents = [json_of(body) for body in bodies]
        if any(document is None for document in documents):
            texts = [body.decode() for body in bodies]
            if max(map(len, texts)) > _LONGEST_TEXT:
                raise _NoEchoError
            return Body("body", write_text(self._text(texts)))
        tree = self._tree(documents)
        style = json_style(bodies[0])
        if style is None:
            raise _NoEchoError
        return write_json(tree, style)

    def _tree(self, values: Sequence[Any]) -> Any:
        """The common document, with an `Expression` or `Parts` where it varies."""
        first = values[0]
        if all(type(value) is type(first) and value == first for value in values):
            _refuse_markup(first)
            return first
        if all(isinstance(value, str) for value in values):
            return self._text(values)
        try:
            return self._members(values)
        except _NoEchoError:
            return self._same(values)

    def _members(self, values: Sequence[Any]) -> Any:
        """Objects with the same members, or lists of one length, part by part."""
        first = values[0]
        if all(isinstance(value, dict) and list(value) == list(first) for value in values):
            _refuse_markup(list(first))
            return {key: self._tree([value[key] for value in values]) for key in first}
        if all(isinstance(value, list) and len(value) == len(first) for value in values):
            return [self._tree([value[number] for value in values]) for number in range(len(first))]
        raise _NoEchoError

    def _same(self, values: Sequence[Any]) -> Expression:
        """The part of the request that is this value: a number, a truth value, an object, a list."""
        for source in self._sources:
            if all(_equal(value, given) for value, given in zip(values, source.values, strict=True)):
                quoted = any(value is None or isinstance(value, str) for value in values)
                return Expression(f"{source.expression} | tojson" if quoted else source.expression)
        raise _NoEchoError

    def _text(self, texts: Sequence[str]) -> Parts:
        parts = self._parts(texts, _MOST_PARTS)
        if parts is None:
            raise _NoEchoError
        return Parts(parts)

    def _parts(self, texts: Sequence[str], most: int) -> tuple[str | Expression, ...] | None:
        """Literals and parts of the requests that the texts are made of, in order."""
        if len(set(texts)) == 1:
            _refuse_markup(texts[0])
            return (texts[0],) if texts[0] else ()
        if not most:
            return None
        for expression, given in self._texts:
            at = texts[0].find(given[0]) if given[0] else -1
            while at >= 0:
                rest = _after(texts, texts[0][:at], given)
                following = self._parts(rest, most - 1) if rest is not None else None
                if following is not None:
                    before = texts[0][:at]
                    _refuse_markup(before)
                    return (*([before] if before else []), Expression(expression), *following)
                at = texts[0].find(given[0], at + 1)
        return None


def _after(texts: Sequence[str], before: str, given: Sequence[str]) -> list[str] | None:
    """What follows in each text after `before` and its part of the request; None where one lacks them."""
    rest = []
    for text, part in zip(texts, given, strict=True):
        if not part or not text.startswith(before + part):
            return None
        rest.append(text[len(before) + len(part) :])
    return rest


def _equal(value: Any, given: Any) -> bool:
    """Whether a template that looks `given` up writes `value` as JSON."""
    if given is MISSING:
        return False
    if isinstance(value, int) and not isinstance(value, bool) and isinstance(given, str):
        return given == str(value)
    return type(value) is type(given) and value == given


def _refuse_markup(value: Any) -> None:
    """What a template would take for its own cannot stand in one as it is."""
    if isinstance(value, str):
        if _MARKUP.search(value):
            raise _NoEchoError
    elif isinstance(value, dict):
        _refuse_markup([*value, *value.values()])
    elif isinstance(value, list):
        for each in value:
            _refuse_markup(each)
