"""A fit for a terminal: recorded, model and error in three lines, then load, spells, and what was refused."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from mockforge.learning.capacity import CapacityFit
from mockforge.report.figure_blocks import FigureBlocks
from mockforge.report.figures import count, milliseconds, percent, signed_percent
from mockforge.report.fit import PROBABILITIES, FitReport, OperationFit
from mockforge.report.fit_prose import (
    candidate_error,
    fit_headline,
    fit_remarks,
    load_findings,
    load_meaning,
    percentile,
    spells_meaning,
    station_words,
)

__all__ = ["FitView", "render_fit_text"]

_SIDES = ("recorded", "model", "error")
_PROSE_WIDTH = 100
_MOST_REMARKS = 4


@dataclass(frozen=True, slots=True)
class FitView:
    """A fit that rich can print: `console.print(FitView(report))`."""

    report: FitReport

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report, prose = self.report, options.update(width=min(options.max_width, _PROSE_WIDTH))
        yield Text(fit_headline(report), style="bold", overflow="fold")
        yield from console.render(Text(load_meaning(report)), prose)
        yield from console.render(Text(spells_meaning(report), style="dim"), prose)
        if report.operations:
            yield from _figures(report, options.max_width)
        yield from console.render(_certainty(report), prose)


def render_fit_text(report: FitReport, width: int = 100) -> str:
    """The fit as plain text, `width` columns wide."""
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    with console.capture() as captured:
        console.print(FitView(report))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _figures(report: FitReport, width: int) -> Iterator[Text]:
    columns = ("answers", *(f"{percentile(each)} ms" for each in PROBABILITIES), "gap")
    blocks = {operation.label: _cells(operation) for operation in report.operations}
    return FigureBlocks(columns, _SIDES, blocks).lines(width)


def _cells(operation: OperationFit) -> tuple[list[Text], list[Text], list[Text]]:
    """The lines recorded, model and error; each a cell a column. The gap stands with the errors."""
    told = {each.probability: each for each in operation.quantiles()}
    found = [told.get(probability) for probability in PROBABILITIES]
    gap = operation.gap()
    return (
        [
            Text(count(operation.recorded_ms.size)),
            *(Text(milliseconds(each.recorded_ms) if each else "–") for each in found),
            Text(),
        ],
        [Text(), *(Text(milliseconds(each.model_ms) if each else "–") for each in found), Text()],
        [
            Text(),
            *(
                Text(signed_percent(each.error), style=_grade(each.error)) if each else Text()
                for each in found
            ),
            Text(percent(gap), style=f"bold {_grade(gap)}"),
        ],
    )


def _grade(share: float) -> str:
    """The colour of an error: the further off, the warmer."""
    if math.isnan(share):
        return "dim"
    size = abs(share)
    return "green" if size < 0.05 else "yellow" if size < 0.15 else "red"


def _certainty(report: FitReport) -> Table:
    grid = Table.grid(padding=(0, 2))
    if report.capacity is not None:
        for name, text in _checks(report.capacity):
            grid.add_row(Text(name, style="dim"), Text(text, overflow="fold"))
    # Why load is not identifiable stands above the figures already.
    remarks = [each for each in fit_remarks(report) if each.code != "not-identifiable"]
    for remark in remarks[:_MOST_REMARKS]:
        mark, style = ("NOTE", "bold yellow") if remark.grave else ("note", "dim")
        grid.add_row(Text(mark, style=style), Text(remark.text, overflow="fold"))
    if len(remarks) > _MOST_REMARKS:
        grid.add_row("", Text(f"and {count(len(remarks) - _MOST_REMARKS)} more", style="dim"))
    return grid


def _checks(capacity: CapacityFit) -> Iterator[tuple[str, str]]:
    """How well the station holds: in sample, and on what it was not learned from."""
    if capacity.self_check:
        errors = [
            f"{percentile(each.probability)} {signed_percent(each.error)}" for each in capacity.self_check
        ]
        yield "in sample", ", ".join(errors)
    if capacity.identifiable and capacity.held_out_error is not None:
        others = [each for each in capacity.candidates if type(each.station) is not type(capacity.station)]
        found = [f"{percent(math.expm1(capacity.held_out_error))} off"]
        found += [f"{station_words(each.station)}: {percent(candidate_error(each))}" for each in others[:1]]
        yield "held out", "; ".join(found)
    for text in load_findings(capacity):
        name, _, found_text = text.partition(": ")
        yield name, found_text
