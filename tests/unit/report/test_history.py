"""The gap over many reports."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mockforge.errors import ComparisonError
from mockforge.report.deviation import ALL_OPERATIONS
from mockforge.report.files import compare_recordings
from mockforge.report.history import read_history
from mockforge.report.render_json import render_json
from tests.unit.report.test_samples import record


def report(path: Path, at_ns: int, gap: float | None, **operations: float | None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    run = [{"origin": {"started_wall_ns": at_ns}}]
    found = [{"name": name, "gap_share": share} for name, share in operations.items()]
    document = {"schema": "mockforge.deviation/2", "gap_share": gap, "verdict": "within", "operations": found}
    path.write_text(json.dumps(document | {"real": run, "mock": run}))
    return path


def test_reports_come_by_the_time_of_their_runs(tmp_path: Path) -> None:
    report(tmp_path / "b.json", 1, 0.1)
    report(tmp_path / "deep" / "a.json", 3, 0.3)
    report(tmp_path / "c.json", 2, 0.2)
    history = read_history(tmp_path)
    assert [entry.path.name for entry in history.entries] == ["b.json", "c.json", "a.json"]
    assert history.series[0].gaps == (0.1, 0.2, 0.3)


def test_an_operation_is_followed_over_the_reports_that_have_it(tmp_path: Path) -> None:
    report(tmp_path / "a.json", 1, 0.1, x=0.1)
    report(tmp_path / "b.json", 2, 0.1, y=0.2)
    report(tmp_path / "c.json", 3, None, x=0.3, y=None)
    series = {one.name: (one.entries, one.gaps) for one in read_history(tmp_path).series}
    assert series == {
        ALL_OPERATIONS: ((0, 1), (0.1, 0.1)),
        "x": ((0, 2), (0.1, 0.3)),
        "y": ((1,), (0.2,)),
    }


def test_a_change_of_the_gap_is_found(tmp_path: Path) -> None:
    for day in range(20):
        report(tmp_path / f"{day:02}.json", day + 1, (0.05 if day < 10 else 0.2) + day % 3 / 100)
    (change,) = read_history(tmp_path).series[0].changes
    assert change.index == 10


def test_what_compare_writes_is_read(tmp_path: Path) -> None:
    real = record(tmp_path / "a.mfrec", *[("GET", "/a", 200)] * 5)
    (tmp_path / "r.json").write_text(render_json(compare_recordings(real, real)))
    (entry,) = read_history(tmp_path).entries
    assert (entry.at_ns, entry.gaps["GET /a"]) == (1_000, 0.0)


def test_a_file_without_the_time_of_its_runs_has_its_own(tmp_path: Path) -> None:
    path = report(tmp_path / "a.json", 0, 0.1)
    os.utime(path, ns=(5_000, 5_000))
    assert read_history(tmp_path).entries[0].at_ns == 5_000


def test_other_json_is_passed_over_and_a_damaged_report_named(tmp_path: Path) -> None:
    report(tmp_path / "a.json", 1, 0.1)
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / "torn.json").write_text((tmp_path / "a.json").read_text()[:-20])
    history = read_history(tmp_path)
    assert len(history.entries) == 1
    assert [path.name for path, _ in history.damaged] == ["torn.json"]


def test_a_folder_without_reports_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComparisonError, match=r"no reports in it \(mockforge compare"):
        read_history(tmp_path)
    with pytest.raises(ComparisonError, match="no such folder"):
        read_history(tmp_path / "none")
