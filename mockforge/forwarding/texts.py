"""Texts of a request that the mock makes: as they stand, or templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mockforge.errors import StubFileError
from mockforge.model.request import RequestView
from mockforge.model.stub import Body
from mockforge.templating.jinja import compile_body_template
from mockforge.templating.request import TemplateRequest

__all__ = ["RenderBytes", "RenderText", "compile_body", "compile_text", "prelude"]

#: Renders a body for a request and its path parameters; raises TemplateFailure.
RenderBytes = Callable[[RequestView, Mapping[str, str]], bytes]

_HINT = "callbacks are Jinja, and not Handlebars, templates: {{ originalRequest.json.id }}"
_MARKUP = ("{{", "{%")
_LINE = re.compile(r"\bline (\d+)")


class RenderText:
    """A text, rendered for a request and its path parameters; raises TemplateFailure."""

    __slots__ = ("_render", "is_template")

    def __init__(self, text: str, render: RenderBytes | None) -> None:
        self.is_template = render is not None
        self._render = render or (lambda request, parameters: text.encode())

    def __call__(self, request: RequestView, parameters: Mapping[str, str]) -> str:
        return self._render(request, parameters).decode()


def compile_text(text: str, *, templated: bool, names: str = "") -> RenderText:
    """A text; StubFileError where it is a template that does not parse. `names` is a `prelude`."""
    return RenderText(
        text, compile_body(Body("body", text), names) if templated and _is_template(text) else None
    )


def compile_body(body: Body, names: str = "") -> RenderBytes:
    """A body whose texts may be templates; StubFileError where one does not parse."""
    if body.kind == "base64Body":
        content = body.content()
        return lambda request, parameters: content
    try:
        render = compile_body_template(Body(body.kind, _with_names(body.value, names)))
    except StubFileError as error:
        if not names:
            raise
        own_lines = _LINE.sub(lambda found: f"line {int(found[1]) - 1}", error.what)
        raise StubFileError(own_lines, hint=_HINT) from error
    return lambda request, parameters: render(TemplateRequest(request, parameters))


def prelude(parameters: Mapping[str, object]) -> str:
    """What gives the templates of a callback their own names: the request's, and its parameters.

    It is a line of its own, which leaves nothing in what is rendered, so that errors show the text alone.
    """
    return f"{{% set originalRequest = request %}}{{% set parameters = {_literal(parameters)} -%}}\n"


def _is_template(text: str) -> bool:
    return any(mark in text for mark in _MARKUP)


def _with_names(value: Any, names: str) -> Any:
    """A text, or JSON all the way down, each template with the names before it."""
    if isinstance(value, str):
        if not (names and _is_template(value)):
            return value
        guard = "{{ '' }}" if value[:1].isspace() else ""  # or the names' line would strip it
        return names + guard + value
    if isinstance(value, dict):
        return {_with_names(key, names): _with_names(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_names(each, names) for each in value]
    return value


def _literal(value: object) -> str:
    """A JSON value as Jinja writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)
