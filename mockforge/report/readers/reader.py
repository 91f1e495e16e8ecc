"""What a reader is: how its files are recognised and read, and what a user must know of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mockforge.report.readers.toolrun import ToolRun, ToolSummary

__all__ = ["Reader"]


@dataclass(frozen=True, slots=True)
class Reader:
    """One form of file. `recognises` is asked with the first bytes of a file, unzipped, 64 KiB at most.

    The rest stands in the documentation's table: how such a file is made, what its latencies measure, what
    they are rounded to, and what is wrong with them.
    """

    name: str
    made_by: str
    recognises: Callable[[bytes], bool]
    read: Callable[[Path], ToolRun | ToolSummary]
    measures: str
    rounding: str
    defects: str = ""
    summary: bool = False

    @property
    def level(self) -> str:
        """What is in it: every request, or figures of all of them."""
        return "figures" if self.summary else "requests"
