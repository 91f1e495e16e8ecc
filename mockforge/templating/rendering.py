"""Answers made when they are given: status, fields and body rendered, or a 500 that says what failed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mockforge.model.response import RenderedResponse, failed
from mockforge.model.sending import BodyFile
from mockforge.model.stub import Body, ResponseDefinition
from mockforge.templating.body import BodyTemplate
from mockforge.templating.chosen_file import ChosenFile, compile_chosen_file
from mockforge.templating.failure import TemplateFailure, brief
from mockforge.templating.fields import CompileText, FieldTemplates, compile_fields
from mockforge.templating.request import TemplateRequest
from mockforge.templating.scope import Scope
from mockforge.templating.transformers import TRANSFORMERS

__all__ = ["AnswerTemplate", "compile_answer", "compiler_for", "rendered_for"]

_LOWEST, _HIGHEST = 200, 599


@dataclass(frozen=True, slots=True)
class AnswerTemplate:
    """What of an answer depends on its request; None where nothing does."""

    status: BodyTemplate | None
    fields: FieldTemplates | None
    body: BodyTemplate | ChosenFile | None


def compiler_for(response: ResponseDefinition) -> CompileText:
    """What compiles the texts of a response that has transformers."""
    return partial(TRANSFORMERS[response.transformers[0]], scope=Scope(files=response.files))


def compile_answer(
    rendered: RenderedResponse, response: ResponseDefinition
) -> tuple[RenderedResponse, AnswerTemplate | None]:
    """The answer with all that is literal ready, and a template where something is not.

    StubFileError where a text does not parse.
    """
    compile_text = compiler_for(response)
    body, literal = _body(compile_text, response, rendered.body)
    fields = compile_fields(compile_text, rendered.headers)
    written = response.status_template
    status = None if written is None else compile_text(Body("body", written))
    ready = RenderedResponse(rendered.status, fields.literal, literal)
    if body is None and fields.is_literal and status is None:
        return ready, None
    return ready, AnswerTemplate(status, None if fields.is_literal else fields, body)


def _body(
    compile_text: CompileText, response: ResponseDefinition, ready: bytes
) -> tuple[BodyTemplate | ChosenFile | None, bytes]:
    """The body's template, or its bytes."""
    body = response.body
    if body is None:
        return None, ready
    if body.is_chosen:
        chosen = compile_chosen_file(str(body.value), response.files, compile_text)
        if chosen is not None:
            return chosen, b""
    template = compile_text(body)
    return (template, b"") if template.literal is None else (None, template.literal)


def rendered_for(
    template: AnswerTemplate, rendered: RenderedResponse, request: TemplateRequest, stub: str
) -> tuple[RenderedResponse, BodyFile | None]:
    """The answer with its templates rendered, and the file that its body is in, if it is in one.

    A 500 that names stub and expression where one fails.
    """
    try:
        status = rendered.status if template.status is None else _status(template.status, request)
        body = rendered.body if template.body is None else template.body(request)
        headers = rendered.headers if template.fields is None else template.fields(request)
    except TemplateFailure as failure:
        return failed(stub, str(failure)), None
    if isinstance(body, BodyFile):
        return RenderedResponse(status, headers, b"", body.size), body
    return RenderedResponse(status, headers, body), None


def _status(template: BodyTemplate, request: TemplateRequest) -> int:
    try:
        text = template(request).decode().strip()
    except TemplateFailure as failure:
        raise TemplateFailure(f"status: {failure}") from failure
    if not (text.isascii() and text.isdigit() and _LOWEST <= int(text[:4]) <= _HIGHEST and len(text) == 3):
        raise TemplateFailure(f"status: {brief(text)!r} is none from {_LOWEST} to {_HIGHEST}")
    return int(text)
