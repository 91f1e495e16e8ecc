"""Answers made when they are given: body and header values rendered, or a 500 that says what failed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from mockforge.errors import StubFileError
from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.model.stub import Body
from mockforge.templating.jinja import BodyTemplate, TemplateFailure
from mockforge.templating.request import TemplateRequest

__all__ = ["AnswerTemplate", "compile_answer", "rendered_for"]

_PLAIN_TEXT: Final = ((b"Content-Type", b"text/plain; charset=utf-8"),)
_UNSENDABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

#: A name, and its value or how to make it.
Field = tuple[bytes, bytes | BodyTemplate]


@dataclass(frozen=True, slots=True)
class AnswerTemplate:
    """What of an answer depends on its request: the body, values of `fields`; None where nothing does."""

    body: BodyTemplate | None
    fields: tuple[Field, ...] | None


def compile_answer(
    compile_text: Callable[[Body], BodyTemplate], rendered: RenderedResponse, body: Body | None
) -> tuple[RenderedResponse, AnswerTemplate | None]:
    """The answer with all that is literal ready, and a template where something is not.

    StubFileError where a text does not parse.
    """
    content = None if body is None else compile_text(body)
    fields = tuple(_field(compile_text, name, value) for name, value in rendered.headers)
    ready = tuple((name, value) for name, value in fields if isinstance(value, bytes))
    literal = rendered.body if content is None else content.literal
    if literal is not None and len(ready) == len(fields):
        return RenderedResponse(rendered.status, ready, literal), None
    return (
        RenderedResponse(rendered.status, ready, literal or b""),
        AnswerTemplate(content if literal is None else None, None if len(ready) == len(fields) else fields),
    )


def _field(compile_text: Callable[[Body], BodyTemplate], name: bytes, value: bytes) -> Field:
    try:
        template = compile_text(Body("body", value.decode("latin-1")))
    except StubFileError as error:
        raise StubFileError(f"header {name.decode('latin-1')}: {error.what}", hint=error.hint) from error
    return name, value if template.literal is not None else template


def rendered_for(
    template: AnswerTemplate,
    rendered: RenderedResponse,
    request: RequestView,
    stub: str,
    parameters: Mapping[str, str],
    random: Random,
) -> RenderedResponse:
    """The answer with its templates rendered; a 500 that names stub and expression where one fails."""
    asked = TemplateRequest(request, parameters, random)
    try:
        body = rendered.body if template.body is None else template.body(asked)
        headers = rendered.headers
        if template.fields is not None:
            headers = tuple(_sent(name, value, asked) for name, value in template.fields)
    except TemplateFailure as failure:
        return RenderedResponse(500, _PLAIN_TEXT, f"stub {stub!r}: {failure}\n".encode())
    return RenderedResponse(rendered.status, headers, body)


def _sent(name: bytes, value: bytes | BodyTemplate, request: TemplateRequest) -> tuple[bytes, bytes]:
    if isinstance(value, bytes):
        return name, value
    shown = name.decode("latin-1")
    try:
        made = value(request).decode().encode("latin-1")
    except UnicodeEncodeError as error:
        raise TemplateFailure(f"header {shown} is not Latin-1: {error.object[:60]!r}") from None
    except TemplateFailure as failure:
        raise TemplateFailure(f"header {shown}: {failure}") from failure
    if _UNSENDABLE.search(made):
        raise TemplateFailure(f"header {shown} holds a control character: {made[:60]!r}")
    return name, made.strip()
