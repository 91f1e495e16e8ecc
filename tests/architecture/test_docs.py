"""What the documents say is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from mockforge import __version__
from mockforge.cli.main import application
from mockforge.delays.distributions import DISTRIBUTIONS
from mockforge.templating.transformers import TRANSFORMERS

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
COMMANDS = sorted(get_command(application()).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text()):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_in_the_readme_and_its_help_shows_an_example(command: str) -> None:
    assert f"mockforge {command}" in (ROOT / "README.md").read_text()
    shown = subprocess.run(
        [sys.executable, "-m", "mockforge", command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert f"mockforge {command}" in shown.split("Example", 1)[1]


@pytest.mark.parametrize(
    "name",
    [
        *DISTRIBUTIONS,
        *TRANSFORMERS,
    ],
)
def test_every_distribution_and_dialect_stands_in_the_docs(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "stub-files.md").read_text()


def test_no_page_tells_anyone_to_install_the_other_project_of_this_name() -> None:
    for page in PAGES:
        assert not re.search(r"pip install (-U |--upgrade )?mockforge(?!-server)", page.read_text()), (
            page.name
        )


def test_the_changelog_has_an_entry_for_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"## [{__version__}]" in changelog or "## [Unreleased]" in changelog


def test_the_version_stands_once() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()
