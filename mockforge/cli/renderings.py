"""Renderings of a report on disk, and the one that is shown in a browser."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path

from mockforge.cli.console import say
from mockforge.errors import UsageError

__all__ = ["page_wanted", "show_page", "write_rendering"]


def page_wanted(html: Path | None, show: bool, name: str) -> Path | None:
    """Where the page goes: as asked, or where only the browser looks; None where nobody asked."""
    if html is None and show:
        return Path(tempfile.mkdtemp(prefix="mockforge-")) / name
    return html


def write_rendering(path: Path, text: str) -> None:
    """Write a rendering, making its folder, and say so. Raises UsageError where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the report cannot be written: {error.strerror or error}",
            where=str(path),
            hint="name a file in a folder that can be written",
        ) from error
    say.print(f"wrote {path}", markup=False)


def show_page(page: Path) -> None:
    """Open a page in the browser."""
    webbrowser.open(page.resolve().as_uri())
