"""What docs/capacity.md shows: files that can be served, a program that prints what it says, every key."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mockforge.engine import compile_service
from mockforge.stubfiles.capacity_form import CapacityForm
from mockforge.stubfiles.reader import read_service

PAGE = (Path(__file__).parents[2] / "docs" / "capacity.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("written", blocks("yaml"))
def test_a_file_of_the_page_can_be_served(written: str, tmp_path: Path) -> None:
    file = tmp_path / "service.yaml"
    file.write_text(written)
    service = compile_service(read_service(file)).service
    assert service.capacity is not None


def test_the_program_of_the_page_prints_what_the_page_says() -> None:
    (program,), (printed,) = blocks("python"), blocks("text")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == printed


@pytest.mark.parametrize("key", CapacityForm.keys())
def test_every_key_of_a_capacity_stands_on_the_page(key: str) -> None:
    assert re.search(rf"`\{{?{key}\b|^\s+{key}:", PAGE, re.MULTILINE), key
