"""Options that say which project a command is about, and which of its services."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from mockforge.errors import UsageError
from mockforge.project.reader import PROJECT_FILE, Project, ProjectService, find_project
from mockforge.report.tolerances import Tolerances

__all__ = ["Only", "ProjectFile", "services_of", "tolerances_of"]

ProjectFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help=f"The project's file; ./{PROJECT_FILE} where there is one."),
]
Only = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="A service of the project, not all; repeatable.")
]


def services_of(
    asked: Path | None, only: list[str] | None, instead: str
) -> tuple[Project, tuple[ProjectService, ...]]:
    """The project and its services that are asked for; UsageError where there is no project."""
    project = find_project(asked)
    if project is None:
        raise UsageError(f"there is no {PROJECT_FILE} here", hint=f"{instead}, or --project FILE")
    return project, project.only(tuple(only or ()))


def tolerances_of(asked: Path | None, written: Iterable[str], floor_ms: float | None) -> Tolerances:
    """The project's tolerances, and before them those of the command line; UsageError where one cannot be."""
    project = find_project(asked)
    own = () if project is None else project.tolerances
    if floor_ms is None and project is not None:
        floor_ms = project.tolerance_floor_ms
    texts = (*own, *written)
    return Tolerances.parse(texts) if floor_ms is None else Tolerances.parse(texts, floor_ms)
