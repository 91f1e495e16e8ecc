"""`mockforge history` over the reports that `mockforge compare --json` writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "recordings" / "orders-example.mfrec"


def mockforge(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mockforge", *arguments], capture_output=True, text=True, check=False
    )


def test_reports_of_a_folder_are_shown_and_written_as_a_page(tmp_path: Path) -> None:
    done = mockforge("compare", str(EXAMPLE), str(EXAMPLE), "--json", str(tmp_path / "runs" / "1.json"))
    assert done.returncode == 0, done.stderr
    done = mockforge("history", str(tmp_path / "runs"), "--html", str(tmp_path / "history.html"))
    assert done.returncode == 0, done.stderr
    assert "gap 0.0 % in the last of 1 report" in done.stdout
    assert "1.json" in done.stdout
    assert (tmp_path / "history.html").read_text().startswith("<!doctype html>")


def test_a_folder_without_reports_is_told_in_one_line(tmp_path: Path) -> None:
    done = mockforge("history", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "there are no reports in it" in done.stderr
