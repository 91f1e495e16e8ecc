"""Templates as text: JSON in the layout in which a backend writes it, with expressions in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mockforge.model.stub import Body

__all__ = ["Expression", "JsonStyle", "Parts", "json_style", "write_json", "write_text"]

#: Stands for an expression until the JSON around it is text; JSON writes it as it is.
_MARK = "\x7f"


@dataclass(frozen=True, slots=True)
class Expression:
    """A value of its own: `request.json.count`."""

    text: str


@dataclass(frozen=True, slots=True)
class Parts:
    """A text made of literals and expressions."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How a program lays its JSON out."""

    separators: tuple[str, str]
    indent: int | None
    ascii_only: bool
    end: str

    @property
    def is_compact(self) -> bool:
        """Whether a `jsonBody` comes out the same."""
        return self == JsonStyle((",", ":"), None, False, "")

    def dump(self, value: Any) -> str:
        """The value in this style."""
        text = json.dumps(value, separators=self.separators, indent=self.indent, ensure_ascii=self.ascii_only)
        return text + self.end


_STYLES = [
    JsonStyle(separators, indent, ascii_only, end)
    for end in ("", "\n")
    for ascii_only in (False, True)
    for separators, indent in (
        ((",", ":"), None),
        ((", ", ": "), None),
        ((",", ": "), 2),
        ((",", ": "), 4),
        ((",", ": "), 1),
        ((", ", ": "), 2),
    )
]


def json_style(body: bytes) -> JsonStyle | None:
    """The style that gives these bytes back; None where none does."""
    try:
        text = body.decode()
        value = json.loads(text)
        return next((style for style in _STYLES if style.dump(value) == text), None)
    except (UnicodeDecodeError, ValueError, RecursionError):
        return None


def write_json(tree: Any, style: JsonStyle) -> Body:
    """A document with expressions in it, as a body: `jsonBody` where all of them stand in texts."""
    if style.is_compact and not _has_bare(tree):
        return Body("jsonBody", _as_strings(tree))
    marks = _Marks()
    text = style.dump(marks.put(tree))
    for number, written in enumerate(marks.written):
        text = text.replace(f'"{_MARK}{number}{_MARK}"', written)
    return Body("body", text)


def write_text(parts: Parts) -> str:
    """A text with expressions in it."""
    return "".join(part if isinstance(part, str) else f"{{{{ {part.text} }}}}" for part in parts.parts)


@dataclass(slots=True)
class _Marks:
    """Marks in the place of expressions, and what is to be written for each."""

    written: list[str] = field(default_factory=list)

    def put(self, tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: self.put(value) for key, value in tree.items()}
        if isinstance(tree, list):
            return [self.put(value) for value in tree]
        if isinstance(tree, Expression):
            return self._mark(f"{{{{ {tree.text} }}}}")
        if isinstance(tree, Parts):
            return self._mark(f"{{{{ {_joined(tree.parts)} | tojson }}}}")
        return tree

    def _mark(self, written: str) -> str:
        self.written.append(written)
        return f"{_MARK}{len(self.written) - 1}{_MARK}"


def _joined(parts: Sequence[str | Expression]) -> str:
    """One expression for all parts: `request.path.id`, `("no order " ~ request.path.id)`."""
    texts = [orjson.dumps(part).decode() if isinstance(part, str) else part.text for part in parts]
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return f"({texts[0]} ~ '')" if "json" in texts[0] else texts[0]
    return f"({' ~ '.join(texts)})"


def _has_bare(tree: Any) -> bool:
    if isinstance(tree, dict):
        return any(map(_has_bare, tree.values()))
    if isinstance(tree, list):
        return any(map(_has_bare, tree))
    return isinstance(tree, Expression)


def _as_strings(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _as_strings(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_as_strings(value) for value in tree]
    return write_text(tree) if isinstance(tree, Parts) else tree
