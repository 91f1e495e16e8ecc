"""Tables of timings in: CSV with a header line, and Parquet. A row is an exchange, without bodies."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mockforge.interop.addresses import is_absolute, split
from mockforge.interop.parquet_library import pyarrow
from mockforge.interop.placing import Found, SpanEntries, place
from mockforge.interop.run_header import header_from
from mockforge.interop.source import Imported, Source, SourceError, mapped
from mockforge.interop.timing_columns import Layout, layout_of
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.recording.foreign.failures import failure_of
from mockforge.recording.foreign.instants import epoch_ns, iso_ns, scaled_ns
from mockforge.recording.foreign.json_spans import parsed
from mockforge.recording.foreign.unusable import Unusable

__all__ = ["META_KEY", "delimited_names", "read_csv", "read_parquet"]

#: Under this key the metadata of a Parquet file say what recording it was made of.
META_KEY = b"mockforge"

Cell = str | int | float | None
Row = Sequence[Cell]

_RECORD = re.compile(rb'(?:[^"\r\n]++|"[^"]*+")++')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_ROWS_AT_ONCE = 10_000
_BOM = b"\xef\xbb\xbf"


def read_csv(source: Source) -> Imported:
    """The exchanges of a CSV table; its first line names the columns."""
    data = mapped(source.path)
    spans = (found.span() for found in _RECORD.finditer(data, 3 if data[:3] == _BOM else 0))
    head = next(spans, None)
    if head is None:
        raise SourceError("the file is empty", where=str(source.path))
    names, delimiter = delimited_names(data[slice(*head)])
    layout = layout_of(names, source)
    return place(
        source,
        SpanEntries(data, spans, source.told),
        lambda raw: _found(_cells(raw, delimiter), layout),
        unit="row",
        expected=f"the columns {', '.join(names)}",
    )


def delimited_names(line: bytes) -> tuple[list[str], str]:
    """The column names in a header line, and what stands between them."""
    text = line.decode("utf-8", "replace")
    delimiter = max(",;\t|", key=text.count)
    return [str(cell) for cell in _cells(line, delimiter)], delimiter


def _cells(raw: bytes, delimiter: str) -> Row:
    text = raw.decode("utf-8", "replace")
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error as error:
        raise Unusable(f"is no CSV: {error}") from error


def read_parquet(source: Source) -> Imported:
    """The exchanges of a Parquet table. Raises SourceError where pyarrow is missing or cannot read it."""
    arrow = pyarrow()
    if not source.path.is_file():
        raise SourceError("there is no such file", where=str(source.path))
    try:
        table = arrow.parquet.read_table(source.path)
    except (arrow.ArrowException, OSError) as error:
        raise SourceError(f"it cannot be read: {error}", where=str(source.path)) from error
    known_ns = {index: 1 for index, field in enumerate(table.schema) if _has_unit(arrow, field.type)}
    layout = layout_of(table.column_names, source, known_ns)
    for index in known_ns:
        table = table.set_column(index, table.column_names[index], _as_ns(arrow, table.column(index)))
    metadata = table.schema.metadata or {}
    rows = _TableRows(table, source.told)
    return place(
        source,
        rows,
        lambda row: _found(row, layout),
        unit="row",
        header=header_from(parsed(metadata[META_KEY])) if META_KEY in metadata else None,
    )


def _has_unit(arrow: Any, kind: Any) -> bool:
    return bool(arrow.types.is_timestamp(kind) or arrow.types.is_duration(kind))


def _as_ns(arrow: Any, column: Any) -> Any:
    """A column of moments or durations as integers of nanoseconds."""
    kind = (
        arrow.timestamp("ns", column.type.tz)
        if arrow.types.is_timestamp(column.type)
        else arrow.duration("ns")
    )
    return column.cast(kind).cast(arrow.int64())


class _TableRows:
    """The rows of a pyarrow table."""

    def __init__(self, table: Any, told: Callable[[float], None]) -> None:
        self._table = table
        self._told = told

    def __iter__(self) -> Iterator[Row]:
        for first in range(0, self._table.num_rows, _ROWS_AT_ONCE):
            self._told(first / self._table.num_rows)
            yield from _rows(self._table.slice(first, _ROWS_AT_ONCE))

    def at(self, indices: NDArray[np.int64]) -> Iterator[Row]:
        """See Entries."""
        for first in range(0, indices.size, _ROWS_AT_ONCE):
            yield from _rows(self._table.take(indices[first : first + _ROWS_AT_ONCE]))


def _rows(table: Any) -> Iterator[Row]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _found(row: Row, layout: Layout) -> Found:
    """The exchange of a row. Raises Unusable."""

    def cell(part: str) -> Cell:
        place = layout.columns.get(part)
        if place is None:
            return None
        if place >= len(row):
            raise Unusable(f"has {len(row)} columns where its {part} is in column {place + 1}")
        value = row[place]
        return value.strip() or None if isinstance(value, str) else value

    def ns(part: str) -> int | None:
        value = cell(part)
        return None if value is None else scaled_ns(value, layout.unit_ns[part])

    total_ns, arrived_ns = ns("duration"), ns("arrived")
    if total_ns is None or total_ns < 0:
        raise Unusable(
            "has no duration" if total_ns is None else f"has the negative duration {cell('duration')}"
        )
    target, origin = _target(str(cell("url") or "/"))
    response, error = _answer(cell, has_status="status" in layout.columns)
    exchange = Exchange(
        wall_ns=_start(cell("start"), layout.unit_ns.get("start")),
        arrived_ns=arrived_ns or 0,
        request=Request(str(cell("method") or "GET").upper(), target, omitted=_whole(cell("request_size"))),
        response=response,
        total_ns=total_ns,
        ttfb_ns=ns("ttfb"),
        connect_ns=ns("connect"),
        in_flight=_whole(cell("in_flight")),
        connection_id=_whole(cell("connection")),
        lateness_ns=ns("lateness"),
        error=error,
        operation=None if cell("operation") is None else str(cell("operation")),
        tls_ns=ns("tls"),
    )
    return Found(exchange, origin, placed=arrived_ns is not None and "in_flight" in layout.columns)


def _start(value: Cell, unit_ns: int | None) -> int:
    if value is None:
        raise Unusable("has no start")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return iso_ns(value)
    return epoch_ns(value, unit_ns)


def _target(url: str) -> tuple[str, str | None]:
    if not is_absolute(url):
        return (url if url.startswith("/") or url == "*" else f"/{url}"), None
    target, asked = split(url)
    return asked, target.origin


def _answer(cell: Callable[[str], Cell], *, has_status: bool) -> tuple[Response | None, str | None]:
    """The answer and the error of a row; a table without a status tells of answers that were in order."""
    said = cell("error")
    status = _status(cell("status")) if has_status else 200 * (said is None)
    error = None if said is None else failure_of(str(said), answered=status > 0)
    if not status:
        return None, error or failure_of("", answered=False)
    return Response(status, omitted=_whole(cell("response_size"))), error


def _status(value: Cell) -> int:
    """The status code; 0 where there was no answer, which tools put in many ways."""
    try:
        return int(value) if value is not None else 0
    except ValueError:
        return 0


def _whole(value: Cell) -> int:
    try:
        return max(int(value), 0) if value is not None else 0
    except ValueError:
        return 0
