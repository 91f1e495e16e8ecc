"""Recordings that are made of others: nothing is lost, nothing halfway is left behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Marker, Piece, Request, Response
from mockforge.recording.derive import cut, merge, redact, write_recording
from mockforge.recording.store import Filter, RecordingMeta, RecordingReader

START_NS = 1_700_000_000_000_000_000
META = RecordingMeta("recording", "http://h", START_NS, notes={"seed": "7", "host": "a"})
MARKERS = [Marker("warm-up", 0, START_NS), Marker("peak", 5, START_NS + 5)]

Made = Callable[..., RecordingReader]


def exchange(number: int, status: int = 200) -> Exchange:
    pieces = (Piece(1, 3, "response"), Piece(2, 3, "response"))
    request = Request("GET", f"/{number}")
    return Exchange(
        START_NS + number,
        number,
        request,
        Response(status, body=b"abcdef"),
        9,
        connection_id=2,
        pieces=pieces,
    )


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """Make a recording, and open it."""
    readers = []

    def make(name: str, exchanges: Iterable[Exchange], meta: RecordingMeta = META) -> RecordingReader:
        write_recording(tmp_path / name, meta, exchanges, markers=MARKERS)
        readers.append(RecordingReader(tmp_path / name))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


def read(path: Path) -> tuple[RecordingMeta, Sequence[Exchange], Sequence[Marker]]:
    with RecordingReader(path) as reader:
        return reader.meta, list(reader.exchanges()), reader.markers()


def test_a_cut_holds_what_was_chosen_with_its_times_and_says_where_it_is_from(
    made: Made, tmp_path: Path
) -> None:
    exchanges = [exchange(number, 500 if number % 2 else 200) for number in range(10)]
    reader = made("all.mfrec", exchanges)
    chosen = Filter.parse("status=5xx")
    assert cut(reader, chosen.bind(), chosen, tmp_path / "cut.mfrec") == 5
    meta, found, markers = read(tmp_path / "cut.mfrec")
    assert found == exchanges[1::2]
    assert markers == MARKERS
    assert meta == dataclasses.replace(META, notes={**META.notes, "cut-from": "all.mfrec: status=5xx"})


def test_a_cut_of_nothing_is_refused(made: Made, tmp_path: Path) -> None:
    chosen = Filter.parse("status=500")
    with pytest.raises(RecordingError, match="no exchange is selected"):
        cut(made("all.mfrec", [exchange(1)]), chosen.bind(), chosen, tmp_path / "cut.mfrec")
    assert not (tmp_path / "cut.mfrec").exists()


def test_a_merge_orders_by_wall_time_and_keeps_connections_apart(made: Made, tmp_path: Path) -> None:
    later = dataclasses.replace(META, started_wall_ns=START_NS + 5, notes={"seed": "7", "host": "b"})
    moved = [dataclasses.replace(exchange(number), wall_ns=START_NS + 5 + number) for number in (0, 2)]
    readers = [made("b.mfrec", moved, later), made("a.mfrec", [exchange(number) for number in (1, 6, 8)])]
    assert merge(readers, tmp_path / "both.mfrec") == 5
    meta, found, markers = read(tmp_path / "both.mfrec")
    assert [each.arrived_ns for each in found] == [1, 5, 6, 7, 8]
    assert all(each.wall_ns == START_NS + each.arrived_ns for each in found)
    assert [each.connection_id for each in found] == [4, 2, 4, 2, 4]
    assert found[1].pieces == exchange(0).pieces
    assert [(marker.label, marker.at_ns) for marker in markers] == [
        ("warm-up", 0),
        ("warm-up", 5),
        ("peak", 5),
        ("peak", 10),
    ]
    assert (meta.kind, meta.target, meta.started_wall_ns) == ("recording", "http://h", START_NS)
    assert meta.notes == {"seed": "7", "merged-from": "b.mfrec, a.mfrec"}


@pytest.mark.parametrize("change", [{"kind": "replay"}, {"target": "http://other"}])
def test_recordings_of_different_sorts_are_merged_only_when_asked(
    made: Made, tmp_path: Path, change: dict[str, str]
) -> None:
    other = made("b.mfrec", [exchange(2)], dataclasses.replace(META, **change))  # type: ignore[arg-type]
    readers = [made("a.mfrec", [exchange(1)]), other]
    with pytest.raises(RecordingError, match=r"of different (kinds|targets): .* \(--mixed"):
        merge(readers, tmp_path / "both.mfrec")
    assert merge(readers, tmp_path / "both.mfrec", mixed=True) == 2
    meta, _, _ = read(tmp_path / "both.mfrec")
    assert " + " in meta.kind + meta.target


class Blanks:
    """Takes every target away; fails on the one that is asked for."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing

    def redact(self, exchange: Exchange) -> Exchange:
        if exchange.request.target == self.failing:
            raise ValueError
        return dataclasses.replace(exchange, request=Request("GET", "/gone"))


def test_a_redacted_copy_has_all_exchanges_and_the_redactors_note(made: Made, tmp_path: Path) -> None:
    reader = made("all.mfrec", map(exchange, range(10)))
    assert redact(reader, tmp_path / "clean.mfrec", Blanks(), {"redaction": lambda: "10 targets"}) == 10
    meta, found, markers = read(tmp_path / "clean.mfrec")
    assert {each.request.target for each in found} == {"/gone"}
    assert markers == MARKERS
    assert meta.notes == {**META.notes, "redacted-from": "all.mfrec", "redaction": "10 targets"}


def test_a_redaction_that_fails_on_one_exchange_leaves_no_file(made: Made, tmp_path: Path) -> None:
    reader = made("all.mfrec", map(exchange, range(10)))
    with pytest.raises(RecordingError, match="1 exchanges could not be redacted"):
        redact(reader, tmp_path / "clean.mfrec", Blanks("/7"), {})
    assert [file.name for file in tmp_path.iterdir()] == ["all.mfrec"]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.mfrec").write_text("mine")
    with pytest.raises(RecordingError, match="exists already"):
        write_recording(tmp_path / "a.mfrec", META, [exchange(1)])
    assert (tmp_path / "a.mfrec").read_text() == "mine"


def test_an_error_halfway_leaves_nothing_behind(tmp_path: Path) -> None:
    def torn() -> Iterator[Exchange]:
        yield exchange(1)
        raise RecordingError("torn")

    with pytest.raises(RecordingError, match="torn"):
        write_recording(tmp_path / "a.mfrec", META, torn())
    assert list(tmp_path.iterdir()) == []


def test_more_than_may_wait_for_the_disk_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockforge.recording.derive._EXCHANGES_AHEAD", 10)
    monkeypatch.setattr("mockforge.recording.derive._BYTES_AHEAD", 40)
    assert write_recording(tmp_path / "a.mfrec", META, map(exchange, range(35))) == 35
