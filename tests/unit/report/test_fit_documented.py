"""The examples of docs/fit.md do what they show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[3] / "docs" / "fit.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(example: str, folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", example], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def test_families_are_ranked_as_shown(tmp_path: Path) -> None:
    shown = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown
    assert run(EXAMPLES[0], tmp_path) == shown[1]


def test_a_fit_is_printed_and_written(tmp_path: Path) -> None:
    assert "GET /orders/{id}: 200" in run(EXAMPLES[1], tmp_path)
    assert "What was learned of orders" in (tmp_path / "fit.html").read_text()
