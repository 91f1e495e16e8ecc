"""Which reader reads a file: found by what the file begins with, never by its name."""

from __future__ import annotations

from pathlib import Path

from mockforge.errors import ComparisonError
from mockforge.report.readers import (
    ab,
    artillery,
    autocannon,
    gatling,
    har,
    hdr,
    hey,
    jmeter,
    k6,
    k6_summary,
    locust,
    oha,
    vegeta,
    wrk,
)
from mockforge.report.readers.opened import head_of
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ToolRun, ToolSummary

__all__ = ["READERS", "is_tool_database", "read_tool_run", "reader_of"]

#: In the order in which a file is looked at; one module of readers a tool.
READERS: tuple[Reader, ...] = (
    *k6.READERS,
    *k6_summary.READERS,
    *jmeter.READERS,
    *gatling.READERS,
    *locust.READERS,
    *artillery.READERS,
    *vegeta.READERS,
    *wrk.READERS,
    *hdr.READERS,
    *oha.READERS,
    *hey.READERS,
    *autocannon.READERS,
    *ab.READERS,
    *har.READERS,
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_tool_run(path: Path) -> ToolRun | ToolSummary:
    """What a load tool's file holds. Raises ComparisonError where it is none that is known, or damaged."""
    reader = reader_of(path)
    try:
        run = reader.read(path)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ComparisonError(
            f"it begins as {reader.name}, and cannot be read as that: {error!r}", where=str(path)
        ) from error
    if not len(run):
        torn = f": {run.torn}" if isinstance(run, ToolRun) and run.torn else ""
        raise ComparisonError(f"no requests in this {reader.name} file{torn}", where=str(path))
    return run


def reader_of(path: Path) -> Reader:
    """The reader of a file. Raises ComparisonError where there is none."""
    head = head_of(path)
    if not head:
        raise ComparisonError(
            "the file is empty", where=str(path), hint="did the load tool end before it wrote?"
        )
    if head.startswith(_UTF_16):
        raise ComparisonError(
            "the file is in UTF-16, as PowerShell's > writes it",
            where=str(path),
            hint="let the tool write the file itself, or convert it to UTF-8",
        )
    found = next((reader for reader in READERS if reader.recognises(head)), None)
    if found is None:
        known = ", ".join(reader.name for reader in READERS)
        raise ComparisonError(
            f"neither a recording nor a load tool's output that can be read; it begins {head[:40]!r}",
            where=str(path),
            hint=f"what works: recordings (.mfrec), {known}",
        )
    return found


def is_tool_database(path: Path) -> bool:
    """Whether an SQLite file is a load tool's."""
    head = head_of(path)
    return any(reader.recognises(head) for reader in READERS)
