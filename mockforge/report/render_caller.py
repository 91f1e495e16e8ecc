"""The caller's level for a terminal: what its users see, and what of it the dependency explains."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from mockforge.report.deviation import CallerLevel
from mockforge.report.figures import milliseconds
from mockforge.report.prose import caller_headline, dependency_text, shift_text

__all__ = ["caller_lines"]


def caller_lines(level: CallerLevel) -> Iterator[Text | Table]:
    """One sentence, and a line for each of the caller's operations."""
    headline = caller_headline(level)
    yield Text(headline[0].upper() + headline[1:], style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("at the caller", overflow="fold")
    for title in ("real ms", "mock ms", "off by", "the dependency's part", "left over"):
        table.add_column(title, justify="right", overflow="fold")
    for one in (*level.operations, level.overall):
        real, mock = map(milliseconds, one.mean_ms)
        table.add_row(one.name, real, mock, shift_text(one.shift), dependency_text(one), shift_text(one.left))
    yield table
