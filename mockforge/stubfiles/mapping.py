"""What every mapping of a stub file has: keys that it knows, and those of them that are written."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from mockforge.stubfiles.problems import RefusedError

__all__ = ["Form"]


def _title(form: type[Any]) -> str:
    return form.__name__.removesuffix("Form").lower()


class Form(BaseModel):
    """One mapping of a stub file. `wiremock` are keys of WireMock's that are not supported yet."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, model_title_generator=_title
    )

    wiremock: ClassVar[frozenset[str]] = frozenset()
    example: ClassVar[str | None] = None

    @classmethod
    def keys(cls) -> list[str]:
        """The keys that the mapping knows, in their natural order."""
        return list(_names_by_key(cls))

    def written(self, keys: tuple[str, ...]) -> dict[str, object]:
        """Those of `keys` that the file gives a value; a null counts for jsonBody alone."""
        given = {}
        for key, name in _attributes(type(self), keys):
            if name in self.model_fields_set:
                value = getattr(self, name)
                if value is not None or key == "jsonBody":
                    given[key] = value
        return given

    def at_most_one(self, keys: tuple[str, ...]) -> None:
        """RefusedError where several of `keys` are written."""
        given = list(self.written(keys))
        if len(given) > 1:
            raise RefusedError(f"{' and '.join(given)} exclude one another", "keep one of them")


@functools.cache
def _names_by_key(form: type[Form]) -> dict[str, str]:
    return {field.alias or name: name for name, field in form.model_fields.items()}


@functools.cache
def _attributes(form: type[Form], keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Those of `keys` that the form knows, each with its attribute's name."""
    names = _names_by_key(form)
    return tuple((key, names[key]) for key in keys if key in names)
