"""`mockforge recordings`: looking into recordings, and making new ones of them, from the command line."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mockforge.cli import main
from mockforge.model.exchange import Exchange, Marker, Piece, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.derive import write_recording
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter

ROOT = Path(__file__).parents[2]
START_NS = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
MS = 10**6
S = 10**9
META = RecordingMeta("recording", "http://backend.example.com", START_NS, notes={"seed": "7"})
MARKERS = [Marker("warm-up", 0, START_NS), Marker("peak [1]", 2 * S, START_NS + 2 * S)]
CARD = "4111111111111111"

Mockforge = Callable[..., str]


def exchange(number: int) -> Exchange:
    """Ten a second; every tenth is an error, number 25 is slow, gzipped, streamed, and has a secret."""
    arrived_ns = number * 100 * MS
    body = json.dumps({"id": number, "state": "shipped"}).encode()
    status = 503 if number % 10 == 0 else 200
    made = Exchange(
        START_NS + arrived_ns,
        arrived_ns,
        Request("GET", f"/orders/{number}?page=1", Headers((("Host", "backend"),))),
        Response(status, Headers((("Content-Type", "application/json"),)), body, reason="Fine"),
        (5 + number % 7) * MS,
        4 * MS,
        in_flight=number % 3,
        connection_id=1,
    )
    if number != 25:
        return made
    return dataclasses.replace(
        made,
        request=Request("POST", "/orders", Headers((("Authorization", f"Bearer {CARD}"),)), CARD.encode()),
        response=Response(201, Headers((("Content-Encoding", "gzip"),)), gzip.compress(body, mtime=0)),
        total_ns=900 * MS,
        tls_ns=3 * MS,
        pieces=(Piece(5 * MS, 12, "response"), Piece(890 * MS, 40, "response")),
    )


EXCHANGES = [exchange(number) for number in range(40)]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "run.mfrec"
    write_recording(path, META, EXCHANGES, markers=MARKERS)
    return path


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables that do not wrap; a key of pseudonyms that is the same in every run."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("MOCKFORGE_REDACTION_KEY", "17" * 32)


@pytest.fixture
def mockforge(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Mockforge:
    """Run a command in this process, and give what it printed; these need no sockets."""

    def run_here(*arguments: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["mockforge", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.run()
        shown = "".join(capsys.readouterr())
        assert (ended.value.code or 0) == code, shown
        return shown

    return run_here


def numbers(path: Path) -> list[int]:
    with RecordingReader(path) as reader:
        return [each.arrived_ns // (100 * MS) for each in reader.exchanges()]


def row_of(shown: str, first: str) -> list[str]:
    """The cells after `first` in the table's row that begins with it."""
    (line,) = [line for line in shown.splitlines() if line.strip().startswith(first)]
    return line.strip().removeprefix(first).split()


def test_list_shows_the_recordings_of_a_folder_and_why_others_cannot_be_read(
    recording: Path, mockforge: Mockforge
) -> None:
    recording.with_name("torn.mfrec").write_bytes(recording.read_bytes()[:5_000])
    shutil.copy(ROOT / "recordings" / "orders-example.mfrec", recording.parent)
    shown = mockforge("recordings", "list", str(recording.parent))
    cells = row_of(shown, "run.mfrec")
    assert cells[:2] == ["2023-11-14", "22:13:20Z"]
    assert cells[2:6] == ["3.91", "s", "40", "4"]
    assert "recording of http://backend.example.com" in shown
    assert "warning: torn.mfrec: the recording is torn" in shown
    assert row_of(shown, "orders-example.mfrec")[4:6] == ["616", "14"]


def test_list_of_a_folder_that_is_not_there_is_one_line(mockforge: Mockforge, tmp_path: Path) -> None:
    shown = mockforge("recordings", "list", str(tmp_path / "none"), code=2)
    assert shown.count("\n") == 1
    assert "there is no such folder" in shown


def test_show_summarises_the_recording_and_its_operations(recording: Path, mockforge: Mockforge) -> None:
    shown = mockforge("recordings", "show", str(recording))
    assert "recording of http://backend.example.com" in shown
    assert "2023-11-14 22:13:20Z, 3.91 s long" in shown
    assert "40 (10.2/s), 4 errors (10.0 %)" in shown
    assert "schema version 2" in shown
    assert "warm-up at 0.00 s, peak [1] at 2.00 s" in shown
    assert "seed: 7" in shown
    assert row_of(shown, "GET /orders/{id}")[:2] == ["39", "4"]
    assert row_of(shown, "POST /orders") == ["1", "0", "0.3/s", "900.0", "900.0", "900.0"]


