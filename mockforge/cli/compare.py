"""`mockforge compare`: the deviation report of two recordings."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from mockforge.cli.console import out, say
from mockforge.errors import EXIT_INCONCLUSIVE, EXIT_OK, EXIT_OUTSIDE, UsageError
from mockforge.report.render_terminal import DeviationView
from mockforge.report.renderers import RENDERERS
from mockforge.report.samples import compare_recordings
from mockforge.report.tolerances import Tolerances
from mockforge.report.verdicts import Verdict

__all__ = ["compare"]

_File = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report in this form.")]


_EXIT_CODES = {
    Verdict.WITHIN: EXIT_OK,
    Verdict.OUTSIDE: EXIT_OUTSIDE,
    Verdict.INCONCLUSIVE: EXIT_INCONCLUSIVE,
}


def compare(
    real: Annotated[
        Path, typer.Argument(metavar="REAL", help="The real run: a recording, or a load tool's file.")
    ],
    mock: Annotated[Path, typer.Argument(metavar="MOCK", help="The mocked run: likewise.")],
    tolerance: Annotated[
        list[str] | None,
        typer.Option(
            "--tolerance",
            metavar="METRIC=BOUND",
            help="What a metric may be off, such as p95=10%, error_rate=1pp, 'GET /orders: p99=25%' or "
            "'throughput.ratio>0.95'; repeatable. Then the exit code is the verdict: 0, 1 outside, "
            "3 inconclusive.",
        ),
    ] = None,
    floor: Annotated[
        float, typer.Option(min=0, metavar="MS", help="A latency's deviation of less than this is none.")
    ] = 1.0,
    html: _File = None,
    json: _File = None,
    markdown: _File = None,
    junit: _File = None,
    prometheus: _File = None,
    show: Annotated[bool, typer.Option("--open", help="Show the HTML page in a browser.")] = False,
) -> None:
    """Say how far a mocked run performs from the real one, operation by operation.

    Both are recordings (what `mockforge record`, `mockforge serve --record-run` or `mockforge replay --out`
    wrote) or samples of k6, JMeter, Gatling, vegeta, hey, oha or ab. Compare runs of one vantage and load.

    Example:

        mockforge compare recordings/real.mfrec recordings/mock.mfrec --html r.html --tolerance p95=10%
    """
    tolerances = Tolerances.parse(tolerance or (), floor)
    if show and html is None:
        html = Path(tempfile.mkdtemp(prefix="mockforge-")) / "report.html"
    report = compare_recordings(real, mock, tolerances)
    out.print(DeviationView(report))
    files = {"html": html, "json": json, "markdown": markdown, "junit": junit, "prometheus": prometheus}
    for form, path in files.items():
        if path is not None:
            _write(path, RENDERERS[form](report))
            say.print(f"wrote {path}", markup=False)
    if show and html is not None:
        webbrowser.open(html.resolve().as_uri())
    if tolerances.given:
        raise typer.Exit(_EXIT_CODES[report.verdict])


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
