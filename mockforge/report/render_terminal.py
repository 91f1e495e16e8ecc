"""The report for a terminal: both runs' figures one above the other, so that the eye subtracts.

Names stand beside the figures where the terminal is wide enough, and above them where it is not; they are
never cut. Colour only grades what the figures already say.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from mockforge.report.deviation import DeviationReport, OperationDeviation, Pair
from mockforge.report.figure_blocks import FigureBlocks
from mockforge.report.figures import count, milliseconds, percent, points, rate, signed_percent
from mockforge.report.judgement import expected_sentence, judged, judgement, sentence
from mockforge.report.prose import headline, meaning, provenance
from mockforge.report.remarks import Remark, remarks
from mockforge.report.render_caller import caller_lines
from mockforge.report.render_details import details
from mockforge.report.verdicts import Verdict

__all__ = ["DeviationView", "render_text"]

_COLUMNS = ("requests", "p50 ms", "p95 ms", "p99 ms", "errors", "rate", "gap")
_SIDES = ("real", "mock", "deviation")
_PROSE_WIDTH = 100
_MOST_SENTENCES = 5
_STYLE = {Verdict.WITHIN: "green", Verdict.OUTSIDE: "red", Verdict.INCONCLUSIVE: "yellow"}


@dataclass(frozen=True, slots=True)
class DeviationView:
    """A report that rich can print: `console.print(DeviationView(report))`; every number where `verbose`."""

    report: DeviationReport
    verbose: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report, prose = self.report, options.update(width=min(options.max_width, _PROSE_WIDTH))
        told = remarks(report)
        first = tuple(remark for remark in told if remark.code == "load_mismatch")
        if first:
            yield from console.render(_remarks(first), prose)
        yield Text(headline(report), style=f"bold {_grade(report.gap)}", overflow="fold")
        yield from console.render(Text(meaning(report), style="dim"), prose)
        yield Text()
        yield from _figures(report, options.max_width)
        yield Text()
        if report.caller:
            yield from caller_lines(report.caller)
            yield Text()
        if self.verbose:
            yield from details(report)
            yield Text()
            if report.caller:
                yield Text("at the caller", style="bold")
                yield from details(report.caller.report)
                yield Text()
        yield from console.render(_verdicts(report), prose)
        yield from console.render(_runs(report), prose)
        rest = tuple(remark for remark in told if remark not in first)
        yield from console.render(_remarks(rest), prose)


def render_text(report: DeviationReport, width: int = 100) -> str:
    """The report as plain text, `width` columns wide."""
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(DeviationView(report))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _figures(report: DeviationReport, width: int) -> Iterator[Text]:
    """The table, line by line: its header, three lines of figures an operation, those of all operations."""
    blocks = {operation.name: _cells(operation) for operation in (*report.operations, report.overall)}
    return FigureBlocks(_COLUMNS, _SIDES, blocks, report.overall.name).lines(width)


def _cells(operation: OperationDeviation) -> tuple[list[Text], list[Text], list[Text]]:
    """The lines real, mock and deviation; each a cell a column. The gap stands with the deviations."""
    levels = (operation.p50_ms, operation.p95_ms, operation.p99_ms)
    errors, throughput = operation.error_rate, operation.throughput

    def of_run(requests: float, latencies: tuple[float, ...], failing: float, per_s: float) -> list[Text]:
        shown = [count(requests), *map(milliseconds, latencies), percent(failing), rate(per_s), ""]
        return [Text(text) for text in shown]

    return (
        of_run(operation.count.a, tuple(level.a for level in levels), errors.a, throughput.a),
        of_run(operation.count.b, tuple(level.b for level in levels), errors.b, throughput.b),
        [
            Text("few" if operation.few else ""),
            *map(_deviation, levels),
            Text(points(errors.difference), style=_grade(errors.difference * 5)),
            _deviation(throughput),
            Text(percent(operation.gap), style=f"bold {_grade(operation.gap)}"),
        ],
    )


def _deviation(pair: Pair) -> Text:
    return Text(signed_percent(pair.deviation), style=_grade(pair.deviation))


def _grade(share: float) -> str:
    """The colour of a deviation: the further off, the warmer."""
    if math.isnan(share):
        return "dim"
    size = abs(share)
    return "green" if size < 0.05 else "yellow" if size < 0.15 else "red"


def _verdicts(report: DeviationReport) -> Table:
    """The verdict, what is outside, and what cannot be told yet."""
    grid = Table.grid(padding=(0, 2))
    grid.add_row(Text("verdict", style="dim"), Text(judgement(report), style=_STYLE[report.verdict]))
    for expected in report.expected:
        if expected.verdict is not Verdict.WITHIN:
            style = _STYLE[expected.verdict]
            grid.add_row(Text("expected", style=style), Text(expected_sentence(expected), overflow="fold"))
    for verdict in (Verdict.OUTSIDE, Verdict.INCONCLUSIVE):
        found = [one for one in judged(report) if one.metric.verdict is verdict]
        for one in found[:_MOST_SENTENCES]:
            grid.add_row(Text(verdict.value, style=_STYLE[verdict]), Text(sentence(one), overflow="fold"))
        if len(found) > _MOST_SENTENCES:
            grid.add_row(
                "", Text(f"and {count(len(found) - _MOST_SENTENCES)} more {verdict.value}", style="dim")
            )
    return grid


def _runs(report: DeviationReport) -> Table:
    grid = Table.grid(padding=(0, 2))
    for side, runs in (("real", report.runs_a), ("mock", report.runs_b)):
        for run in runs:
            grid.add_row(Text(side, style="dim"), Text(provenance(run), overflow="fold"))
    return grid


def _remarks(found: tuple[Remark, ...]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for remark in found:
        mark, style = ("NOTE", "bold yellow") if remark.grave else ("note", "dim")
        grid.add_row(Text(mark, style=style), Text(remark.text, overflow="fold"))
    return grid
