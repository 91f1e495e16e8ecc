"""Template dialects, by the name that a response's `transformers` asks for one with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mockforge.model.stub import Body
from mockforge.templating.jinja import RenderBody, compile_body_template

__all__ = ["TRANSFORMERS"]

TRANSFORMERS: Mapping[str, Callable[[Body], RenderBody]] = {"jinja": compile_body_template}
