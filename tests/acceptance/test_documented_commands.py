"""Every command that the documents show is one that the program takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from mockforge.cli.main import application

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
    *[ROOT / folder / "README.md" for folder in ("deploy", "recordings", "stubs")],
]
CONSOLE = re.compile(r"^ *```console\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
BACKTICKED = re.compile(r"`(mockforge [^`]*)`")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


def shown_on(page: Path) -> Iterator[str]:
    """The lines after a `$` in a page's console blocks, continued lines joined."""
    for block in CONSOLE.findall(page.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip().startswith("$ "):
                yield line.strip().removeprefix("$ ")


SHOWN = [(page, line) for page in PAGES for line in shown_on(page)]
OURS = [
    pytest.param(line, id=f"{page.name}: {line}") for page, line in SHOWN if line.startswith("mockforge ")
]


def words_of(line: str) -> list[str]:
    """The arguments of the first command in a line, without the program's name."""
    words = shlex.split(line, comments=True)
    ends = [place for place, word in enumerate(words) if word in {"|", "&", "&&", ">", ";"}]
    return words[1 : ends[0] if ends else None]


def test_each_command_is_shown_in_the_readme() -> None:
    commands = get_command(application()).commands  # type: ignore[attr-defined]
    shown = {
        words_of(line)[0] for page, line in SHOWN if page.name == "README.md" and line.startswith("mock")
    }
    assert set(commands) <= shown


@pytest.mark.parametrize("line", OURS)
def test_a_shown_command_parses(line: str) -> None:
    name, *arguments = words_of(line)
    if name == "--help":
        return
    command = get_command(application()).commands[name]  # type: ignore[attr-defined]
    command.make_context(name, arguments)  # raises what it would refuse; runs nothing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_named_in_running_text_exist(page: Path) -> None:
    commands = get_command(application()).commands  # type: ignore[attr-defined]
    for quoted in BACKTICKED.findall(page.read_text()):
        name, *arguments = quoted.split()[1:]
        known = {option for parameter in commands[name].params for option in parameter.opts} | {"--help"}
        named = {word for word in arguments if word.startswith("--")}
        assert named <= known, f"{quoted!r}: no such option"


def test_make_targets_that_are_shown_exist() -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    for page in PAGES:
        shown = set(re.findall(r"(?:^\$ |^    |`)make ([a-z-]+)", page.read_text(), re.MULTILINE))
        assert shown <= targets, f"{page.name} shows {shown - targets}"
