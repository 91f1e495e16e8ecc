"""The command line, and which results are kept beside new ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import ROWS, Book, main
from benchmarks.results import Conditions, RowResult, load

CONDITIONS = Conditions(
    "2025-01-31 12:00 UTC", "python -m benchmarks", (("processor", "A"),), (("wrk", "4"),)
)


def row(key: str, conditions: Conditions = CONDITIONS) -> RowResult:
    return RowResult(key, f"Work {key}", "", (), (), conditions)


def test_a_row_replaces_its_own_results_and_keeps_the_others_in_their_order(tmp_path: Path) -> None:
    book = Book.open(tmp_path, CONDITIONS)
    for key in ("memory", "static"):
        book.enter(row(key))
    later = replace(CONDITIONS, date="2025-02-01 12:00 UTC")
    Book.open(tmp_path, later).enter(row("memory", later))
    assert load(tmp_path / "results.json") == (row("static"), row("memory", later))
    page = (tmp_path / "RESULTS.md").read_text()
    assert page.index("## Work static") < page.index("## Work memory")


@pytest.mark.parametrize(
    "now",
    [
        replace(CONDITIONS, machine=(("processor", "B"),)),
        replace(CONDITIONS, software=(("wrk", "5"),)),
        replace(CONDITIONS, quick=True),
    ],
    ids=["machine", "software", "quick"],
)
def test_results_of_other_conditions_are_dropped(tmp_path: Path, now: Conditions) -> None:
    Book.open(tmp_path, CONDITIONS).enter(row("static"))
    Book.open(tmp_path, now).enter(row("memory", now))
    assert load(tmp_path / "results.json") == (row("memory", now),)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rows", "static,statik"], "no row 'statik'"),
        (["--rows", ","], "no row ','"),
        (["--rounds", "0"], "'0' is not a whole number above 0"),
    ],
)
def test_a_wrong_command_line_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert said in capsys.readouterr().err


def test_every_row_stands_in_the_docs() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "benchmarks.md").read_text()
    for name in ROWS:
        assert f"`{name}`" in docs
