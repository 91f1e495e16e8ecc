"""A request that goes on to an upstream, made from the one that came and the stub that it matched."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

from mockforge.errors import StubFileError, UsageError
from mockforge.forwarding.fields import Fields, with_framing
from mockforge.forwarding.texts import RenderText, compile_text
from mockforge.model.forwarding import ProxyDefinition
from mockforge.model.headers import Headers
from mockforge.model.upstream import OutgoingRequest
from mockforge.targets import Target, parse_target
from mockforge.templating.fields import FieldTemplates, compile_fields
from mockforge.templating.jinja import compile_body_template
from mockforge.templating.request import TemplateRequest

__all__ = ["CompiledForward", "Forward", "compile_forward", "forward_all"]

#: Fields that nobody can set: the mock writes them, as the body and the connection are.
_FRAMING = ("content-length", "transfer-encoding", "connection")

_target = functools.lru_cache(maxsize=1_024)(parse_target)


class Forward(NamedTuple):
    """A request to pass on, and the fields that its answer gets beside the upstream's."""

    request: OutgoingRequest
    fields: Fields


@dataclass(frozen=True, slots=True)
class CompiledForward:
    """Where requests go on to: `target`, or what `base_url` is rendered to for a request."""

    target: Target | None
    base_url: RenderText
    prefix: str
    added: Headers
    removed: frozenset[bytes]
    fields: FieldTemplates

    def of(self, asked: TemplateRequest) -> Forward:
        """What to ask for a request; raises TemplateFailure, or UsageError where a rendered URL is none."""
        request = asked.view
        target = self.target or _target(self.base_url(asked))
        rest = request.target.removeprefix(self.prefix)
        path = target.prefix + (rest if rest.startswith("/") else f"/{rest}")
        given = [pair for pair in request.raw_headers if pair[0].lower() not in self.removed]
        fields = with_framing(given, target.authority, request.method, request.body, self.added)
        answered = self.fields.literal if self.fields.is_literal else self.fields(asked)
        return Forward(OutgoingRequest(target, request.method, path, fields, request.body), answered)


def compile_forward(proxy: ProxyDefinition, fields: Fields, *, templated: bool = False) -> CompiledForward:
    """`fields` are added to answers; StubFileError where the URL is none, or a field cannot be set."""
    for name, _ in proxy.added:
        if name.lower() in _FRAMING:
            raise StubFileError(f"the field {name} cannot be set: the mock writes it as the body is")
    base_url = compile_text(proxy.base_url, templated=templated)
    return CompiledForward(
        None if base_url.is_template else _literal(proxy.base_url),
        base_url,
        proxy.prefix_to_remove or "",
        proxy.added,
        frozenset(name.lower().encode("latin-1") for name in proxy.removed),
        compile_fields(compile_body_template, fields) if templated else FieldTemplates(fields),
    )


def forward_all(target: Target) -> CompiledForward:
    """Passes every request on to `target`, unchanged."""
    return compile_forward(ProxyDefinition(str(target)), ())


def _literal(url: str) -> Target:
    try:
        return parse_target(url)
    except UsageError as error:
        hint = "such as http://127.0.0.1:9000; a template needs transformers: [jinja]"
        raise StubFileError(error.what.removeprefix("the target "), hint=hint) from None
