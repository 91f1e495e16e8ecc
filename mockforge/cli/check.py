"""`mockforge check`: are these stub files, or this project, valid."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import orjson
import typer

from mockforge.cli.console import out
from mockforge.cli.project_options import ProjectFile, services_of
from mockforge.engine import compile_service
from mockforge.errors import StubFileError
from mockforge.model.service import Service
from mockforge.project.form import project_schema as schema_of_projects
from mockforge.report.figures import count
from mockforge.stubfiles.reader import read_service
from mockforge.stubfiles.schema import stub_file_schema

__all__ = ["check"]


def check(
    stubs: Annotated[
        Path | None,
        typer.Argument(help="A folder of stubs, or one file; without it, the project and all its stubs."),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of stub files and end.")
    ] = False,
    project_schema: Annotated[
        bool, typer.Option("--project-schema", help="Print the JSON Schema of mockforge.yaml and end.")
    ] = False,
    project: ProjectFile = None,
) -> None:
    """Check files without serving them. Every problem is a line; any makes the exit code 2.

    Example:

        mockforge check stubs/orders
    """
    if schema or project_schema:
        wanted = schema_of_projects() if project_schema else stub_file_schema()
        typer.echo(orjson.dumps(wanted, option=orjson.OPT_INDENT_2))
    elif stubs is not None:
        _check(stubs)
    else:
        found, services = services_of(project, None, "give stubs, such as mockforge check stubs/orders")
        out.print(f"{found.path}: {count(len(services))} services, valid", markup=False, soft_wrap=True)
        _check_all([service.stubs for service in services])


def _check_all(stubs: Iterable[Path]) -> None:
    """Check each, whatever is wrong with the others; StubFileError with the problems of all of them."""
    problems: list[str] = []
    for each in dict.fromkeys(stubs):
        try:
            _check(each)
        except StubFileError as error:
            problems += error.problems or (str(error),)
    if problems:
        raise StubFileError(problems[0], problems=tuple(problems))


def _check(stubs: Path) -> None:
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
