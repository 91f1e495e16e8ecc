"""Recordings of older schemas stay readable, and can be brought to the one of today."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.recording.mend import upgrade, vacuum
from mockforge.recording.store import SCHEMA_VERSION, RecordingMeta, RecordingReader, RecordingWriter

EXAMPLE = Path(__file__).parents[3] / "recordings" / "orders-example.mfrec"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A recording of version 1."""
    return Path(shutil.copy(EXAMPLE, tmp_path / "first.mfrec"))


def tables(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    columns = connection.execute("SELECT * FROM exchange LIMIT 0").description
    connection.close()
    return [*rows, *((column[0], "") for column in columns)]


def test_the_example_is_of_version_1_and_is_read() -> None:
    before = EXAMPLE.read_bytes()
    with RecordingReader(EXAMPLE) as reader:
        assert reader.version == 1
        exchanges = list(reader.exchanges())
        lines = list(reader.lines())
        assert len(exchanges) == reader.count == len(reader.columns()) == 616
        assert reader.markers() == []
    assert all(exchange.tls_ns is None and not exchange.pieces for exchange in exchanges)
    assert [line.request_size for line in lines] == [exchange.request.size for exchange in exchanges]
    assert [line.response_size for line in lines] == [
        exchange.response.size if exchange.response else None for exchange in exchanges
    ]
    assert EXAMPLE.read_bytes() == before


def test_an_upgraded_recording_holds_the_same_and_is_like_a_new_one(first: Path, tmp_path: Path) -> None:
    with RecordingReader(first) as reader:
        before, lines, meta = list(reader.exchanges()), list(reader.lines()), reader.meta
    assert upgrade(first) == 1
    with RecordingReader(first) as reader:
        assert reader.version == SCHEMA_VERSION
        assert list(reader.exchanges()) == before
        assert list(reader.lines()) == lines
        assert reader.meta == meta
    with RecordingWriter(tmp_path / "new.mfrec", meta):
        pass
    assert tables(first) == tables(tmp_path / "new.mfrec")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["first.mfrec", "new.mfrec"]


def test_a_recording_of_today_is_not_touched_by_an_upgrade(first: Path) -> None:
    upgrade(first)
    before = first.stat()
    assert upgrade(first) == SCHEMA_VERSION
    assert first.stat() == before


def test_an_upgrade_that_fails_leaves_the_file(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE chunk (half)")
        raise sqlite3.OperationalError("database or disk is full")

    before = first.read_bytes()
    monkeypatch.setattr("mockforge.recording.mend.upgrade_tables", full)
    with pytest.raises(RecordingError, match="stays as it is: database or disk is full"):
        upgrade(first)
    assert first.read_bytes() == before
    assert [file.name for file in first.parent.iterdir()] == ["first.mfrec"]


def test_whoever_reads_a_recording_while_it_is_upgraded_reads_it_to_its_end(first: Path) -> None:
    with RecordingReader(first) as reader:
        exchanges = reader.exchanges()
        next(exchanges)
        upgrade(first)
        assert sum(1 for _ in exchanges) == 615


def test_a_vacuum_removes_what_nothing_refers_to(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, RecordingMeta("recording", "http://h", 1)) as writer:
        for number in range(200):
            body = number.to_bytes(2) * 2_000
            writer.add(Exchange(1, number, Request("PUT", "/", body=body), Response(200, body=body[::-1]), 1))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DELETE FROM exchange WHERE arrived_ns >= 50")
    connection.close()
    with RecordingReader(path) as reader:
        before = list(reader.exchanges())
    done = vacuum(path)
    assert done.before > done.after == path.stat().st_size
    assert done.bodies > 100
    with RecordingReader(path) as reader:
        assert list(reader.exchanges()) == before
    assert vacuum(path).bodies == 0
    assert [file.name for file in tmp_path.iterdir()] == ["run.mfrec"]


def test_a_recording_that_is_being_written_is_not_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, RecordingMeta("recording", "http://h", 1)) as writer:
        writer.add(Exchange(1, 1, Request("GET", "/"), None, 1))
        writer.flush()
        with pytest.raises(RecordingError, match="still being written"):
            vacuum(path)
        writer.add(Exchange(1, 2, Request("GET", "/"), None, 1))
    assert writer.failure is None
    assert writer.count == 2
