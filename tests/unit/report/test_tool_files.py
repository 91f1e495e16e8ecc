"""Load tools' files, compared with each other and with recordings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockforge.errors import ComparisonError
from mockforge.model.sample import FailureKind, Run, SummaryRun
from mockforge.report.files import Files, compare_files, compare_recordings
from mockforge.report.naming import NameMap
from mockforge.report.readers.toolrun import Sample, ToolRun, ToolSummary
from mockforge.report.remarks import remarks
from mockforge.report.repeat import commands
from mockforge.report.samples import load_all
from mockforge.report.tool_runs import origin_of, run_of, summary_of
from tests.unit.report.readers.writers import HITS, SUMMARIES, WRITERS
from tests.unit.report.test_samples import record


def written(path: Path, name: str) -> Path:
    path.write_bytes(WRITERS[name](HITS) if name in WRITERS else SUMMARIES[name])
    return path


def test_samples_come_in_the_order_of_their_starts() -> None:
    found = ToolRun("k6", 1)
    found.add(Sample("b", 2_000, 10, 200, failure=FailureKind.TIMEOUT))
    found.add(Sample("a", 1_000, 20, 404, failed=True, size=7))
    run = run_of(Path("x"), found)
    assert run.start_ns.tolist() == [0, 1_000]
    assert [run.operations[index] for index in run.operation] == ["a", "b"]
    assert run.failed.tolist() == [True, False]
    assert run.size is not None
    assert run.size.tolist() == [7, -1]
    assert run.failure is not None
    assert run.failure.tolist() == [0, FailureKind.TIMEOUT]


def test_rows_of_no_order_are_not_left_sorted_by_duration() -> None:
    found = ToolRun("ab", 1_000_000, ordered=False)
    for total_ns in range(1_000):
        found.add(Sample("a", 0, total_ns))
    totals = run_of(Path("x"), found).total_ns.tolist()
    assert totals != sorted(totals)
    assert sorted(totals) == list(range(1_000))
    assert run_of(Path("x"), found).total_ns.tolist() == totals


def test_a_start_that_is_not_of_the_wall_clock_is_not_taken_for_one() -> None:
    found = ToolRun("hey", 100_000, wall=False)
    found.add(Sample("a", 5, 5))
    assert origin_of(Path("x"), found).started_wall_ns == 0


def test_a_summarys_failures_are_told() -> None:
    found = ToolSummary("hey", errors={"refused": 3, "503": 10, "reset": 1, "x": 1, "y": 1})
    assert (
        origin_of(Path("x"), found).notes["tool"]
        == "failures: 503 (10), refused (3), reset (1) and 2 other kinds"
    )
    assert len(summary_of(Path("x"), found)) == 0


@pytest.mark.parametrize("name", ["k6 JSON stream", "vegeta CSV", "oha SQLite", "HAR"])
def test_addresses_are_the_operations_of_a_recording(name: str, tmp_path: Path) -> None:
    real = record(tmp_path / "a.mfrec", ("GET", "/orders/1", 200), ("GET", "/orders/2", 200))
    report = compare_recordings(real, written(tmp_path / "b", name))
    assert [operation.name for operation in report.operations] == ["GET /orders/{id}"]


def test_a_tool_that_does_not_say_what_it_asked_for_asked_for_the_one_operation(tmp_path: Path) -> None:
    real = record(tmp_path / "a.mfrec", ("GET", "/orders/1", 200))
    report = compare_recordings(real, written(tmp_path / "b", "hey CSV"))
    assert [operation.name for operation in report.operations] == ["GET /orders/{id}"]


def test_labels_are_mapped_to_operations(tmp_path: Path) -> None:
    real = record(tmp_path / "a.mfrec", ("GET", "/orders/1", 200))
    mock = written(tmp_path / "b", "JMeter JTL (XML)")
    report = compare_files(Files((real,), (mock,)), names=NameMap.parse(["Get order=GET /orders/{id}"]))
    assert [operation.name for operation in report.operations] == ["GET /orders/{id}"]
    assert "--map 'Get order=GET /orders/{id}'" in commands(report)[-1]


def test_without_a_common_operation_the_map_that_would_help_is_shown(tmp_path: Path) -> None:
    real = record(tmp_path / "a.mfrec", ("GET", "/orders/1", 200))
    with pytest.raises(ComparisonError, match=re.escape("--map 'Get order=GET /orders/{id}'")):
        compare_recordings(real, written(tmp_path / "b", "JMeter JTL (XML)"))


def test_what_both_tools_cannot_say_is_said_once(tmp_path: Path) -> None:
    file = written(tmp_path / "a", "vegeta CSV")
    said = [remark.text for remark in remarks(compare_recordings(file, file)) if remark.code == "tool"]
    assert len(said) == 1
    assert said[0].startswith("real and mock runs: vegeta times from the actual send")


def test_a_torn_file_is_said(tmp_path: Path) -> None:
    whole = written(tmp_path / "a", "vegeta CSV")
    torn = tmp_path / "b"
    torn.write_bytes(whole.read_bytes()[:-60])
    texts = [remark.text for remark in remarks(compare_recordings(whole, torn))]
    assert any(text.startswith("mock run: the file is torn, line 3 ends in its middle") for text in texts)


def test_samples_are_held_against_a_summary_by_their_percentiles(tmp_path: Path) -> None:
    loaded = load_all([written(tmp_path / "a", "vegeta CSV"), written(tmp_path / "b", "Locust stats")])
    assert isinstance(loaded[0].run, Run)
    assert isinstance(loaded[1].run, SummaryRun)
    assert loaded[1].run.operations[0].name == "GET /orders/{id}"
    report = compare_recordings(tmp_path / "a", tmp_path / "b")
    p50 = next(metric for metric in report.operations[0].metrics if metric.name == "p50")
    assert p50.tolerance is not None
    assert p50.tolerance >= 0.0476


def test_how_many_were_in_flight_is_not_guessed_from_whole_seconds() -> None:
    found = ToolRun("ab", 1_000_000, start_step_ns=10**9)
    for _ in range(5):
        found.add(Sample("a", 0, 10**9))
    assert run_of(Path("x"), found).in_flight.tolist() == [0] * 5
