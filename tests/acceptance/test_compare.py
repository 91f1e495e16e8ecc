"""`mockforge compare` as a user runs it, on recordings as they lie on the disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mockforge.model.exchange import Exchange, Request, Response
from mockforge.recording.store import RecordingMeta, RecordingWriter


def compare(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mockforge", "compare", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "100"},
        check=False,
    )


def record(path: Path, targets: Sequence[str], latency_ms: float) -> Path:
    with RecordingWriter(path, RecordingMeta("recording", "http://backend", 0)) as writer:
        for index, target in enumerate(targets):
            total_ns = round((latency_ms + index % 10) * 1e6)
            writer.add(
                Exchange(index, index * 5_000_000, Request("GET", target), Response(200), total_ns, total_ns)
            )
    return path


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    targets = [f"/orders/{number}" for number in range(200)]
    return record(tmp_path / "real.mfrec", targets, 10), record(tmp_path / "mock.mfrec", targets, 12)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a refusal is."""
    assert done.returncode == 2, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mockforge: ")
    return lines[0]


def test_two_recordings_make_a_report(runs: tuple[Path, Path], tmp_path: Path) -> None:
    page, document = tmp_path / "out" / "report.html", tmp_path / "out" / "report.json"
    done = compare(*runs, "--html", page, "--json", document)
    assert done.returncode == 0, done.stderr
    assert "performance deviation gap 13.8 % over 200 requests" in done.stdout
    assert "GET /orders/{id}" in done.stdout
    assert done.stderr.splitlines() == [f"wrote {page}", f"wrote {document}"]
    assert "Performance deviation gap" in page.read_text(encoding="utf-8")
    assert json.loads(document.read_text(encoding="utf-8"))["gap_share"] == pytest.approx(2 / 14.5, abs=1e-6)


def test_a_missing_file_is_named(runs: tuple[Path, Path], tmp_path: Path) -> None:
    assert "none.mfrec" in refusal(compare(runs[0], tmp_path / "none.mfrec"))


def test_an_empty_run_is_named(runs: tuple[Path, Path], tmp_path: Path) -> None:
    empty = record(tmp_path / "empty.mfrec", [], 0)
    assert f"{empty}: the run is empty" in refusal(compare(runs[0], empty))


def test_runs_with_nothing_in_common_are_refused_with_near_names(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    other = record(tmp_path / "other.mfrec", ["/order/1", "/health"], 1)
    line = refusal(compare(runs[0], other))
    assert "no operation in common" in line
    assert "near names: GET /orders/{id} and GET /order/{id}" in line


def test_a_report_that_cannot_be_written_is_one_line_after_the_figures(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = compare(*runs, "--html", tmp_path / "file" / "report.html")
    assert "report.html: the report cannot be written" in refusal(done)
    assert "performance deviation gap" in done.stdout


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_draws_its_pictures_without_a_word_on_the_console(
    runs: tuple[Path, Path], tmp_path: Path, scheme: str
) -> None:
    page = tmp_path / "report.html"
    assert compare(*runs, "--html", page).returncode == 0
    browser = subprocess.run(
        [
            "chromium",
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *("--window-size=1280,5000", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=10000"),
            f"--blink-settings=preferredColorScheme={int(scheme == 'light')}",
            f"--user-data-dir={tmp_path / 'browser'}",
            *("--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not [line for line in browser.stderr.splitlines() if "CONSOLE" in line]
    drawn = re.sub(r"<script.*?</script>", "", browser.stdout, flags=re.DOTALL)
    assert len(re.findall(r'<div class="plot js-plotly-plot"', drawn)) == 6


@pytest.mark.parametrize(("bound", "code"), [("50%", 0), ("5%", 1)])
def test_the_exit_code_is_the_verdict_where_a_tolerance_was_given(
    runs: tuple[Path, Path], bound: str, code: int
) -> None:
    done = compare(*runs, "--tolerance", f"p50={bound}")
    assert done.returncode == code, done.stdout + done.stderr
    assert ("within" if code == 0 else "outside") in done.stdout


def test_a_tolerance_that_the_samples_cannot_judge_is_inconclusive(runs: tuple[Path, Path]) -> None:
    done = compare(*runs, "--tolerance", "p99.9=30%")
    assert done.returncode == 3, done.stdout
    assert "inconclusive" in done.stdout


def test_a_tolerance_that_cannot_be_read_is_refused(runs: tuple[Path, Path]) -> None:
    assert "did you mean throughput" in refusal(compare(*runs, "--tolerance", "througput=5%"))


def test_every_form_is_written(runs: tuple[Path, Path], tmp_path: Path) -> None:
    forms = {"markdown": "### ", "junit": "<?xml", "prometheus": "# HELP"}
    options = [part for form in forms for part in (f"--{form}", str(tmp_path / form))]
    assert compare(*runs, *options).returncode == 0
    assert all((tmp_path / form).read_text().startswith(begins) for form, begins in forms.items())


def test_an_expression_decides_the_exit_code(runs: tuple[Path, Path]) -> None:
    assert compare(*runs, "--assert", "p50.mock<50ms").returncode == 0
    broken = compare(*runs, "--assert", "GET /orders/{id}: p50.deviation<2%")
    assert broken.returncode == 1
    assert "1 of 1 expectations are broken" in broken.stdout
    assert compare(*runs, "--assert", "p99.9.deviation<2%").returncode == 3
    assert "cannot be read" in refusal(compare(*runs, "--assert", "p50 is fine"))


def test_repetitions_are_compared_run_by_run(runs: tuple[Path, Path]) -> None:
    real, mock = runs
    done = compare("--a", real, "--a", real, "--b", mock, "--verbose")
    assert done.returncode == 0, done.stderr
    assert "over 400 real and 200 mocked requests" in done.stdout
    assert "2 real and 1 mocked runs" in done.stdout
    assert "autocorrelation" in done.stdout
    assert "the mocked run is missing" in refusal(compare("--a", real))
    assert "named twice" in refusal(compare(real, mock, "--b", mock))


def test_what_the_mock_answers_otherwise_is_named(tmp_path: Path) -> None:
    def answering(name: str, body: bytes) -> Path:
        with RecordingWriter(tmp_path / name, RecordingMeta("recording", "http://backend", 0)) as writer:
            for index in range(20):
                request, response = Request("GET", "/orders"), Response(200, body=body)
                writer.add(Exchange(index, index * 5_000_000, request, response, 1_000_000))
        return tmp_path / name

    done = compare(answering("real.mfrec", b'{"id": 1, "price": 2.5}'), answering("mock.mfrec", b'{"id": 1}'))
    assert "GET /orders is answered otherwise: json $.price: number only real" in " ".join(
        done.stdout.split()
    )


def test_the_callers_results_are_a_second_level(runs: tuple[Path, Path], tmp_path: Path) -> None:
    pages = ["/page"] * 200
    caller = [
        record(tmp_path / f"{name}.mfrec", pages, ms) for name, ms in (("k6-real", 20), ("k6-mock", 22))
    ]
    done = compare(*runs, "--caller-a", caller[0], "--caller-b", caller[1])
    assert done.returncode == 0, done.stderr
    assert "At the caller the gap is" in done.stdout
    assert "of which the dependency explains +2.00 ms" in " ".join(done.stdout.split())
    assert "needed on both sides" in refusal(compare(*runs, "--caller-a", caller[0]))
