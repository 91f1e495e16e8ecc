"""The examples of docs/extending.md, put where they say they belong, and run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "extending.md"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file it belongs in (empty for a program), and its text."""

    language: str
    file: str
    text: str


def sections() -> dict[str, list[Block]]:
    """The blocks of each section by its heading; sections without blocks are left out."""
    found = {}
    for section in PAGE.read_text().split("\n## ")[1:]:
        blocks = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
        if blocks:
            found[section.partition("\n")[0]] = [Block(*block) for block in blocks]
    return found


def put(package: Path, blocks: list[Block]) -> None:
    """Put blocks that name a file into it: a new file as it is, code for an old one above its first diff."""
    for block in blocks:
        file = package.parent / block.file
        if block.file == "pyproject.toml":
            register(package.parent, block.text)
        elif block.language == "diff":
            file.write_text(patched(file.read_text(), block.text))
        elif block.file and file.exists():
            first = next(each for each in blocks if each.language == "diff" and each.file == block.file)
            file.write_text(with_code(file.read_text(), block.text, before=old(first.text)))
        elif block.file:
            file.write_text(block.text)


def register(folder: Path, project: str) -> None:
    """What installing the project leaves behind of its entry points."""
    installed = folder / "example-1.dist-info"
    installed.mkdir()
    groups = tomllib.loads(project)["project"]["entry-points"]
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (installed / "entry_points.txt").write_text("\n".join(lines))
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: example\nVersion: 1\n")


def old(diff: str) -> str:
    return "\n".join(line[1:] for line in diff.splitlines() if line[0] in " -")


def new(diff: str) -> str:
    return "\n".join(line[1:] for line in diff.splitlines() if line[0] in " +")


def patched(text: str, diff: str) -> str:
    assert text.count(old(diff)) == 1, f"the page changes what is not there:\n{old(diff)}"
    return text.replace(old(diff), new(diff))


def with_code(text: str, code: str, *, before: str) -> str:
    """`text` with `code` above the top-level statement that `before` stands in."""
    upto = text.index(before)
    start = upto if text[upto].isalpha() else [*re.finditer(r"^\w", text[:upto], re.MULTILINE)][-1].start()
    return f"{text[:start]}{code}\n\n{text[start:]}"


@pytest.mark.parametrize(("heading", "blocks"), sections().items(), ids=list(sections()))
def test_the_example_works_as_written(heading: str, blocks: list[Block], tmp_path: Path) -> None:
    package = tmp_path / "mockforge"
    shutil.copytree(ROOT / "mockforge", package, ignore=shutil.ignore_patterns("__pycache__"))
    put(package, blocks)
    for program in (block.text for block in blocks if block.language == "python" and not block.file):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{heading}:\n{done.stderr}"


def test_each_extension_point_has_code_a_table_line_and_a_program() -> None:
    registered = "A matcher of whole requests, in a package of your own"
    assert list(sections()) == [
        "A distribution",
        "A fault",
        "A matcher",
        registered,
        "A function of templates",
        "A renderer",
        "A load tool's file",
        "A number of the report",
    ]
    for heading, blocks in sections().items():
        kinds = {(block.language, bool(block.file)) for block in blocks}
        entry = "toml" if heading == registered else "diff"
        assert kinds == {("python", True), (entry, True), ("python", False)}
