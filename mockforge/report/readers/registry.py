"""Which reader reads a file: found by what the file begins with, never by its name."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from mockforge.errors import ComparisonError
from mockforge.report.readers import gatling, jmeter, k6, tables, vegeta
from mockforge.report.readers.toolrun import ToolRun

__all__ = ["READERS", "Reader", "read_tool_run"]

_HEAD_BYTES = 4_096


class Reader(NamedTuple):
    """`recognises` is asked with the first bytes of a file (unzipped)."""

    name: str
    recognises: Callable[[bytes], bool]
    read: Callable[[Path], ToolRun]


READERS: Sequence[Reader] = (
    Reader("k6 JSON stream", k6.is_json, k6.read_json),
    Reader("k6 CSV", k6.is_csv, k6.read_csv),
    Reader("JMeter JTL (CSV)", jmeter.is_csv, jmeter.read_csv),
    Reader("JMeter JTL (XML)", jmeter.is_xml, jmeter.read_xml),
    Reader("Gatling simulation.log (text)", gatling.is_text, gatling.read_text),
    Reader("Gatling simulation.log (binary)", gatling.is_binary, gatling.read_binary),
    Reader("vegeta JSON", vegeta.is_json, vegeta.read_json),
    Reader("vegeta CSV", vegeta.is_csv, vegeta.read_csv),
    Reader("hey CSV", tables.is_hey, tables.read_hey),
    Reader("oha CSV", tables.is_oha, tables.read_oha),
    Reader("ab table", tables.is_ab, tables.read_ab),
)


def read_tool_run(path: Path) -> ToolRun:
    """The run in a load tool's file. Raises ComparisonError where it is none that is known, or damaged."""
    head = _head(path)
    for reader in READERS:
        if reader.recognises(head):
            run = reader.read(path)
            if not len(run):
                raise ComparisonError(f"no requests in this {reader.name} file", where=str(path))
            return run
    known = ", ".join(reader.name for reader in READERS)
    raise ComparisonError(
        "neither a recording nor a load tool's output that can be read",
        where=str(path),
        hint=f"known: recordings (.mfrec), {known}; vegeta's binary results: vegeta encode < results.bin",
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            if head.startswith(b"\x1f\x8b"):
                file.seek(0)
                head = gzip.GzipFile(fileobj=file).read(_HEAD_BYTES)
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ComparisonError(f"cannot be read: {why}", where=str(path)) from error
    return head
