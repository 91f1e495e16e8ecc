"""A file that cannot be read as a recording is told in one line: what, where, and what would work."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, RecordingMeta("recording", "http://h", 1)) as writer:
        for number in range(500):
            body = b"%d" % number * 200
            writer.add(Exchange(1, number, Request("GET", f"/{number}"), Response(200, body=body), 1))
    return path


def refusal(path: Path) -> str:
    """The one line that reading the whole of `path` is refused with."""
    with pytest.raises(RecordingError) as raised, RecordingReader(path) as reader:
        for _ in reader.exchanges():
            pass
    line = str(raised.value)
    assert "\n" not in line
    assert str(path) in line
    return line


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


def test_a_missing_file_names_those_that_are_there(recording: Path) -> None:
    line = refusal(recording.with_name("rum.mfrec"))
    assert "there is no such recording" in line
    assert "run.mfrec" in line


def test_a_missing_file_in_an_empty_folder_names_the_command(tmp_path: Path) -> None:
    assert "mockforge record --target" in refusal(tmp_path / "run.mfrec")


def test_a_folder_is_not_a_recording(recording: Path) -> None:
    assert "this is a folder" in refusal(recording.parent)


def test_an_empty_file_is_named_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    path.touch()
    assert "the recording is empty" in refusal(path)


@pytest.mark.parametrize("content", [b"GET /orders\n", b"x", b"\x00" * 5_000, b"PK\x03\x04" * 99])
def test_another_kind_of_file_is_not_a_recording(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.mfrec"
    path.write_bytes(content)
    assert "this is not a recording" in refusal(path)


def test_another_database_is_not_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    change(path, "CREATE TABLE exchange (id)")
    assert "a SQLite database, but not a recording" in refusal(path)


def test_another_schema_version_is_named_with_the_one_that_is_read(recording: Path) -> None:
    change(recording, "PRAGMA user_version = 9")
    line = refusal(recording)
    assert "schema version 9, and this program reads up to 2" in line


@pytest.mark.parametrize("kept", [5, 16, 50, 100, 1_000, 4_096, 4_097, 20_000])
def test_a_truncated_recording_is_torn(recording: Path, kept: int) -> None:
    with recording.open("r+b") as file:
        file.truncate(kept)
    assert "torn" in refusal(recording)


def test_a_recording_that_lost_its_last_byte_is_torn(recording: Path) -> None:
    with recording.open("r+b") as file:
        file.truncate(recording.stat().st_size - 1)
    assert "torn" in refusal(recording)


def test_damage_further_in_is_told_once_what_is_before_it_was_read(recording: Path) -> None:
    change(recording, "UPDATE body SET content = x'00', encoding = 'zstd' WHERE id = 400")
    with RecordingReader(recording) as reader:
        exchanges = reader.exchanges()
        before = [next(exchanges).arrived_ns for _ in range(399)]
        with pytest.raises(RecordingError, match="torn or damaged"):
            next(exchanges)
    assert before == list(range(399))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE body SET encoding = 'brotli'",
        "UPDATE body SET size = size + 1",
        "DELETE FROM body WHERE id = 7",
        "UPDATE exchange SET request_headers = 'no json'",
        "DROP TABLE exchange",
        "DELETE FROM meta WHERE key = 'kind'",
        "UPDATE meta SET value = 'soon' WHERE key = 'started_wall_ns'",
    ],
)
def test_a_damaged_row_is_told(recording: Path, damage: str) -> None:
    change(recording, damage)
    assert "torn or damaged" in refusal(recording)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(recording: Path) -> None:
    recording.chmod(0)
    assert "Permission denied" in refusal(recording)


def test_a_finished_recording_is_read_from_a_folder_that_cannot_be_written(recording: Path) -> None:
    recording.parent.chmod(0o555)
    try:
        with RecordingReader(recording) as reader:
            assert reader.count == 500
    finally:
        recording.parent.chmod(0o755)


def test_a_recording_that_lost_its_journal_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, RecordingMeta("recording", "http://h", 1)) as writer:
        writer.add(Exchange(1, 1, Request("GET", "/"), None, 1))
        copy = tmp_path / "copy.mfrec"
        shutil.copyfile(path, copy)
    with RecordingReader(copy) as reader:
        assert reader.count == 0
        assert reader.meta.target == "http://h"
