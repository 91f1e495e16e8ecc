"""`mockforge check`: are these stub files valid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from mockforge.cli.console import out
from mockforge.engine import compile_service
from mockforge.errors import UsageError
from mockforge.model.service import Service
from mockforge.report.figures import count
from mockforge.stubfiles.reader import read_service
from mockforge.stubfiles.schema import stub_file_schema

__all__ = ["check"]


def check(
    stubs: Annotated[Path | None, typer.Argument(help="A folder of stubs, or one stub file.")] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of stub files and end.")
    ] = False,
) -> None:
    """Check stub files without serving them. Every problem is a line; any makes the exit code 2.

    Example:

        mockforge check stubs/orders
    """
    if schema:
        typer.echo(orjson.dumps(stub_file_schema(), option=orjson.OPT_INDENT_2))
        return
    if stubs is None:
        raise UsageError("no stubs to check", hint="such as: mockforge check stubs/orders")
    service = read_service(stubs)
    compile_service(service)
    out.print(f"{stubs}: {_summary(service)}, valid", markup=False, soft_wrap=True)


def _summary(service: Service) -> str:
    tables = [
        [response.variants for response in stub.responses if response.variants is not None]
        for stub in service.stubs
    ]
    with_variants = sum(1 for each in tables if each)
    rows = sum(len(variants.rows) for each in tables for variants in each)
    summary = f"{count(len(service.stubs))} stub{'' if len(service.stubs) == 1 else 's'}"
    if with_variants:
        summary += f", {count(with_variants)} with variants ({count(rows)} row{'' if rows == 1 else 's'})"
    return summary
