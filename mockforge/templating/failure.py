"""How a template says what went wrong with it."""

from __future__ import annotations

__all__ = ["TemplateFailure", "brief", "reason_of"]

_LONGEST_SHOWN = 80


class TemplateFailure(Exception):  # noqa: N818 - it is the template's failure, not this program's error
    """An expression could not be rendered for a request; the message names it and why."""


def reason_of(error: Exception) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def brief(text: str) -> str:
    """A part of a template as messages show it."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
