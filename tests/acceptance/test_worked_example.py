"""`stubs/orders` is what the program learns from `recordings/orders-example.mfrec`, to the byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the page, which is large and no part of the stubs."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != "fit.html")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_learning_is_stable_and_the_worked_example_is_its_result(
    tmp_path: Path, mockforge: Callable[..., str]
) -> None:
    mockforge("learn", "recordings/orders-example.mfrec", "--out", str(tmp_path / "orders"))
    assert contents(tmp_path / "orders") == contents(ROOT / "stubs" / "orders")