def test_show_counts_what_a_filter_leaves(recording: Path, mockforge: Mockforge) -> None:
    shown = mockforge("recordings", "show", str(recording), "--status", "5xx", "--from", "1.5")
    assert "status=5xx: 2 of 40 exchanges" in shown
    assert row_of(shown, "GET /orders/{id}")[:2] == ["2", "2"]


def test_show_lists_the_slowest(recording: Path, mockforge: Mockforge) -> None:
    shown = mockforge("recordings", "show", str(recording), "--slowest", "3")
    rows = [line.split() for line in shown.splitlines() if "/orders" in line]
    assert rows[0] == ["POST", "/orders", "26", "2.500", "201", "4.00", "900.0", "1"]
    assert [row[-2] for row in rows] == ["900.0", "11.0", "11.0"]


def test_show_gives_one_exchange_in_full(recording: Path, mockforge: Mockforge) -> None:
    shown = mockforge("recordings", "show", str(recording), "--id", "26")
    assert "arrived 2.500000 s after the start, 2023-11-14 22:13:22Z" in shown
    assert "TLS 3.00 ms, first byte 4.00 ms, total 900.0 ms" in shown
    assert "POST /orders\n" in shown
    assert 'Content-Encoding: gzip\n\n{\n  "id": 25,\n  "state": "shipped"\n}\n' in shown
    assert [line.split() for line in shown.splitlines()[-2:]] == [
        ["5.00", "12", "response"],
        ["890.0", "40", "response"],
    ]
    assert "there is no exchange 99 " in mockforge("recordings", "show", str(recording), "--id", "99", code=2)


