"""The documentation and the help name every form that is read, as the registry has it."""

from __future__ import annotations

from pathlib import Path

from mockforge.cli.compare import compare
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.registry import READERS

PAGE = Path(__file__).parents[4] / "docs" / "load-tools.md"


def row(reader: Reader) -> str:
    cells = (
        reader.name,
        reader.made_by,
        reader.level,
        reader.measures,
        reader.rounding,
        reader.defects or "–",
    )
    return f"| {' | '.join(cells)} |"


def test_the_page_has_the_row_of_every_reader() -> None:
    table = PAGE.read_text().partition("\n| form |")[2].partition("\n\n")[0]
    assert table.splitlines()[2:] == [row(reader) for reader in READERS], "\n".join(
        row(reader) for reader in READERS
    )


def test_the_help_names_every_tool() -> None:
    assert {reader.name.split()[0] for reader in READERS} <= set(
        (compare.__doc__ or "").replace(",", " ").replace(".", " ").split()
    )
