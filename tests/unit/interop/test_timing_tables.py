"""Tables of timings in and out: what their columns mean, and that nothing of the times is lost."""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mockforge.interop.readers import read_source
from mockforge.interop.source import Source, SourceError
from mockforge.interop.timing_export import COLUMNS, write_csv, write_parquet
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.foreign.instants import iso_ns
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter
from mockforge.targets import parse_target
from tests.unit.interop.importing import MS, TARGET, S, exchanges, imported

needs_pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="needs pyarrow")
TEN = iso_ns("2026-11-24T10:00:00Z")


def read(tmp_path: Path, text: str, **said: Any) -> list[Exchange]:
    return exchanges(tmp_path / "a.csv", text, **{"target": TARGET, **said})


def test_a_plain_table_is_read(tmp_path: Path) -> None:
    text = """start,method,path,status,duration_ms,ttfb_ms,error
2026-11-24T10:00:00.5Z,GET,/a,200,12.5,10,
2026-11-24T10:00:00Z,post,b?c=d,503,600,,
2026-11-24T10:00:01Z,GET,/a,,3,,connection refused
"""
    second, first, third = (read(tmp_path, text)[place] for place in (1, 0, 2))
    assert (first.wall_ns, first.total_ns, first.ttfb_ns) == (TEN, 600 * MS, None)
    assert (first.request.method, first.request.target) == ("POST", "/b?c=d")
    assert (second.total_ns, second.ttfb_ns, second.in_flight) == (12_500_000, 10 * MS, 1)
    assert second.response == Response(200)
    assert (third.response, third.error) == (None, "connect: refused")


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        ("timestamp;latency_us;url", f"{TEN // S};1500;/a", {}),
        ("timeStamp,elapsed,label,URL", f"{TEN // MS},1.5,a,/a", {"duration_unit": "ms"}),
        ("Start Time (s)\tResponse Time (ms)\tendpoint", f"{TEN // S}\t1.5\t/a", {}),
        ("ts,took_seconds,uri", f"{TEN // 1000},0.0015,/a", {}),
        ("time,duration_µs,name", f"{TEN},1500,/a", {}),
        ("start_ms,duration,path", f"{TEN // MS},1500000", {"duration_unit": "ns"}),
        ("offset,total_ms,path", f"{TEN // S},1.5,/a", {"time_unit": "s"}),
    ],
)
def test_columns_and_units_have_many_names(tmp_path: Path, head: str, row: str, said: dict[str, str]) -> None:
    row = row if row.endswith("/a") else f"{row},/a"
    exchange = read(tmp_path, f"{head}\n{row}\n", form="csv", **said)[0]
    assert (exchange.wall_ns, exchange.total_ns, exchange.request.target) == (TEN, 1_500_000, "/a")


def test_latency_is_to_the_first_byte_where_the_whole_time_has_another_name(tmp_path: Path) -> None:
    text = f"timeStamp,elapsed,Latency,responseCode,URL\n{TEN // MS},9,4,200,http://shop.example.com/a\n"
    exchange = read(tmp_path, text, duration_unit="ms", target=None)[0]
    assert (exchange.total_ns, exchange.ttfb_ns) == (9 * MS, 4 * MS)
    assert exchange.request.target == "/a"


