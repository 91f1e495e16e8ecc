"""A table for a terminal whose rows are blocks of lines, one above the other, so that the eye subtracts.

Names stand beside the figures where the terminal is wide enough, and above them where it is not; they are
never cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.text import Text

__all__ = ["FigureBlocks"]

_SPACE = "  "
#: With less room than this beside the figures, names go above them.
_FEWEST_NAME_COLUMNS = 28

Block = Sequence[Sequence[Text]]


@dataclass(frozen=True, slots=True)
class FigureBlocks:
    """`blocks` holds by name one line of cells for each of `sides`, a cell a column.

    A rule stands above the block named `total`, which is the last.
    """

    columns: Sequence[str]
    sides: Sequence[str]
    blocks: Mapping[str, Block]
    total: str = ""

    def lines(self, width: int) -> Iterator[Text]:
        """Header, rule, and the blocks; no line is wider than `width`, given that the figures are not."""
        widths = self._widths()
        side_width = max(map(len, self.sides))
        table_width = side_width + sum(len(_SPACE) + one for one in widths)
        name_width = min(max(map(len, self.blocks), default=0), width - table_width - len(_SPACE))
        beside = name_width >= min(_FEWEST_NAME_COLUMNS, max(map(len, self.blocks), default=0))
        indent = (name_width if beside else 0) + len(_SPACE)
        rule = Text("─" * min(width, indent + table_width), style="dim")
        yield _line("".ljust(indent), "".ljust(side_width), [Text(title) for title in self.columns], widths)
        yield rule
        for name, block in self.blocks.items():
            if name == self.total:
                yield rule
            if not beside:
                yield Text(name, style="bold", overflow="fold")
            labels = _folded(name, name_width) if beside else []
            for label, side, cells in zip_longest(labels, self.sides, block):
                yield _line((label or "").ljust(indent), (side or "").ljust(side_width), cells or (), widths)

    def _widths(self) -> list[int]:
        return [
            max(len(title), *(len(line[column]) for block in self.blocks.values() for line in block), 0)
            for column, title in enumerate(self.columns)
        ]


def _folded(name: str, width: int) -> list[str]:
    """The name in lines of at most `width`, broken before a slash where one is near."""
    lines = []
    while len(name) > width:
        slash = name.rfind("/", width // 2, width + 1)
        cut = slash if slash > 0 else width
        lines.append(name[:cut])
        name = name[cut:]
    return [*lines, name]


def _line(name: str, side: str, cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text(no_wrap=True, overflow="ignore")
    line.append(name, style="bold")
    line.append(side, style="dim")
    for cell, width in zip(cells, widths, strict=False):
        line.append(_SPACE + " " * (width - len(cell)))
        line.append_text(cell)
    return line
