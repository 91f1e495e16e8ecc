"""What the templates of one place may ask for beside the functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mockforge.model.sending import BodyFile

__all__ = ["PLAIN", "FileContents", "Scope"]

#: Files by their names; one too large to be held is its `BodyFile`. KeyError for what is not there.
FileContents = Mapping[str, bytes | BodyFile]


@dataclass(frozen=True, slots=True)
class Scope:
    """`requests` are the names that the request has, `given` other values by their names.

    `files` are those that can be read; None where a template has none at all.
    """

    requests: tuple[str, ...] = ("request",)
    given: Mapping[str, object] = field(default_factory=dict)
    files: FileContents | None = None


#: A request, and nothing else.
PLAIN: Final = Scope()
