"""`mockforge history`: the gap over many comparisons, and where it changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mockforge.cli.console import out
from mockforge.cli.renderings import page_wanted, show_page, write_rendering
from mockforge.report.history import read_history
from mockforge.report.render_history import HistoryView, render_history_html

__all__ = ["history"]


def history(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where `compare --json` wrote reports.")],
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page with the gap of each operation over time."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
) -> None:
    """Show the performance deviation gap over many reports, and where it changed by more than chance.

    Reports are ordered by when their mocked run began. A change shows three reports after it.

    Example:

        mockforge history out/reports --html history.html
    """
    found = read_history(folder)
    out.print(HistoryView(found))
    page = page_wanted(html, show, "history.html")
    if page is not None:
        write_rendering(page, render_history_html(found))
        if show:
            show_page(page)
