"""What every reader gives: the samples of a load tool's run, in columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from mockforge.errors import ComparisonError

__all__ = ["ToolRun", "bad_row", "name_of"]


@dataclass(slots=True)
class ToolRun:
    """Samples of `tool`, grown row by row. Times in nanoseconds; starts on any one clock.

    `names` are the tool's own labels, or `METHOD /path` where it has none (`from_urls`): those become
    operations by their templates. `resolution_ns` is the step that the tool rounds to; `remarks` are what a
    reader should know of it; `torn` says where the file ends in the middle.
    """

    tool: str
    resolution_ns: int
    from_urls: bool = True
    start_ns: list[int] = field(default_factory=list)
    total_ns: list[int] = field(default_factory=list)
    ttfb_ns: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    torn: str | None = None

    def add(
        self, name: str, start_ns: float, total_ns: float, status: int, *, failed: bool, ttfb_ns: float = -1
    ) -> None:
        """Take in one sample; `status` is 0 where no answer came."""
        self.names.append(name)
        self.start_ns.append(round(start_ns))
        self.total_ns.append(max(0, round(total_ns)))
        self.ttfb_ns.append(round(ttfb_ns))
        self.status.append(status)
        self.failed.append(failed)

    def __len__(self) -> int:
        return len(self.names)


def name_of(method: str, url: str) -> str:
    """`METHOD /path?query` of a URL, whatever its host."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{method or 'GET'} {parts.path or '/'}{query}"


def bad_row(path: Path, line: int, row: Iterable[object], why: str) -> ComparisonError:
    """The error of a row that cannot be read."""
    shown = ",".join(str(part) for part in row)[:80]
    return ComparisonError(f"line {line} cannot be read: {why}: {shown!r}", where=str(path))
