"""Tables of timings out: CSV and Parquet, a row an exchange, without bodies and headers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from mockforge.interop.parquet_library import pyarrow
from mockforge.interop.run_header import header_of
from mockforge.interop.timing_tables import META_KEY
from mockforge.learning.operations import Operations
from mockforge.model.exchange import Exchange
from mockforge.recording.foreign.instants import iso_of
from mockforge.recording.store import RecordingReader

__all__ = ["COLUMNS", "write_csv", "write_parquet"]

#: The columns by name, with the type that Parquet has them in.
COLUMNS = {
    "start": "timestamp",
    "method": "string",
    "target": "string",
    "operation": "string",
    "status": "int32",
    "error": "string",
    "wall_ns": "int64",
    "arrived_ns": "int64",
    "connect_ns": "int64",
    "tls_ns": "int64",
    "ttfb_ns": "int64",
    "total_ns": "int64",
    "lateness_ns": "int64",
    "in_flight": "int32",
    "connection_id": "int64",
    "request_size": "int64",
    "response_size": "int64",
}
_ROWS_AT_ONCE = 20_000

Row = tuple[str | int | None, ...]


def write_csv(reader: RecordingReader, exchanges: Iterator[Exchange], path: Path) -> None:
    """Write `exchanges`, those of `reader`, as CSV: UTF-8, a header line, empty where there is no value."""
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for row in _rows(reader, exchanges):
            rows.writerow((iso_of(int(row[0] or 0)), *row[1:]))


def write_parquet(reader: RecordingReader, exchanges: Iterator[Exchange], path: Path) -> None:
    """Write `exchanges`, those of `reader`, as Parquet. Raises SourceError where pyarrow is missing."""
    arrow = pyarrow()
    schema = _schema(arrow, reader)
    rows = _rows(reader, exchanges)
    with arrow.parquet.ParquetWriter(path, schema) as writer:
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            columns = [
                arrow.array(values, type=field.type)
                for values, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))


def _schema(arrow: Any, reader: RecordingReader) -> Any:
    kinds = {
        "timestamp": arrow.timestamp("ns", "UTC"),
        "string": arrow.string(),
        "int32": arrow.int32(),
        "int64": arrow.int64(),
    }
    fields = [(name, kinds[kind]) for name, kind in COLUMNS.items()]
    return arrow.schema(fields, metadata={META_KEY: json.dumps(header_of(reader))})


def _rows(reader: RecordingReader, exchanges: Iterator[Exchange]) -> Iterator[Row]:
    """In the order of COLUMNS; the start is nanoseconds since 1970."""
    columns = reader.columns()
    operations = Operations.find(set(zip(columns.method, columns.target, strict=True)))
    del columns
    for exchange in exchanges:
        request, response = exchange.request, exchange.response
        yield (
            exchange.wall_ns,
            request.method,
            request.target,
            exchange.operation or operations.name_of(request.method, request.target),
            response.status if response is not None else None,
            exchange.error,
            exchange.wall_ns,
            exchange.arrived_ns,
            exchange.connect_ns,
            exchange.tls_ns,
            exchange.ttfb_ns,
            exchange.total_ns,
            exchange.lateness_ns,
            exchange.in_flight,
            exchange.connection_id,
            request.size,
            response.size if response is not None else None,
        )
