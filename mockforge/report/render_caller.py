"""The caller's level for a terminal: what its users see, and what of it the dependency explains."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from mockforge.report.deviation import CallerLevel
from mockforge.report.figures import milliseconds, percent, signed_milliseconds
from mockforge.report.prose import caller_headline, shift_text

__all__ = ["caller_lines"]


def caller_lines(level: CallerLevel) -> Iterator[Text | Table]:
    """One sentence, and a line for each of the caller's operations."""
    headline = caller_headline(level)
    yield Text(headline[0].upper() + headline[1:], style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("at the caller", min_width=14, overflow="fold")
    for title in ("real ms", "mock ms", "off by", "explained", "part"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("left over", justify="right")
    for one in (*level.operations, level.overall):
        means = map(milliseconds, one.mean_ms)
        shifts = map(signed_milliseconds, (one.shift.ms, one.dependency.ms))
        table.add_row(one.name, *means, *shifts, percent(one.share), shift_text(one.left))
    yield table
