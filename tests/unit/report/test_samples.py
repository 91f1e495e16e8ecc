"""From recordings to runs whose operations agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockforge.errors import ComparisonError, RecordingError
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.sample import Run
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.report.files import compare_recordings
from mockforge.report.samples import load_all


def record(path: Path, *requests: tuple[str, str, int], operation: str | None = None) -> Path:
    meta = RecordingMeta("recording", "http://backend", 1_000, notes={"seed": "7"})
    with RecordingWriter(path, meta) as writer:
        for index, (method, target, status) in enumerate(requests):
            writer.add(
                Exchange(
                    wall_ns=index,
                    arrived_ns=index * 1_000_000,
                    request=Request(method, target),
                    response=Response(status) if status else None,
                    total_ns=2_000_000,
                    ttfb_ns=1_000_000 if status else None,
                    in_flight=index,
                    error=None if status else "connect: refused",
                    operation=operation,
                )
            )
    return path


def run_in(path: Path) -> Run:
    run = load_all([path])[0].run
    assert isinstance(run, Run)
    return run


def test_columns_become_a_run(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mfrec", ("GET", "/orders/1", 200), ("GET", "/orders/2?x=1", 0))
    run = run_in(path)
    assert (run.name, run.kind, len(run)) == (str(path), "recording", 2)
    assert run.operations == ("GET /orders/{id}",)
    assert run.start_ns.tolist() == [0, 1_000_000]
    assert run.total_ns.tolist() == [2_000_000, 2_000_000]
    assert run.ttfb_ns.tolist() == [1_000_000, -1]
    assert run.status.tolist() == [200, 0]
    assert run.failed.tolist() == [False, True]
    assert run.in_flight.tolist() == [0, 1]


def test_both_runs_agree_on_templates_that_only_one_of_them_shows(tmp_path: Path) -> None:
    slugs = [("GET", f"/shops/{chr(97 + n // 26)}{chr(97 + n % 26)}/stock", 200) for n in range(60)]
    many = record(tmp_path / "a.mfrec", *slugs)
    one = record(tmp_path / "b.mfrec", ("GET", "/shops/zz/stock", 200))
    a, b = (loaded.run for loaded in load_all([many, one]))
    assert isinstance(a, Run)
    assert isinstance(b, Run)
    assert a.operations == b.operations == ("GET /shops/{id}/stock",)


def test_the_names_that_writers_noted_are_not_used(tmp_path: Path) -> None:
    real = record(tmp_path / "a.mfrec", ("GET", "/orders/1", 200))
    mock = record(tmp_path / "b.mfrec", ("GET", "/orders/2", 200), operation="GET /orders/{order}")
    report = compare_recordings(real, mock)
    assert [operation.name for operation in report.operations] == ["GET /orders/{id}"]


def test_the_report_knows_where_its_runs_came_from(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mfrec", ("GET", "/a", 200))
    origin = compare_recordings(path, path).a.origin
    assert origin is not None
    assert (origin.path, origin.target, origin.started_wall_ns) == (str(path), "http://backend", 1_000)
    assert origin.notes["seed"] == "7"


def test_a_recording_without_requests_is_refused(tmp_path: Path) -> None:
    full, empty = record(tmp_path / "a.mfrec", ("GET", "/a", 200)), record(tmp_path / "b.mfrec")
    with pytest.raises(ComparisonError, match=r"b\.mfrec: the run is empty"):
        compare_recordings(full, empty)


def test_a_missing_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"none\.mfrec"):
        compare_recordings(tmp_path / "none.mfrec", tmp_path / "none.mfrec")
