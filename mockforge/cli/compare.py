"""`mockforge compare`: the deviation report of two recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mockforge.cli.console import out, say
from mockforge.errors import UsageError
from mockforge.report.render_terminal import DeviationView
from mockforge.report.renderers import RENDERERS
from mockforge.report.samples import compare_recordings

__all__ = ["compare"]


def compare(
    real: Annotated[Path, typer.Argument(metavar="REAL", help="The real run: a recording.")],
    mock: Annotated[Path, typer.Argument(metavar="MOCK", help="The mocked run: a recording.")],
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write the report as one HTML page that works offline.", metavar="FILE"),
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", help="Write the report as JSON.", metavar="FILE")
    ] = None,
) -> None:
    """Say how far a mocked run performs from the real one, operation by operation.

    Both are recordings: what `mockforge record`, `mockforge serve --record-run` or `mockforge replay --out`
    wrote. Compare runs of one vantage under one load.

    Example:

        mockforge compare recordings/real.mfrec recordings/mock.mfrec --html r.html
    """
    report = compare_recordings(real, mock)
    out.print(DeviationView(report))
    for form, path in (("html", html), ("json", json)):
        if path is not None:
            _write(path, RENDERERS[form](report))
            say.print(f"wrote {path}", markup=False)


def _write(path: Path, text: str) -> None:
    """Write a rendering, making its folder. Raises UsageError where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the report cannot be written: {error.strerror or error}",
            where=str(path),
            hint="name a file in a folder that can be written",
        ) from error
