"""An answer whose body is made when it is given: rendered, or a 500 that says what failed."""

from __future__ import annotations

from collections.abc import Mapping

from mockforge.model.request import RequestView
from mockforge.model.response import RenderedResponse
from mockforge.templating.jinja import RenderBody, TemplateFailure
from mockforge.templating.request import TemplateRequest

__all__ = ["rendered_for"]

_PLAIN_TEXT = ((b"Content-Type", b"text/plain; charset=utf-8"),)


def rendered_for(
    template: RenderBody,
    rendered: RenderedResponse,
    request: RequestView,
    stub: str,
    parameters: Mapping[str, str],
) -> RenderedResponse:
    """The answer with its body rendered; a 500 that names stub and expression where that fails."""
    try:
        body = template(TemplateRequest(request, parameters))
    except TemplateFailure as failure:
        return RenderedResponse(500, _PLAIN_TEXT, f"stub {stub!r}: {failure}\n".encode())
    return RenderedResponse(rendered.status, rendered.headers, body)
