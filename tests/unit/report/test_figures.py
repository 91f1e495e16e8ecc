"""How figures are written for people."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from mockforge.report import figures


@pytest.mark.parametrize(
    ("write", "value", "written"),
    [
        (figures.milliseconds, 0.4219, "0.42"),
        (figures.milliseconds, 9.81, "9.81"),
        (figures.milliseconds, 61.44, "61.4"),
        (figures.milliseconds, 1204.2, "1,204"),
        (figures.signed_milliseconds, 0.42, "+0.42 ms"),
        (figures.signed_milliseconds, -61.4, "-61.4 ms"),
        (figures.signed_milliseconds, -0.001, "+0.00 ms"),
        (figures.size, 812, "812 B"),
        (figures.size, 1_234, "1.2 kB"),
        (figures.size, 3.4e6, "3.4 MB"),
        (figures.percent, 0.134, "13.4 %"),
        (figures.signed_percent, 0.05, "+5.0 %"),
        (figures.signed_percent, -0.05, "-5.0 %"),
        (figures.signed_percent, -0.0001, "+0.0 %"),
        (figures.points, 0.004, "+0.4 pp"),
        (figures.points, -0.0001, "+0.0 pp"),
        (figures.rate, 1281.24, "1,281.2/s"),
        (figures.count, 12345.0, "12,345"),
    ],
)
def test_figures_are_written_with_the_digits_that_mean_something(
    write: Callable[[float], str], value: float, written: str
) -> None:
    assert write(value) == written


@pytest.mark.parametrize(
    "write", [figures.milliseconds, figures.percent, figures.signed_percent, figures.points, figures.rate]
)
def test_what_is_unknown_is_a_dash(write: Callable[[float], str]) -> None:
    assert write(math.nan) == "–"
