"""The tables of docs/matching.md are those of the registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mockforge.matching.multi_values import MULTI_OPERATORS
from mockforge.matching.operators import OPERATORS

PAGE = Path(__file__).parents[2] / "docs" / "matching.md"


def table() -> Iterator[str]:
    """The lines of the page's table of matchers."""
    yield "| matcher | matches | options |"
    yield "|---|---|---|"
    for name, operator in OPERATORS.items():
        options = ", ".join(f"`{option}`" for option in operator.options)
        yield f"| `{name}` | {operator.meaning} | {options} |"
    for name, (_, meaning) in MULTI_OPERATORS.items():
        yield f"| `{name}` | {meaning} | |"


def test_the_table_of_matchers_is_that_of_the_registry() -> None:
    wanted = "\n".join(table())
    assert wanted in PAGE.read_text(), f"docs/matching.md should hold\n\n{wanted}\n"


def test_every_option_is_explained() -> None:
    text = PAGE.read_text()
    for operator in OPERATORS.values():
        for option in operator.options:
            assert text.count(f"`{option}`") > 1 or f"`{option}: " in text, (
                f"{option} stands in the table alone"
            )
