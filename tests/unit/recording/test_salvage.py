"""Of a damaged recording everything is saved that SQLite can still read, and the loss is told."""

from __future__ import annotations

import dataclasses
import random
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Marker, Piece, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.derive import write_recording
from mockforge.recording.salvage import salvage
from mockforge.recording.store import RecordingMeta, RecordingReader

META = RecordingMeta("recording", "http://h", 1_000)
PAGE = 4_096
NUMBER = 2_000


def exchange(number: int) -> Exchange:
    headers = Headers((("X-Number", str(number)),))
    pieces = (Piece(1, 2, "response"), Piece(2, 2, "response")) if number % 3 == 0 else ()
    body = b"%d" % number * 300
    return Exchange(
        1_000 + number,
        number,
        Request("GET", f"/{number}", headers),
        Response(200, body=body),
        9,
        pieces=pieces,
    )


EXCHANGES = [exchange(number) for number in range(NUMBER)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "run.mfrec"
    write_recording(path, META, EXCHANGES, markers=[Marker("peak", 5, 1_005)])
    return path


@pytest.fixture
def recording(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "run.mfrec"))


def pages_of(path: Path, table: str) -> list[int]:
    """The numbers, from 0, of the leaf pages of a table or index, found by what lies on them."""
    connection = sqlite3.connect(path)
    try:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    finally:
        connection.close()
    content = path.read_bytes()
    return sorted(leaves(content, root - 1))


def leaves(content: bytes, page: int) -> Iterable[int]:
    """The leaves below a page of a b-tree (https://www.sqlite.org/fileformat2.html, 1.6)."""
    start = page * PAGE
    header = start + (100 if page == 0 else 0)
    if content[header] not in (2, 5):
        yield page
        return
    cells = int.from_bytes(content[header + 3 : header + 5])
    for cell in range(cells):
        at = start + int.from_bytes(content[header + 12 + 2 * cell : header + 14 + 2 * cell])
        yield from leaves(content, int.from_bytes(content[at : at + 4]) - 1)
    yield from leaves(content, int.from_bytes(content[header + 8 : header + 12]) - 1)


def spoil(path: Path, pages: Iterable[int]) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE)
            file.write(b"\xff" * PAGE)


def saved(path: Path) -> list[Exchange]:
    with RecordingReader(path) as reader:
        return list(reader.exchanges())


def test_a_whole_recording_is_saved_whole(recording: Path, tmp_path: Path) -> None:
    told = salvage(recording, tmp_path / "saved.mfrec")
    assert (told.exchanges, told.exchanges_lost, told.bodies_lost) == (NUMBER, 0, 0)
    assert saved(tmp_path / "saved.mfrec") == EXCHANGES
    with RecordingReader(tmp_path / "saved.mfrec") as reader:
        assert reader.meta == META
        assert reader.markers() == [Marker("peak", 5, 1_005)]


@pytest.mark.parametrize(
    "chosen", [slice(0, 1), slice(5, 6), slice(3, 9), slice(-1, None), slice(2, None, 3)]
)
def test_spoilt_pages_of_exchanges_cost_no_more_than_what_was_on_them(
    recording: Path, tmp_path: Path, chosen: slice
) -> None:
    pages = pages_of(recording, "exchange")
    spoil(recording, pages[chosen])
    before = recording.read_bytes()
    told = salvage(recording, tmp_path / "saved.mfrec")
    found = saved(tmp_path / "saved.mfrec")
    on_a_page = NUMBER / len(pages)
    assert told.exchanges == len(found)
    assert told.exchanges_lost == NUMBER - len(found)
    assert len(found) >= NUMBER - 1.5 * on_a_page * len(pages[chosen]) - 2
    assert found == [EXCHANGES[each.arrived_ns] for each in found]
    assert recording.read_bytes() == before


def test_spoilt_bodies_cost_no_exchange(recording: Path, tmp_path: Path) -> None:
    spoil(recording, pages_of(recording, "body")[3:6])
    told = salvage(recording, tmp_path / "saved.mfrec")
    found = saved(tmp_path / "saved.mfrec")
    assert (told.exchanges, told.exchanges_lost) == (NUMBER, 0)
    lost = [each for each in found if each.response and each.response.omitted]
    assert len(lost) == told.bodies_lost > 0
    for each, whole in zip(found, EXCHANGES, strict=True):
        assert each.response is not None
        assert whole.response is not None
        assert each.response.size == whole.response.size
        assert dataclasses.replace(each, response=whole.response) == whole


def test_spoilt_timelines_cost_no_exchange(recording: Path, tmp_path: Path) -> None:
    spoil(recording, pages_of(recording, "chunk")[1:3])
    told = salvage(recording, tmp_path / "saved.mfrec")
    found = saved(tmp_path / "saved.mfrec")
    assert (told.exchanges, told.exchanges_lost) == (NUMBER, 0)
    missing = [each for each, whole in zip(found, EXCHANGES, strict=True) if each.pieces != whole.pieces]
    assert 0 < len(missing) <= told.timelines_lost < NUMBER / 2


def test_a_recording_that_was_cut_short_is_read_up_to_there(recording: Path, tmp_path: Path) -> None:
    with recording.open("r+b") as file:
        file.truncate(recording.stat().st_size // 2 + 1_000)
    with pytest.raises(RecordingError, match="salvage"):
        RecordingReader(recording)
    told = salvage(recording, tmp_path / "saved.mfrec")
    found = saved(tmp_path / "saved.mfrec")
    assert told.exchanges == len(found) > NUMBER / 3
    assert [each.request for each in found] == [EXCHANGES[each.arrived_ns].request for each in found]


def test_without_its_meta_the_target_is_unknown_and_the_start_is_worked_out(
    recording: Path, tmp_path: Path
) -> None:
    spoil(recording, pages_of(recording, "meta"))
    told = salvage(recording, tmp_path / "saved.mfrec")
    assert told.meta_lost
    with RecordingReader(tmp_path / "saved.mfrec") as reader:
        assert (reader.meta.kind, reader.meta.target) == ("recording", "unknown")
        assert reader.meta.started_wall_ns == META.started_wall_ns
        assert reader.count == NUMBER


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_saved_was_there(recording: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    pages = recording.stat().st_size // PAGE
    with recording.open("r+b") as file:
        for page in chance.sample(range(1, pages), pages // 10):
            file.seek(page * PAGE + chance.randrange(PAGE - 64))
            file.write(chance.randbytes(64))
    told = salvage(recording, tmp_path / "saved.mfrec")
    assert told.exchanges == len(saved(tmp_path / "saved.mfrec"))


def test_without_its_first_page_nothing_can_be_read(recording: Path, tmp_path: Path) -> None:
    with recording.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (PAGE - 100))
    with pytest.raises(RecordingError, match="the first page of the recording is gone"):
        salvage(recording, tmp_path / "saved.mfrec")
    assert not (tmp_path / "saved.mfrec").exists()


def test_what_is_no_recording_is_not_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "notes.mfrec"
    path.write_text("not a recording " * 100)
    with pytest.raises(RecordingError, match="this is not a recording"):
        salvage(path, tmp_path / "saved.mfrec")
