"""What holds for every reader of a load tool's file: content decides, tears are said, nothing is made up."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from mockforge.errors import ComparisonError
from mockforge.report.readers.registry import READERS, read_tool_run, reader_of
from mockforge.report.readers.toolrun import ToolRun, ToolSummary
from tests.unit.report.readers.writers import HITS, SUMMARIES, WRITERS

#: Readers that only say what to give instead.
REFUSING = {"vegeta results (binary)", "Locust failures"}
#: Files that are read as they are: neither unzipped nor cut.
DATABASES = {"oha SQLite"}
STREAMS = sorted(set(WRITERS) - DATABASES)
FILES = {name: write(HITS) for name, write in WRITERS.items()} | SUMMARIES

every = pytest.mark.parametrize("name", FILES)
streams = pytest.mark.parametrize("name", STREAMS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "result"


def samples_of(path: Path) -> ToolRun:
    run = read_tool_run(path)
    assert isinstance(run, ToolRun)
    return run


def said_of(path: Path) -> str | None:
    """The refusal of a file; None where it is read."""
    try:
        read_tool_run(path)
    except ComparisonError as error:
        return str(error)
    return None


def test_every_reader_has_a_file_here() -> None:
    assert set(FILES) | REFUSING == {reader.name for reader in READERS}
    assert {reader.name for reader in READERS if reader.summary} - REFUSING == set(SUMMARIES)


@every
def test_only_one_reader_recognises_a_file(name: str) -> None:
    assert [reader.name for reader in READERS if reader.recognises(FILES[name])] == [name]


@every
def test_the_form_is_found_by_content_whatever_the_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / "results.xlsx"
    file.write_bytes(FILES[name])
    assert reader_of(file).name == name


@pytest.mark.parametrize("name", WRITERS)
def test_what_was_written_comes_back_to_the_tools_rounding(name: str, file: Path) -> None:
    file.write_bytes(FILES[name])
    run = samples_of(file)
    assert [round(total / 1e6, 3) for total in run.total_ns] == pytest.approx(
        [hit.total_ms for hit in HITS], abs=0.51 if run.resolution_ns >= 10**6 else 0.06
    )
    assert run.torn is None


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_summary_says_what_it_says(name: str, file: Path) -> None:
    file.write_bytes(FILES[name])
    run = read_tool_run(file)
    assert isinstance(run, ToolSummary)
    assert run.overall is not None
    times = run.overall.quantiles_ms or run.overall.ttfb_quantiles_ms
    assert times[0.5] == pytest.approx(20.0)
    if name != "Locust history":
        assert [times[0.9], times[0.99]] == pytest.approx([40.0, 60.0], rel=0.04)
    if name == "ab percentiles":
        return
    assert run.overall.count == 90
    assert run.overall.failed in (10, None)
    if name != "Artillery JSON":
        assert run.overall.mean_ms == pytest.approx(21.5, abs=0.51)
    if name != "HdrHistogram percentiles":
        assert run.duration_s == pytest.approx(10.0)
        assert run.overall.answered_per_s == pytest.approx(8.0)


@every
def test_a_byte_order_mark_changes_nothing(name: str, file: Path) -> None:
    if name in DATABASES or "binary" in name:
        pytest.skip("a binary form has none")
    file.write_bytes(b"\xef\xbb\xbf" + FILES[name])
    assert reader_of(file).name == name
    assert len(read_tool_run(file))


@every
def test_line_ends_of_windows_change_nothing(name: str, file: Path) -> None:
    if name in DATABASES or "binary" in name:
        pytest.skip("a binary form has no lines")
    file.write_bytes(FILES[name])
    before = read_tool_run(file)
    file.write_bytes(FILES[name].replace(b"\n", b"\r\n"))
    after = read_tool_run(file)
    assert len(after) == len(before)
    if isinstance(before, ToolSummary) and isinstance(after, ToolSummary):
        assert after.overall == before.overall


@every
def test_a_zipped_file_is_read(name: str, file: Path) -> None:
    if name in DATABASES:
        pytest.skip("a database is not unzipped")
    file.write_bytes(gzip.compress(FILES[name]))
    assert len(read_tool_run(file))


@streams
def test_a_torn_file_is_read_up_to_there_and_that_is_said(name: str, file: Path) -> None:
    file.write_bytes(WRITERS[name](HITS * 20)[:-7])
    run = samples_of(file)
    assert 0 < len(run) <= 20 * len(HITS)
    assert run.torn


@streams
def test_a_torn_zip_is_read_up_to_there_and_that_is_said(name: str, file: Path) -> None:
    whole = gzip.compress(WRITERS[name](HITS * 200))
    file.write_bytes(whole[: len(whole) * 2 // 3])
    run = samples_of(file)
    assert 0 < len(run) < 200 * len(HITS)
    assert run.torn


@streams
def test_no_cut_gives_a_sample_that_was_not_written(name: str, file: Path) -> None:
    whole = FILES[name]
    file.write_bytes(whole)
    written = set(zip(samples_of(file).start_ns, samples_of(file).total_ns, strict=True))
    for end in range(len(whole) // 2, len(whole), 3):
        file.write_bytes(whole[:end])
        try:
            run = samples_of(file)
        except ComparisonError:
            continue
        assert set(zip(run.start_ns, run.total_ns, strict=True)) <= written, end


@pytest.mark.parametrize("name", sorted(SUMMARIES))
def test_a_torn_summary_is_one_clear_line(name: str, file: Path) -> None:
    file.write_bytes(FILES[name][: len(FILES[name]) * 2 // 3])
    assert said_of(file) is None or re.fullmatch(rf"{file}: .+", said_of(file) or "")


@streams
def test_a_file_of_one_request_is_read(name: str, file: Path) -> None:
    file.write_bytes(WRITERS[name](HITS[:1]))
    assert len(read_tool_run(file)) == 1


@streams
def test_a_file_without_requests_is_refused_by_name(name: str, file: Path) -> None:
    file.write_bytes(WRITERS[name]([]))
    with pytest.raises(ComparisonError, match=r"no requests in this|the file is empty|neither a recording"):
        read_tool_run(file)


@every
def test_foreign_content_after_a_right_beginning_is_one_clear_line(name: str, file: Path) -> None:
    if name in DATABASES:
        pytest.skip("a database has its own errors")
    file.write_bytes(FILES[name] + b'\n\x00\xff{"what": [1,2,3\n<html>not this</html>\n\x00\n')
    assert said_of(file) is None or re.fullmatch(rf"{file}: .+", said_of(file) or "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"hello", r"what works: recordings .*k6 JSON stream.*Locust stats.*HAR"),
        ("timeStamp,elapsed".encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08\x00", "the file is empty"),
    ],
)
def test_what_no_tool_wrote_is_refused_with_what_works(content: bytes, said: str, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(ComparisonError, match=said):
        read_tool_run(file)
