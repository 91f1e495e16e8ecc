"""The Jinja dialect (`transformers: [jinja]`), in an immutable sandbox, in which unknown names are errors.

A template of plain text and expressions is cut into segments when it is compiled: text stands ready, an
expression that only looks something up in the request (`request.path.id`, `request.json.items[0].sku`)
becomes a direct look-up, any other a compiled Jinja expression. A template with statements is Jinja's whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import orjson
from jinja2 import StrictUndefined, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mockforge.errors import StubFileError
from mockforge.model.stub import Body
from mockforge.templating.request import TemplateRequest

__all__ = ["RenderBody", "UndefinedError", "compile_body_template"]

#: Renders a body; raises `UndefinedError` where an expression asks for what the request does not have.
RenderBody = Callable[[TemplateRequest], bytes]
Segment = Callable[[TemplateRequest], str]

_MARKUP = re.compile(r"\{\{(.*?)\}\}|(\{%|\{#)", re.DOTALL)
#: An expression or statement, as it stands escaped within a JSON string.
_IN_STRING = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_LOOK_UP = re.compile(r"request((?:\.[A-Za-z]\w*|\[\d+\]|\['[^'\\]*'\]|\[\"[^\"\\]*\"\])+)")
_STEP = re.compile(r"\.([A-Za-z]\w*)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")


def _within_string(value: object) -> str:
    """A value as the inside of a JSON string: the expression stands between the quotes."""
    return orjson.dumps(str(value)).decode()[1:-1]


def _environment(finalize: Callable[[object], str]) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=finalize
    )


_TEXT = _environment(str)
_JSON = _environment(_within_string)


def compile_body_template(body: Body) -> RenderBody:
    """A body's template; StubFileError where it does not parse.

    In a `jsonBody` every expression stands within a string and its value is escaped for it, so that what is
    rendered is always JSON.
    """
    if body.kind == "jsonBody":
        source = orjson.dumps(body.value).decode()
        source = _IN_STRING.sub(lambda found: str(json.loads(f'"{found[0]}"')), source)
        return _compile(source, _JSON, _within_string)
    return _compile(body.content().decode(), _TEXT, str)


def _compile(
    source: str, environment: ImmutableSandboxedEnvironment, write: Callable[[object], str]
) -> RenderBody:
    try:
        if any(found[2] for found in _MARKUP.finditer(source)):
            template = environment.from_string(source)
            return lambda request: template.render(request=request).encode()
        segments = _segments(source, environment, write)
    except TemplateError as error:
        raise StubFileError(f"template does not parse: {error}", hint="see Jinja's syntax") from error

    def render(request: TemplateRequest) -> bytes:
        return "".join([each if isinstance(each, str) else each(request) for each in segments]).encode()

    return render


def _segments(
    source: str, environment: ImmutableSandboxedEnvironment, write: Callable[[object], str]
) -> list[str | Segment]:
    """Text and expressions of a template without statements, in order."""
    segments: list[str | Segment] = []
    end = 0
    for found in _MARKUP.finditer(source):
        segments.append(source[end : found.start()])
        segments.append(_expression(found[1].strip(), environment, write))
        end = found.end()
    segments.append(source[end:])
    return [segment for segment in segments if segment]


def _expression(
    expression: str, environment: ImmutableSandboxedEnvironment, write: Callable[[object], str]
) -> Segment:
    looked_up = _LOOK_UP.fullmatch(expression)
    if looked_up is None:
        template = environment.from_string("{{ " + expression + " }}")
        return lambda request: template.render(request=request)
    first, *steps = [
        int(index) if index else name or quoted or double
        for name, index, quoted, double in _STEP.findall(looked_up[1])
    ]
    part = TemplateRequest.part(str(first))
    if part is None:
        raise StubFileError(
            f"template asks for {expression!r}, which no request has",
            hint=f"known: {', '.join(f'request.{each}' for each in TemplateRequest.PARTS)}",
        )

    def look_up(request: TemplateRequest) -> str:
        value: Any = part(request)
        try:
            for step in steps:
                value = value[step]
        except (KeyError, IndexError, TypeError):
            raise UndefinedError(f"{expression} is not in this request") from None
        return write(value)

    return look_up