def test_a_duration_without_a_unit_is_refused_with_what_to_say(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'took' does not say its unit .*--duration-unit"):
        read(tmp_path, "start,took,path\n2026-11-24T10:00:00Z,1,/")


def test_a_table_without_a_needed_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no column for the duration: its columns are start, path"):
        read(tmp_path, "start,path\n2026-11-24T10:00:00Z,/", form="csv")


def test_bad_rows_are_counted_and_quoted_lines_are_one_row(tmp_path: Path) -> None:
    rows = (
        "start,duration_ms,path,error",
        '1795514400,1,/a,"one\nline: ""two"""',
        "soon,1,/b,",
        "1795514400,-1,/c,",
        "1795514400,1",
        "1795514401,1,/d,",
        "1795514402,1,/e,",
        "",
    )
    text = "\n".join(rows)
    got = imported(tmp_path / "a.csv", text, target=TARGET)
    assert got.tally.bad == 3
    assert got.tally.first_bad.startswith("row 2: 'soon' is no ISO 8601 time")
    with pytest.raises(SourceError, match="3 of 5"):
        imported(tmp_path / "b.csv", text.replace("1795514401,1,/d,\n", ""), target=TARGET)
    assert [exchange.error for exchange in got.exchanges] == ['wait: one line: "two"', None, None]


FIRST = Exchange(
    wall_ns=TEN + 1,
    arrived_ns=7 * S + 1,
    request=Request("GET", "/orders/7?x=1", Headers((("Host", "a"),)), omitted=3),
    response=Response(200, Headers((("A", "b"),)), omitted=12),
    total_ns=1_234_567,
    ttfb_ns=1_000_001,
    connect_ns=5,
    in_flight=3,
    connection_id=9,
    lateness_ns=-2,
    operation="GET /orders/{id}",
    tls_ns=6,
)
LATER = Exchange(
    TEN + S, 8 * S, Request("POST", '/a,"b"'), None, 99, error="connect: refused", operation="POST /a"
)


def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "a.mfrec"
    with RecordingWriter(path, RecordingMeta("serve", TARGET, TEN - 7 * S, notes={"seed": "7"})) as writer:
        writer.add(FIRST)
        writer.add(LATER)
    return path


def without_headers(exchange: Exchange) -> Exchange:
    response = exchange.response
    return replace(
        exchange,
        request=replace(exchange.request, headers=Headers()),
        response=response and replace(response, headers=Headers()),
    )


def test_csv_that_is_written_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with RecordingReader(recorded(tmp_path)) as reader:
        write_csv(reader, iter([FIRST, LATER]), path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == tuple(COLUMNS)
    assert rows[0]["start"] == "2026-11-24T10:00:00.000000001Z"
    assert rows[1]["response_size"] == rows[1]["status"] == ""
    name, got = read_source(Source(path, parse_target(TARGET)))
    assert name == "csv"
    assert list(got.exchanges) == [without_headers(FIRST), without_headers(LATER)]
    assert got.started_wall_ns == TEN - 7 * S


def test_an_operation_that_was_not_recorded_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with RecordingReader(recorded(tmp_path)) as reader:
        write_csv(reader, iter([replace(FIRST, operation=None)]), path)
    assert ",GET /orders/{id}," in path.read_text()


@needs_pyarrow
def test_parquet_that_is_written_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with RecordingReader(recorded(tmp_path)) as reader:
        write_parquet(reader, iter([LATER, FIRST]), path)
    name, got = read_source(Source(path))
    assert (name, got.target, got.kind, got.notes) == ("parquet", TARGET, "serve", {"seed": "7"})
    assert list(got.exchanges) == [without_headers(FIRST), without_headers(LATER)]


@needs_pyarrow
def test_parquet_of_others_has_moments_and_durations_of_its_own(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table(
        {
            "timestamp": pyarrow.array([TEN // 1000, None], pyarrow.timestamp("us", "UTC")),
            "duration": pyarrow.array([2, 2], pyarrow.duration("ms")),
            "url": ["http://shop.example.com/a", "http://shop.example.com/b"],
            "status": pyarrow.array([200, 200], pyarrow.int16()),
        }
    )
    parquet.write_table(table, tmp_path / "b.parquet")
    got = read_source(Source(tmp_path / "b.parquet"))[1]
    exchange = next(got.exchanges)
    assert (exchange.wall_ns, exchange.total_ns, exchange.request.target) == (TEN, 2 * MS, "/a")
    assert got.tally.first_bad.startswith("row 2: has no start")


@needs_pyarrow
def test_damaged_parquet_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(SourceError) as refused:
        read_source(Source(tmp_path / "a.parquet"))
    assert "\n" not in str(refused.value)


def test_without_pyarrow_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match=r"mockforge-server\[parquet\]"):
        read_source(Source(tmp_path / "a.parquet"))
