"""The recording store keeps what it is given, while it is written and after."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Marker, Piece, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.store import (
    SCHEMA_VERSION,
    RecordingMeta,
    RecordingReader,
    RecordingWriter,
    Totals,
)

META = RecordingMeta("recording", "http://127.0.0.1:9000", 1_700_000_000_000_000_000, notes={"seed": "7"})
EVERY_BYTE = bytes(range(256))


def exchange(number: int = 0, body: bytes = b"{}", status: int = 200) -> Exchange:
    return Exchange(
        wall_ns=1_700_000_000_000_000_000 + number,
        arrived_ns=number,
        request=Request("GET", f"/orders/{number}", Headers((("Host", "backend"),))),
        response=Response(status, Headers((("Content-Type", "application/json"),)), body),
        total_ns=1_000_000,
        ttfb_ns=900_000,
    )


def write(path: Path, exchanges: Sequence[Exchange]) -> Path:
    with RecordingWriter(path, META) as writer:
        for each in exchanges:
            writer.add(each)
    assert writer.failure is None
    assert writer.count == len(exchanges)
    return path


def read(path: Path) -> list[Exchange]:
    with RecordingReader(path) as reader:
        return list(reader.exchanges())


def test_an_exchange_comes_back_as_it_was(tmp_path: Path) -> None:
    whole = Exchange(
        wall_ns=1_700_000_000_123_456_789,
        arrived_ns=5_000_000_000,
        request=Request(
            "POST",
            "/a//b/%2F?q=%20&q",
            Headers((("X-B", "1"), ("x-a", "caf\u00e9"), ("X-B", "2"), ("Empty", ""))),
            EVERY_BYTE,
            trailers=Headers((("X-Sum", "caf\u00e9"),)),
        ),
        response=Response(
            201,
            Headers((("Set-Cookie", "a=1"), ("set-cookie", "b=2"))),
            EVERY_BYTE * 8_000,
            Headers((("Server-Timing", "db;dur=1"), ("Server-Timing", "db;dur=2"))),
            reason="Made \u00e9",
        ),
        total_ns=12_345_678,
        ttfb_ns=2_345_678,
        connect_ns=345_678,
        in_flight=3,
        connection_id=9,
        lateness_ns=78,
        error="body: reset",
        operation="POST /a//b/{id}",
        tls_ns=45_678,
        pieces=(Piece(5, 10, "response"), Piece(5, 0, "response"), Piece(7, 2**40, "response")),
    )
    assert read(write(tmp_path / "run.mfrec", [whole])) == [whole]


def test_an_exchange_without_an_answer_comes_back_without_one(tmp_path: Path) -> None:
    left = Exchange(
        wall_ns=1, arrived_ns=0, request=Request("GET", "/"), response=None, total_ns=7, error="caller: left"
    )
    assert read(write(tmp_path / "run.mfrec", [left])) == [left]


def test_a_body_that_was_not_kept_keeps_its_size(tmp_path: Path) -> None:
    large = Exchange(1, 2, Request("PUT", "/", omitted=2**33), Response(200, omitted=9_000_000), 3)
    path = write(tmp_path / "run.mfrec", [large])
    assert read(path) == [large]
    with RecordingReader(path) as reader:
        (line,) = reader.lines()
    assert (line.request_size, line.response_size) == (2**33, 9_000_000)


def test_pieces_stay_with_their_exchange(tmp_path: Path) -> None:
    def streamed(number: int, pieces: int) -> Exchange:
        timeline = tuple(Piece(at, number, "frame-out") for at in range(pieces))
        return dataclasses.replace(exchange(number), pieces=timeline)

    exchanges = [streamed(0, 0), streamed(1, 100), streamed(2, 1), streamed(3, 0), streamed(4, 10_000)]
    path = write(tmp_path / "run.mfrec", exchanges)
    assert read(path) == exchanges
    with RecordingReader(path) as reader:
        assert reader.exchange(3) == exchanges[2]


def test_markers_come_back_in_order_of_time(tmp_path: Path) -> None:
    markers = [
        Marker("peak \u20ac", 60, 1_060),
        Marker("warm-up", 0, 1_000),
        Marker("peak \u20ac", 90, 1_090),
    ]
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META) as writer:
        for marker in markers:
            writer.mark(marker)
    with RecordingReader(path) as reader:
        assert reader.markers() == sorted(markers, key=lambda marker: marker.at_ns)


def test_an_exchange_is_found_by_its_id_and_a_missing_one_names_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "run.mfrec", [exchange(1), exchange(2)])
    with RecordingReader(path) as reader:
        assert reader.exchange(2) == exchange(2)
        with pytest.raises(RecordingError, match=r"no exchange 3 \(they go from 1 to 2\)"):
            reader.exchange(3)


def test_lines_have_the_figures_of_the_exchanges(tmp_path: Path) -> None:
    quick, slow = exchange(1), dataclasses.replace(exchange(2, b"12345"), total_ns=9_000_000, tls_ns=4)
    path = write(tmp_path / "run.mfrec", [quick, slow])
    with RecordingReader(path) as reader:
        assert [line.id for line in reader.lines()] == [1, 2]
        (line,) = reader.lines(slowest_first=True, limit=1)
    assert (line.id, line.method, line.target, line.status) == (2, "GET", "/orders/2", 200)
    assert (line.total_ns, line.tls_ns, line.request_size, line.response_size) == (9_000_000, 4, 0, 5)


def test_totals_count_exchanges_and_errors_and_span_the_run(tmp_path: Path) -> None:
    path = write(tmp_path / "run.mfrec", [exchange(5), exchange(9, status=500)])
    with RecordingReader(path) as reader:
        assert reader.totals() == Totals(2, 1, 5, 1_000_009)
    with RecordingReader(write(tmp_path / "empty.mfrec", [])) as reader:
        assert reader.totals() == Totals(0, 0, 0, 0)


def test_the_meta_comes_back_as_it_was(tmp_path: Path) -> None:
    with RecordingReader(write(tmp_path / "run.mfrec", [])) as reader:
        assert reader.meta == META
        assert reader.count == 0
        assert len(reader.columns()) == 0
        assert list(reader.exchanges()) == []


def test_a_note_of_the_runs_end_stands_beside_those_of_its_start(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META) as writer:
        writer.note("interrupted", "after 3 of 9 requests")
    with RecordingReader(path) as reader:
        assert reader.meta.notes == {"seed": "7", "interrupted": "after 3 of 9 requests"}


def test_exchanges_are_read_in_order_of_arrival(tmp_path: Path) -> None:
    path = write(tmp_path / "run.mfrec", [exchange(number) for number in (3, 1, 2)])
    assert [each.arrived_ns for each in read(path)] == [1, 2, 3]
    with RecordingReader(path) as reader:
        columns = reader.columns()
    assert columns.arrived_ns.tolist() == [1, 2, 3]
    assert columns.target == ["/orders/1", "/orders/2", "/orders/3"]


def test_columns_agree_with_the_exchanges(tmp_path: Path) -> None:
    unknown = Exchange(
        wall_ns=1,
        arrived_ns=2,
        request=Request("PUT", "/x"),
        response=None,
        total_ns=3,
        error="connect: refused",
    )
    late = Exchange(4, 5, Request("GET", "/y"), Response(503), 6, 5, None, 2, 1, 44, None, "GET /y")
    path = write(tmp_path / "run.mfrec", [exchange(1), unknown, late])
    exchanges = read(path)
    with RecordingReader(path) as reader:
        columns = reader.columns()
    assert columns.failed.tolist() == [each.failed for each in exchanges] == [False, True, True]
    assert columns.status.tolist() == [200, 0, 503]
    assert columns.ttfb_ns.tolist() == [900_000, -1, 5]
    assert columns.lateness_ns.tolist() == [-1, -1, 44]
    assert columns.total_ns.tolist() == [1_000_000, 3, 6]
    assert columns.in_flight.tolist() == [0, 0, 2]
    assert columns.method == ["GET", "PUT", "GET"]
    assert columns.operation == [None, None, "GET /y"]
    assert columns.total_ns.dtype == np.int64


def test_equal_bodies_are_kept_once(tmp_path: Path) -> None:
    path = write(tmp_path / "run.mfrec", [exchange(number, EVERY_BYTE) for number in range(20)])
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*), sum(size) FROM body").fetchone() == (1, 256)
    connection.close()
    assert {each.response.body for each in read(path) if each.response} == {EVERY_BYTE}


def test_equal_bodies_are_kept_once_even_when_their_ids_were_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockforge.recording.rows._KNOWN_BODIES", 2)
    bodies = [b"%d" % (number % 5) for number in range(25)]
    path = write(tmp_path / "run.mfrec", [exchange(number, body) for number, body in enumerate(bodies)])
    assert [each.response.body for each in read(path) if each.response] == bodies
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM body").fetchone() == (5,)
    connection.close()


def test_a_body_that_compresses_is_compressed_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).bytes(10_000)
    path = write(
        tmp_path / "run.mfrec", [exchange(1, b"text " * 2_000), exchange(2, noise), exchange(3, b"x")]
    )
    with sqlite3.connect(path) as connection:
        stored = connection.execute("SELECT encoding, size, length(content) < size FROM body ORDER BY id")
        assert stored.fetchall() == [("zstd", 10_000, 1), ("identity", 10_000, 0), ("identity", 1, 0)]
    connection.close()


def test_text_that_no_file_can_hold_is_spelled_out(tmp_path: Path) -> None:
    odd = Exchange(
        1, 2, Request("GET", "/\udce4", Headers((("X", "\udcff"),))), None, 3, error="wait: \udc80"
    )
    (found,) = read(write(tmp_path / "run.mfrec", [odd]))
    assert found.request.target == "/\\udce4"
    assert found.request.headers.get("X") == "\\udcff"
    assert found.error == "wait: \\udc80"


latin1 = st.text(st.characters(max_codepoint=255), max_size=30)
times = st.integers(0, 2**62)
headers = st.builds(Headers, st.lists(st.tuples(latin1, latin1), max_size=6).map(tuple))
bodies = st.one_of(
    st.binary(max_size=600), st.builds(bytes.__mul__, st.binary(max_size=5), st.integers(0, 900))
)
maybe_times = st.none() | times
sizes = st.integers(0, 2**40)
kept = st.tuples(bodies, headers, st.just(0)) | st.tuples(st.just(b""), headers, sizes)
any_request = st.builds(
    lambda method, target, fields, body: Request(method, target, fields, *body), latin1, latin1, headers, kept
)
any_response = st.builds(
    lambda head, body, reason: Response(head[0], head[1], body[0], body[1], body[2], reason),
    st.tuples(st.integers(100, 999), headers),
    kept,
    latin1,
)
any_exchange = st.builds(
    Exchange,
    wall_ns=times,
    arrived_ns=times,
    request=any_request,
    response=st.none() | any_response,
    total_ns=times,
    ttfb_ns=maybe_times,
    connect_ns=maybe_times,
    in_flight=st.integers(0, 10_000),
    connection_id=st.integers(0, 2**40),
    lateness_ns=maybe_times,
    error=st.none() | latin1,
    operation=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    tls_ns=maybe_times,
    pieces=st.lists(st.builds(Piece, times, sizes, st.sampled_from(["request", "response"])), max_size=4).map(
        tuple
    ),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(exchanges=st.lists(any_exchange, max_size=8))
def test_whatever_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, exchanges: list[Exchange]
) -> None:
    path = write(tmp_path_factory.mktemp("run") / "run.mfrec", exchanges)
    found = read(path)
    assert found == sorted(exchanges, key=lambda each: each.arrived_ns)
    with RecordingReader(path) as reader:
        columns = reader.columns()
    assert columns.failed.tolist() == [each.failed for each in found]
    assert columns.total_ns.tolist() == [each.total_ns for each in found]
    assert columns.target == [each.request.target for each in found]


def test_a_finished_recording_is_one_file(tmp_path: Path) -> None:
    write(tmp_path / "run.mfrec", [exchange(number) for number in range(100)])
    assert [file.name for file in tmp_path.iterdir()] == ["run.mfrec"]


def test_reading_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write(tmp_path / "run.mfrec", [exchange(1)])
    before = path.read_bytes()
    read(path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.mfrec"]
    assert path.read_bytes() == before


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a" / "b" / "run.mfrec", [exchange(1)])) == [exchange(1)]


def test_a_recording_is_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META) as writer, RecordingReader(path) as reader:
        assert reader.meta == META
        assert reader.count == 0
        writer.add(exchange(1))
        while reader.count < 1:
            pass
        writer.add(exchange(2))
        while reader.count < 2:
            pass
        assert list(reader.exchanges()) == [exchange(1), exchange(2)]


def test_a_reader_does_not_keep_the_writer_from_closing(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    writer = RecordingWriter(path, META)
    with RecordingReader(path) as reader:
        writer.add(exchange(1))
        writer.close()
        assert writer.failure is None
        assert reader.count == 1
    assert read(path) == [exchange(1)]


def test_many_threads_may_add(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META) as writer:

        def add_some() -> None:
            for number in range(250):
                writer.add(exchange(number))

        threads = [threading.Thread(target=add_some) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert writer.count == 1_000
    assert len(read(path)) == 1_000


def test_what_is_added_after_close_is_counted_as_dropped(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path / "run.mfrec", META)
    writer.close()
    writer.add(exchange(1))
    writer.close()
    assert (writer.count, writer.dropped) == (0, 1)


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    path.write_text("precious")
    with pytest.raises(
        RecordingError, match=r"run\.mfrec: the recording exists already \(choose another name"
    ):
        RecordingWriter(path, META)
    assert path.read_text() == "precious"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=r"file"):
        RecordingWriter(tmp_path / "file" / "run.mfrec", META)


def test_the_schema_version_stands_in_the_file_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "run.mfrec", [])
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        told = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
        assert told == (str(SCHEMA_VERSION),)
    connection.close()