def test_show_lists_the_markers_with_their_exchanges(recording: Path, mockforge: Mockforge) -> None:
    shown = mockforge("recordings", "show", str(recording), "--markers")
    assert row_of(shown, "warm-up")[-1] == "20"
    assert row_of(shown, "peak [1]") == ["2.000", "2023-11-14", "22:13:22Z", "20"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--operation", "GET /orders/{id}", "--status", ">=500"], [0, 10, 20, 30]),
        (["--method", "post"], [25]),
        (["--path", "/orders/1*", "--max-latency", "5ms"], [14]),
        (["--min-latency", "800ms"], [25]),
        (["--errors", "--phase", "peak [1]"], [20, 30]),
        (["--between-markers", "warm-up", "peak [1]", "--errors"], [0, 10]),
        (["--from", "2023-11-14T22:13:23.5Z", "--to", "3.7"], [35, 36]),
        (["--filter", "status=503 path=/orders/3*", "--limit", "1"], [30]),
    ],
)
def test_query_finds(recording: Path, mockforge: Mockforge, options: list[str], found: list[int]) -> None:
    lines = mockforge("recordings", "query", str(recording), "--format", "json", *options).splitlines()
    assert [json.loads(line)["arrived_ns"] // (100 * MS) for line in lines] == found


def test_query_writes_csv_and_a_table(recording: Path, mockforge: Mockforge) -> None:
    written = mockforge("recordings", "query", str(recording), "--status", "201", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(written))
    assert (row["operation"], row["total_ns"], row["tls_ns"]) == ("POST /orders", "900000000", "3000000")
    assert (row["request_size"], row["error"]) == ("16", "")
    table = mockforge("recordings", "query", str(recording), "--limit", "2")
    assert "the first 2; --limit N shows more" in table
    assert row_of(table, "GET /orders/1?page=1")[:3] == ["2", "0.100", "200"]


def test_a_cut_is_a_recording_with_the_times_of_the_whole(
    recording: Path, mockforge: Mockforge, tmp_path: Path
) -> None:
    cut = tmp_path / "new" / "cut.mfrec"
    shown = mockforge("recordings", "cut", str(recording), "--phase", "peak [1]", "--out", str(cut))
    assert "20 of 40 exchanges" in shown
    assert numbers(cut) == list(range(20, 40))
    assert "exists already" in mockforge("recordings", "cut", str(recording), "--out", str(cut), code=2)
    assert "phase=peak [1]" in mockforge("recordings", "show", str(cut))


def test_a_merge_of_two_cuts_is_the_whole(recording: Path, mockforge: Mockforge, tmp_path: Path) -> None:
    parts = [tmp_path / "early.mfrec", tmp_path / "late.mfrec"]
    mockforge("recordings", "cut", str(recording), "--to", "1.25", "--out", str(parts[0]))
    mockforge("recordings", "cut", str(recording), "--from", "1.25", "--out", str(parts[1]))
    both = tmp_path / "both.mfrec"
    mockforge("recordings", "merge", str(parts[1]), str(parts[0]), "--out", str(both))
    assert numbers(both) == list(range(40))
    assert "name two or more" in mockforge("recordings", "merge", str(both), "--out", "x.mfrec", code=2)


def test_a_redacted_copy_holds_no_secret(recording: Path, mockforge: Mockforge, tmp_path: Path) -> None:
    clean = tmp_path / "clean.mfrec"
    shown = mockforge("recordings", "redact", str(recording), "--out", str(clean))
    assert "in 1 of 40 exchanges" in shown
    assert CARD.encode() in recording.read_bytes()
    assert CARD.encode() not in clean.read_bytes()
    assert numbers(clean) == list(range(40))
    with RecordingReader(clean) as reader:
        assert json.loads(reader.meta.notes["redaction"])["changed"] == 1


def test_an_old_recording_is_upgraded_in_place(mockforge: Mockforge, tmp_path: Path) -> None:
    old = Path(shutil.copy(ROOT / "recordings" / "orders-example.mfrec", tmp_path / "old.mfrec"))
    assert "upgraded from schema version 1 to 2" in mockforge("recordings", "upgrade", str(old))
    assert "is of schema version 2" in mockforge("recordings", "upgrade", str(old))
    with RecordingReader(old) as reader:
        assert (reader.version, reader.count) == (2, 616)


def test_a_vacuum_says_what_it_freed(recording: Path, mockforge: Mockforge) -> None:
    shown = mockforge("recordings", "vacuum", str(recording))
    assert "before" in shown
    assert "0 bodies removed" in shown
    assert numbers(recording) == list(range(40))


def test_a_torn_recording_is_salvaged(recording: Path, mockforge: Mockforge, tmp_path: Path) -> None:
    write_recording(tmp_path / "long.mfrec", META, map(exchange, range(3_000)))
    torn, saved = tmp_path / "torn.mfrec", tmp_path / "saved.mfrec"
    content = (tmp_path / "long.mfrec").read_bytes()
    torn.write_bytes(content[: len(content) * 2 // 3])
    assert "recordings salvage" in mockforge("recordings", "show", str(torn), code=2)
    shown = mockforge("recordings", "salvage", str(torn), "--out", str(saved))
    assert f"{len(numbers(saved)):,} exchanges saved, " in shown
    assert len(numbers(saved)) > 1_000


def test_a_recording_that_grows_is_read_and_cut_but_not_rewritten(
    mockforge: Mockforge, tmp_path: Path
) -> None:
    path, cut = tmp_path / "growing.mfrec", tmp_path / "cut.mfrec"
    with RecordingWriter(path, META) as writer:
        for each in EXCHANGES:
            writer.add(each)
        writer.flush()
        assert "still being written" in mockforge("recordings", "show", str(path))
        mockforge("recordings", "cut", str(path), "--out", str(cut))
        assert "still being written" in mockforge("recordings", "vacuum", str(path), code=2)
        writer.add(exchange(40))
    assert numbers(cut) == list(range(40))
    assert numbers(path) == list(range(41))


def test_a_reader_that_wants_no_more_ends_a_query_quietly(tmp_path: Path) -> None:
    path = tmp_path / "long.mfrec"
    write_recording(path, META, map(exchange, range(3_000)))
    command = [sys.executable, "-m", "mockforge", "recordings", "query", str(path), "--format", "json"]
    reading, writing = os.pipe()
    with subprocess.Popen(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True) as process:
        os.close(writing)
        with os.fdopen(reading) as output:
            json.loads(output.readline())
        _, said = process.communicate(timeout=60)
    assert said == ""
