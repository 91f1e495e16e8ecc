"""Header fields whose values may be templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from mockforge.errors import StubFileError
from mockforge.model.stub import Body
from mockforge.templating.body import BodyTemplate
from mockforge.templating.failure import TemplateFailure
from mockforge.templating.request import TemplateRequest

__all__ = ["CompileText", "FieldTemplates", "RawFields", "compile_fields"]

RawFields = tuple[tuple[bytes, bytes], ...]
#: Compiles one text; StubFileError where it does not parse.
CompileText = Callable[[Body], BodyTemplate]

_UNSENDABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class FieldTemplates:
    """From a request to its answer's fields; `literal` are those that depend on none."""

    __slots__ = ("_fields", "literal")

    def __init__(self, fields: Iterable[tuple[bytes, bytes | BodyTemplate]]) -> None:
        self._fields = tuple(fields)
        self.literal: RawFields = tuple(
            (name, value) for name, value in self._fields if isinstance(value, bytes)
        )

    @property
    def is_literal(self) -> bool:
        """Whether no field depends on a request."""
        return len(self.literal) == len(self._fields)

    def __call__(self, request: TemplateRequest) -> RawFields:
        """The fields as they are sent; raises TemplateFailure."""
        return tuple(
            (name, value if isinstance(value, bytes) else _sent(name, value, request))
            for name, value in self._fields
        )


def compile_fields(compile_text: CompileText, fields: Sequence[tuple[bytes, bytes]]) -> FieldTemplates:
    """StubFileError, which names the field, where a value does not parse."""
    return FieldTemplates((name, _value(compile_text, name, value)) for name, value in fields)


def _value(compile_text: CompileText, name: bytes, value: bytes) -> bytes | BodyTemplate:
    try:
        template = compile_text(Body("body", value.decode("latin-1")))
    except StubFileError as error:
        raise StubFileError(f"header {name.decode('latin-1')}: {error.what}", hint=error.hint) from error
    return value if template.literal is not None else template


def _sent(name: bytes, value: BodyTemplate, request: TemplateRequest) -> bytes:
    shown = name.decode("latin-1")
    try:
        made = value(request).decode().encode("latin-1")
    except UnicodeEncodeError as error:
        raise TemplateFailure(f"header {shown} is not Latin-1: {error.object[:60]!r}") from None
    except TemplateFailure as failure:
        raise TemplateFailure(f"header {shown}: {failure}") from failure
    if _UNSENDABLE.search(made):
        raise TemplateFailure(f"header {shown} holds a control character: {made[:60]!r}")
    return made.strip()
