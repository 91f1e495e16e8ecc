"""What a piece of another program's file raises where it does not say what it should."""

from __future__ import annotations

__all__ = ["Unusable"]


class Unusable(ValueError):  # noqa: N818 - of an entry, counted and not passed on
    """An entry of a source does not say what it should; the text says why, without where."""
