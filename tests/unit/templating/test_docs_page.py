"""docs/templating.md names every function and every part of the request, and says the limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockforge.templating import budget
from mockforge.templating.functions.table import FUNCTIONS
from mockforge.templating.request import TemplateRequest

PAGE = (Path(__file__).parents[3] / "docs" / "templating.md").read_text()
FIRST_CELLS = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_stands_in_the_table(name: str) -> None:
    assert f"`{name}(" in FIRST_CELLS


def test_the_table_has_no_function_that_is_not_there() -> None:
    assert set(re.findall(r"`(\w+)\(", FIRST_CELLS)) == set(FUNCTIONS)


@pytest.mark.parametrize("part", TemplateRequest.PARTS)
def test_every_part_of_the_request_stands_in_the_table(part: str) -> None:
    assert f"`request.{part}`" in FIRST_CELLS


@pytest.mark.parametrize("limit", [budget.MOST_STEPS, budget.LONGEST_TEXT, budget.MOST_CHARACTERS])
def test_the_limits_are_those_of_the_page(limit: int) -> None:
    assert f"| {limit:,} |" in PAGE


def test_the_time_limit_is_that_of_the_page() -> None:
    assert f"| {budget.LONGEST_NS // 1_000_000} ms |" in PAGE
