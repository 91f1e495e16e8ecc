"""What the writer does besides writing: redact, keep to a bound, say what a person should hear."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest

from mockforge.errors import UsageError
from mockforge.model.exchange import Exchange, Marker, Request, Response
from mockforge.recording.store import Bounds, RecordingMeta, RecordingReader, RecordingWriter

META = RecordingMeta("recording", "http://h", 1)


def exchange(number: int, body: bytes = b"") -> Exchange:
    return Exchange(1, number, Request("GET", f"/{number}"), Response(200, body=body), 1)


def read(path: Path) -> list[Exchange]:
    with RecordingReader(path) as reader:
        return list(reader.exchanges())


class Blanks:
    """Takes every target away; fails on numbers that 10 divides, telling the secret."""

    def redact(self, exchange: Exchange) -> Exchange:
        if exchange.arrived_ns % 10 == 0:
            raise ValueError(f"hunter2 in {exchange.request.target}")
        return dataclasses.replace(exchange, request=Request("GET", "/gone"))


def test_a_redactor_sees_every_exchange_before_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META, redactor=Blanks()) as writer:
        for number in range(1, 10):
            writer.add(exchange(number))
        writer.flush()
        assert b"/5" not in path.with_name("run.mfrec-wal").read_bytes()
    assert {each.request.target for each in read(path)} == {"/gone"}
    assert (writer.count, writer.unredacted, writer.notices) == (9, 0, [])


def test_an_exchange_that_cannot_be_redacted_is_not_written_and_is_told_without_its_secret(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META, redactor=Blanks()) as writer:
        for number in range(100):
            writer.add(exchange(number))
    assert [each.arrived_ns for each in read(path)] == [number for number in range(100) if number % 10]
    assert (writer.count, writer.unredacted, writer.dropped) == (90, 10, 0)
    assert writer.notices == ["an exchange could not be redacted and was not kept: ValueError"]
    with RecordingReader(path) as reader:
        assert reader.meta.notes == {"unredacted": "10 exchanges could not be redacted and were not kept"}
    assert b"hunter2" not in path.read_bytes()


def fill(path: Path, bounds: Bounds) -> RecordingWriter:
    """A writer that was given 200 bodies of 10 kB that do not compress."""
    noise = random.Random(1)
    with RecordingWriter(path, META, bounds=bounds) as writer:
        for number in range(200):
            writer.add(exchange(number, noise.randbytes(10_000)))
            if number % 20 == 0:
                writer.flush()
    return writer


def test_a_bound_that_stops_keeps_what_came_before_and_counts_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    writer = fill(path, Bounds(1_000_000, "stop"))
    exchanges = read(path)
    assert 800_000 < path.stat().st_size <= 1_000_000
    assert [each.arrived_ns for each in exchanges] == list(range(len(exchanges)))
    assert all(each.response and len(each.response.body) == 10_000 for each in exchanges)
    assert writer.full
    assert writer.failure is None
    assert (writer.count, writer.dropped) == (len(exchanges), 200 - len(exchanges))
    (notice,) = writer.notices
    assert f"bound of 1,000,000 bytes after {len(exchanges)} exchanges" in notice
    assert "nothing more is written" in notice
    with RecordingReader(path) as reader:
        assert reader.meta.notes == {
            "full": notice,
            "dropped": f"{writer.dropped} exchanges came after the bound was reached",
        }


def test_a_bound_that_drops_bodies_keeps_times_heads_and_sizes(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    writer = fill(path, Bounds(1_000_000, "drop-bodies"))
    exchanges = read(path)
    assert [each.arrived_ns for each in exchanges] == list(range(200))
    sizes = [(len(each.response.body), each.response.omitted) for each in exchanges if each.response]
    whole = sizes.count((10_000, 0))
    assert 70 < whole < 100
    assert sizes == [(10_000, 0)] * whole + [(0, 10_000)] * (200 - whole)
    assert (writer.count, writer.dropped, writer.full) == (200, 0, True)
    (notice,) = writer.notices
    assert f"after {whole} exchanges; from here on bodies are left out" in notice


def test_bodies_that_repeat_take_no_room_of_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META, bounds=Bounds(1_000_000)) as writer:
        for number in range(500):
            writer.add(exchange(number, b"x" * 100_000))
    assert (writer.count, writer.full) == (500, False)


def test_a_bound_that_no_recording_fits_in_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be held to 5 bytes"):
        Bounds(5)


def test_after_a_flush_everything_added_before_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META) as writer:
        for number in range(1_000):
            writer.add(exchange(number))
        writer.mark(Marker("peak", 7, 8))
        writer.flush()
        assert writer.count == 1_000
        with RecordingReader(path) as reader:
            assert reader.count == 1_000
            assert reader.markers() == [Marker("peak", 7, 8)]
    writer.flush()


def test_a_note_of_the_end_is_asked_for_once_everything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"

    def broken() -> str:
        raise ZeroDivisionError

    with RecordingWriter(path, META) as writer:
        writer.note("written", lambda: str(writer.count))
        writer.note("broken", broken)
        writer.add(exchange(1))
    with RecordingReader(path) as reader:
        assert reader.meta.notes == {"written": "1", "broken": "unknown: ZeroDivisionError"}
        assert reader.count == 1


def test_what_is_no_exchange_at_all_is_a_failure_and_keeps_what_was_before(tmp_path: Path) -> None:
    path = tmp_path / "run.mfrec"
    with RecordingWriter(path, META) as writer:
        writer.add(exchange(1))
        writer.flush()
        writer.add(dataclasses.replace(exchange(2), request=None))  # type: ignore[arg-type]
        writer.flush()
        writer.add(exchange(3))
    assert writer.failure is not None
    assert (writer.count, writer.dropped) == (1, 2)
    assert read(path) == [exchange(1)]
