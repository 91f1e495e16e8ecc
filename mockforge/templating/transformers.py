"""Template dialects, by the name that a response's `transformers` asks for one with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mockforge.model.stub import Body
from mockforge.templating.body import BodyTemplate
from mockforge.templating.jinja import compile_body_template
from mockforge.templating.scope import PLAIN, Scope

__all__ = ["TRANSFORMERS", "Dialect"]


class Dialect(Protocol):
    """A front end: compiles a body's texts; StubFileError where one does not parse."""

    def __call__(self, body: Body, scope: Scope = PLAIN) -> BodyTemplate: ...


TRANSFORMERS: Mapping[str, Dialect] = {"jinja": compile_body_template}
