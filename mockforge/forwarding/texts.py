"""Texts of a request that the mock makes: as they stand, or templates."""

from __future__ import annotations

from collections.abc import Callable

from mockforge.model.stub import Body
from mockforge.templating.jinja import compile_body_template, is_template
from mockforge.templating.request import TemplateRequest
from mockforge.templating.scope import PLAIN, Scope

__all__ = ["RenderBytes", "RenderText", "compile_body", "compile_text"]

#: Renders a body for a request; raises TemplateFailure.
RenderBytes = Callable[[TemplateRequest], bytes]


class RenderText:
    """A text, rendered for a request; raises TemplateFailure."""

    __slots__ = ("_render", "is_template")

    def __init__(self, text: str, render: RenderBytes | None) -> None:
        self.is_template = render is not None
        self._render = render or (lambda request: text.encode())

    def __call__(self, request: TemplateRequest) -> str:
        return self._render(request).decode()


def compile_text(text: str, *, templated: bool, scope: Scope = PLAIN) -> RenderText:
    """A text; StubFileError where it is a template that does not parse."""
    return RenderText(
        text, compile_body(Body("body", text), scope) if templated and is_template(text) else None
    )


def compile_body(body: Body, scope: Scope = PLAIN) -> RenderBytes:
    """A body whose texts may be templates; StubFileError where one does not parse.

    Base64, and a file that is no text, are sent as they are.
    """
    content = body.content() if body.kind in ("base64Body", "bodyFileName") else None
    if content is not None and (body.kind == "base64Body" or not _is_text(content)):
        return lambda request: content
    return compile_body_template(body, scope)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
