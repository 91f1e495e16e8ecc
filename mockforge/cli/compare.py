"""`mockforge compare`: the deviation report of a real run and a mocked one, or of repetitions of both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from mockforge.cli import compare_options as options
from mockforge.cli.console import out
from mockforge.cli.project_options import ProjectFile, tolerances_of
from mockforge.cli.renderings import page_wanted, show_page, write_rendering
from mockforge.errors import EXIT_INCONCLUSIVE, EXIT_OK, EXIT_OUTSIDE, UsageError
from mockforge.report.files import Files, compare_files
from mockforge.report.naming import NameMap
from mockforge.report.render_terminal import DeviationView
from mockforge.report.renderers import RENDERERS
from mockforge.report.verdicts import Verdict
from mockforge.report.warmup import WarmUp

__all__ = ["compare"]

_EXIT_CODES = {
    Verdict.WITHIN: EXIT_OK,
    Verdict.OUTSIDE: EXIT_OUTSIDE,
    Verdict.INCONCLUSIVE: EXIT_INCONCLUSIVE,
}


def compare(
    real: options.Real = None,
    mock: options.Mock = None,
    a: options.RealRuns = None,
    b: options.MockedRuns = None,
    caller_a: options.CallerReal = None,
    caller_b: options.CallerMocked = None,
    names: options.Map = None,
    tolerance: options.Tolerance = None,
    expect: options.Expect = None,
    floor: options.Floor = None,
    project: ProjectFile = None,
    warm_up: options.WarmUpCut = "auto",
    html: options.File = None,
    json: options.File = None,
    markdown: options.File = None,
    junit: options.File = None,
    prometheus: options.File = None,
    show: options.Show = False,
    verbose: options.Verbose = False,
) -> None:
    """Say how far a mocked run performs from the real one, operation by operation.

    Both are recordings (what `mockforge record`, `mockforge serve --record-run` or `mockforge replay --out`
    wrote) or what a load tool wrote: k6 (JSON, CSV, summary), JMeter (JTL), Gatling (simulation.log), Locust
    (CSV, JSON), Artillery, vegeta (JSON, CSV, report), wrk, HdrHistogram (.hlog, .hgrm), oha (CSV, JSON,
    SQLite), hey, autocannon, ab, or a HAR. Content tells which. Compare runs of one vantage and load.

    Example:

        mockforge compare recordings/real.mfrec recordings/mock.mfrec --html r.html --tolerance p95=10%
    """
    files, named = _sides(real, mock, a or (), b or ()), NameMap.parse(names or ())
    tolerances = tolerances_of(project, [*(tolerance or ()), *(expect or ())], floor)
    html = page_wanted(html, show, "report.html")
    caller = _callers(caller_a or (), caller_b or ())
    report = compare_files(files, tolerances, WarmUp.parse(warm_up), caller, named)
    out.print(DeviationView(report, verbose))
    forms = {"html": html, "json": json, "markdown": markdown, "junit": junit, "prometheus": prometheus}
    for form, path in forms.items():
        if path is not None:
            write_rendering(path, RENDERERS[form](report))
    if show and html is not None:
        show_page(html)
    if tolerances.decide:
        raise typer.Exit(_EXIT_CODES[report.verdict])


def _sides(real: Path | None, mock: Path | None, a: Sequence[Path], b: Sequence[Path]) -> Files:
    """Both sides' files. Raises UsageError where one has none, or is named both ways."""
    if (real is not None and a) or (mock is not None and b):
        raise UsageError("a side is named twice", hint="REAL and MOCK, or --a and --b for repetitions")
    files = Files(a or ([real] if real else []), b or ([mock] if mock else []))
    if not files.real or not files.mock:
        missing = "real" if not files.real else "mocked"
        raise UsageError(
            f"the {missing} run is missing",
            hint="mockforge compare REAL MOCK, or --a r1 --a r2 --b m1 --b m2 for repetitions",
        )
    return files


def _callers(real: Sequence[Path], mock: Sequence[Path]) -> Files | None:
    """The caller's files, if any. Raises UsageError where one side has none."""
    if bool(real) != bool(mock):
        raise UsageError("the caller's results are needed on both sides", hint="--caller-a and --caller-b")
    return Files(real, mock) if real else None
