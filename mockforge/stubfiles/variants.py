"""Variants files: one answer a line, as JSON, so that a long recording stays quick to read and easy to grep.

{"when": {"path.id": "17"}, "status": 404, "jsonBody": {"error": "no such order"}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
from pydantic import ValidationError

from mockforge.model.headers import Headers
from mockforge.model.stub import Body, Variant, Variants
from mockforge.stubfiles.form import BODY_KINDS, RowForm
from mockforge.stubfiles.headers import grouped, ungrouped
from mockforge.stubfiles.problems import Loc, RefusedError, brief
from mockforge.stubfiles.refusals import refusals_of

__all__ = ["read_rows", "write_rows"]

Report = Callable[[int, Loc, RefusedError], None]


def read_rows(file: Path, by: tuple[str, ...], report: Report) -> tuple[Variant, ...]:
    """The rows of `file`; what is wrong goes to `report` with the line's number and the row is left out."""
    rows = []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.isspace():
                continue
            try:
                rows.append(_row(RowForm.model_validate(orjson.loads(line)), by))
            except orjson.JSONDecodeError as error:
                report(number, (), RefusedError(f"is not JSON: {error.msg}", "one JSON object a line"))
            except ValidationError as error:
                for loc, refused in refusals_of(error, RowForm):
                    report(number, loc, refused)
            except RefusedError as refused:
                report(number, ("when",), refused)
    return tuple(rows)


def write_rows(variants: Variants) -> bytes:
    """The bytes of a variants file."""
    return b"".join(orjson.dumps(dict(_written(row, variants.by))) + b"\n" for row in variants.rows)


def _row(form: RowForm, by: tuple[str, ...]) -> Variant:
    when = form.when
    if len(when) != len(by) or any(name not in when for name in by):
        for name in when:
            if name not in by:
                known = f"by names {', '.join(by)}" if by else "the stub's variants have no by"
                raise RefusedError(f"{brief(name)} does not choose", known)
        missing = next(name for name in by if name not in when)
        raise RefusedError(f"{missing} is missing", "a row gives every parameter that by names")
    (kind, value), *_ = (*form.written(BODY_KINDS).items(), ("", None))
    return Variant(
        when=tuple([when[name] for name in by]),
        status=form.status,
        headers=ungrouped(form.headers) if form.headers else Headers(),
        body=Body(kind, value) if kind else None,
    )


def _written(row: Variant, by: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    if len(row.when) != len(by):
        raise ValueError(f"a variant's when {row.when!r} does not fit by {by!r}")
    if by:
        yield "when", dict(zip(by, row.when, strict=True))
    if row.status is not None:
        yield "status", row.status
    if row.headers:
        yield "headers", grouped(row.headers)
    if row.body is not None:
        if row.body.kind == "bodyFileName":
            raise ValueError("a variant's body stands in its row, not in a file")
        yield row.body.kind, row.body.value
