"""Callbacks: requests that the mock makes by itself after an answer, made of the request that got it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from mockforge.delays.distributions import Distribution, compile_distribution
from mockforge.errors import StubFileError, UsageError
from mockforge.forwarding.fields import with_framing
from mockforge.forwarding.texts import RenderBytes, RenderText, compile_body, compile_text
from mockforge.model.forwarding import CallbackDefinition, RetryRule
from mockforge.model.headers import Headers
from mockforge.model.upstream import OutgoingRequest
from mockforge.targets import parse_target
from mockforge.templating.request import TemplateRequest
from mockforge.templating.scope import Scope

__all__ = ["Callback", "PlannedCallback", "compile_callback", "outgoing"]

_NEVER = RetryRule(0)
_HINT = "callbacks are Jinja, and not Handlebars, templates: {{ originalRequest.json.id }}"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: What may stand in a URL's path and query as it is; the rest is percent-encoded.
_SAFE = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class Callback:
    """A compiled callback."""

    method: str
    url: RenderText
    headers: tuple[tuple[str, RenderText], ...]
    body: RenderBytes | None
    delay: Distribution | None
    retry: RetryRule

    def request_for(self, request: TemplateRequest) -> OutgoingRequest:
        """What is sent; raises TemplateFailure, or UsageError where what was rendered cannot be sent."""
        fields = tuple((name, value(request)) for name, value in self.headers)
        body = b"" if self.body is None else self.body(request)
        return outgoing(self.method, self.url(request), Headers(fields), body)


class PlannedCallback(NamedTuple):
    """A callback to be made of `request`, `delay_ns` after its answer."""

    callback: Callback
    delay_ns: int
    request: TemplateRequest


def compile_callback(definition: CallbackDefinition) -> Callback:
    """StubFileError where a template does not parse, or what is literal cannot be sent."""
    try:
        return _compiled(
            definition, Scope(("request", "originalRequest"), {"parameters": definition.parameters})
        )
    except StubFileError as error:
        raise StubFileError(error.what, hint=error.hint or _HINT) from error


def _compiled(definition: CallbackDefinition, scope: Scope) -> Callback:
    url = compile_text(definition.url, templated=True, scope=scope)
    if not url.is_template:
        try:
            outgoing(definition.method, definition.url, Headers(), b"")
        except UsageError as error:
            raise StubFileError(error.what, hint=error.hint) from None
    return Callback(
        definition.method,
        url,
        tuple((name, compile_text(value, templated=True, scope=scope)) for name, value in definition.headers),
        None if definition.body is None else compile_body(definition.body, scope),
        None if definition.delay is None else compile_distribution(definition.delay),
        definition.retry or _NEVER,
    )


def outgoing(method: str, url: str, headers: Headers, body: bytes) -> OutgoingRequest:
    """A request to a whole URL; raises UsageError where that, or a field, cannot be sent."""
    for name, value in headers:
        if _CONTROL.search(value):
            raise UsageError(f"the field {name} holds a control character: {value[:60]!r}")
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise UsageError(f"the field {name} is not Latin-1: {value[:60]!r}") from None
    parts = urlsplit(url.strip())
    target = parse_target(f"{parts.scheme}://{parts.netloc}" if parts.scheme else url)
    path = parts.path or "/"
    path = quote(f"{path}?{parts.query}" if parts.query else path, safe=_SAFE)
    fields = with_framing((), target.authority, method, body, headers)
    return OutgoingRequest(target, method, path, fields, body)
