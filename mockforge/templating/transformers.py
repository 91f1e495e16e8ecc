"""Template dialects, by the name that a response's `transformers` asks for one with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mockforge.model.stub import Body
from mockforge.templating.jinja import BodyTemplate, compile_body_template

__all__ = ["TRANSFORMERS"]

TRANSFORMERS: Mapping[str, Callable[[Body], BodyTemplate]] = {"jinja": compile_body_template}
