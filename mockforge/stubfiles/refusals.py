"""pydantic's findings in a person's words."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mockforge.stubfiles.mapping import Form
from mockforge.stubfiles.problems import Loc, RefusedError, brief, unknown_key

__all__ = ["refusals_of"]

#: What a place wants, by the kind of pydantic's finding.
_WANTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("above", "gt"),
    "less_than": ("below", "lt"),
}


def refusals_of(error: ValidationError, form: type[Form]) -> Iterator[tuple[Loc, RefusedError]]:
    """Each finding with its place, counted from the top of `form`."""
    for details in error.errors(include_url=False):
        loc = details["loc"]
        yield loc, _refused(details, _form_at(form, loc[:-1]), _form_at(form, loc))


def _refused(details: ErrorDetails, around: type[Form], here: type[Form]) -> RefusedError:
    kind, written, context = details["type"], details["input"], details.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, ValueError):
        return cause if isinstance(cause, RefusedError) else RefusedError(str(cause))
    if kind == "extra_forbidden":
        return unknown_key(str(details["loc"][-1]), around.keys(), around.wiremock)
    if kind == "missing":
        return RefusedError("is missing", around.example)
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return RefusedError(f"must be {words} {context[bound]:g}, not {brief(written)}")
    if kind not in _WANTED:
        return RefusedError(f"{brief(written)} cannot stand here")
    hint = here.example if kind == "model_type" else None
    return RefusedError(f"must be {_WANTED[kind]}, not {brief(written)}", hint)


def _form_at(form: type[Form], loc: Loc) -> type[Form]:
    """The form of the mapping at `loc`; a free name, such as a header's, stays in the form of its values."""
    for part in loc:
        for field in form.model_fields.values():
            if field.alias == part:
                form = _form_in(field.annotation) or form
                break
    return form


def _form_in(annotation: Any) -> type[Form] | None:
    if inspect.isclass(annotation) and issubclass(annotation, Form):
        return annotation
    return next((found for each in get_args(annotation) if (found := _form_in(each))), None)
