"""The tables of readers and writers: how a format is chosen, and how a file comes to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockforge.interop.placing import in_flight_at
from mockforge.interop.readers import READERS, read_source
from mockforge.interop.source import Source, SourceError
from mockforge.interop.writers import WRITERS, Writer, export_to, writer_called
from mockforge.model.exchange import Exchange
from mockforge.recording.store import RecordingReader
from tests.unit.interop.importing import TARGET, entry, har, imported

EXAMPLE = Path(__file__).parents[3] / "recordings" / "orders-example.mfrec"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"PAR1\x15", "parquet"),
        (b'{"log": {"version": "1.2"', "har"),
        (b'\xef\xbb\xbf{\n "comment": "", "log": {', "har"),
        (b'{ "requests" : [ {', "wiremock"),
        (b"start,duration_ms\n1,2", "csv"),
        (b'192.0.2.1 - - [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "-" 0.120\n', "access-log"),
    ],
)
def test_a_format_is_known_by_its_first_bytes(head: bytes, name: str) -> None:
    assert next(reader.name for reader in READERS.values() if reader.recognises(head)) == name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"SQLite format 3\x00 and more", "a recording already"),
        (b"\x00\x01\x02", "not recognised"),
        (b"root:x:0:0:root", "not recognised"),
        (b"\x1f\x8bno gzip", "cannot be read"),
    ],
)
def test_what_is_not_recognised_is_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(SourceError, match=said) as refused:
        read_source(Source(tmp_path / "a"))
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_an_unknown_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_source(Source(tmp_path / "a"))
    with pytest.raises(SourceError, match="did you mean har"):
        read_source(Source(tmp_path / "a"), "hra")


@given(st.binary(max_size=200), st.sampled_from([name for name in READERS if name != "parquet"]))
def test_no_bytes_make_a_reader_fail_in_another_way(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise"
    with pytest.raises(SourceError):
        imported(path, content, form=name, target=TARGET)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)), min_size=1, max_size=30))
def test_in_flight_are_those_that_came_before_and_have_not_ended(times: list[tuple[int, int]]) -> None:
    times.sort(key=lambda pair: pair[0])
    arrived, total = (np.array(column) for column in zip(*times, strict=True))
    found = in_flight_at(arrived, total)
    for index, (at, own) in enumerate(times):
        under_way = sum(begun + took > at for begun, took in times[:index])
        # One that takes no time, and those after it at the same moment, have ended as they came.
        instant = sum(begun == at and took == 0 for begun, took in times[index:])
        assert found[index] == max(under_way - instant, 0), (at, own)


def test_a_writer_is_chosen_by_name_or_ending() -> None:
    assert writer_called("csv", Path("a.har")).name == "csv"
    assert writer_called(None, Path("a.HAR")).name == "har"
    for name, path, said in (
        ("parket", None, "did you mean parquet"),
        (None, Path("a.txt"), "ending '.txt'"),
        (None, None, "no format"),
    ):
        with pytest.raises(SourceError, match=said):
            writer_called(name, path)


def test_an_export_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def write(_reader: RecordingReader, _exchanges: Iterator[Exchange], path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with RecordingReader(EXAMPLE) as reader:
        with pytest.raises(SourceError, match="No space left"):
            export_to(Writer("half", ".half", write), reader, iter(()), tmp_path / "a.half")
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "a.har").write_text("mine")
        with pytest.raises(SourceError, match="exists already"):
            export_to(WRITERS["har"], reader, iter(()), tmp_path / "a.har")
    assert (tmp_path / "a.har").read_text() == "mine"


def test_a_long_reading_tells_how_far_it_is(tmp_path: Path) -> None:
    shares: list[float] = []
    path = tmp_path / "a.har"
    path.write_text(har(*[entry()] * 2_500))
    read_source(Source(path, told=shares.append))
    assert shares == sorted(shares)
    assert len(shares) == 2
    assert 0 < shares[0] < shares[1] < 1
