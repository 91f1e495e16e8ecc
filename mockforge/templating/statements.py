"""A text with statements (`{% for %}`, `{% set %}`): Jinja's as a whole."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from mockforge.templating.failure import TemplateFailure, brief, reason_of
from mockforge.templating.sandbox import Sandbox
from mockforge.templating.written import Write

__all__ = ["Statements"]


class Statements:
    """From the names that a template uses to its text, written as asked; raises TemplateFailure."""

    __slots__ = ("_lines", "_template")

    def __init__(self, source: str, environment: Sandbox) -> None:
        self._template = environment.template(source)
        self._lines = source.splitlines()

    def __call__(self, names: Mapping[str, Any], write: Write) -> str:
        try:
            return write(self._template.render(names))
        except Exception as error:  # an expression can fail in any way that Python knows
            number = _line_of(error)
            lines = self._lines
            where = brief(lines[number - 1]) if 0 < number <= len(lines) else "template"
            raise TemplateFailure(f"{where}: {reason_of(error)}") from error


def _line_of(error: Exception) -> int:
    """The line of the template that an error comes from; 0 where it cannot be told."""
    numbers = [
        number
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == "<template>"
    ]
    return numbers[-1] if numbers else 0
