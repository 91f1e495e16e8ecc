"""The terminal: results on standard output, progress and remarks on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

__all__ = ["out", "say", "table", "warn"]

#: Results.
out = Console(highlight=False, soft_wrap=False)
#: Progress, remarks, warnings.
say = Console(stderr=True, highlight=False, soft_wrap=True)


def warn(text: str) -> None:
    """One line that the user should see and that stops nothing."""
    say.print(f"warning: {text}", style="yellow", markup=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table whose first column is text and whose others are figures, to the right."""
    made = Table(title=title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for index, column in enumerate(columns):
        made.add_column(column, justify="left" if index == 0 else "right", no_wrap=index != 0)
    for row in rows:
        made.add_row(*row)
    return made
