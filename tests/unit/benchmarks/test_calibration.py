"""A small calibration, seeded: the report's error rates are what its page says."""

from __future__ import annotations

import math
from pathlib import Path

from benchmarks.calibration import Rate, calibrated, rows

PAGE = Path(__file__).parents[3] / "docs" / "calibration.md"


def test_a_small_calibration_reaches_what_the_whole_one_must() -> None:
    found = rows(scale=0.1, seed=8)
    assert [one.what for one in found if off_by(one) > 2.5] == []


def off_by(one: Rate) -> float:
    """How far a rate is on the wrong side of its bound, in standard deviations of so few pairs."""
    beyond = one.hits / one.of - one.bound
    return (-beyond if one.at_least else beyond) / math.sqrt(one.bound * (1 - one.bound) / one.of)


def test_the_page_has_every_row_of_the_calibration() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "**missed**" not in page
    for one in rows(scale=0.01, seed=1):
        assert f"| {one.what} |" in page


def test_a_rate_on_the_wrong_side_of_its_bound_is_missed() -> None:
    assert not Rate("a", 6, 100, 0.05, False).reached
    assert Rate("a", 95, 100, 0.95, True).reached
    assert "| a | 100 | 6.0 % | ≤ 5 % | **missed** |" in calibrated([Rate("a", 6, 100, 0.05, False)], 1.0)
