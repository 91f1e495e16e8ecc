"""Tolerances are read as people write them, and refused with what would work."""

from __future__ import annotations

import pytest

from mockforge.errors import UsageError
from mockforge.report.tolerances import DEFAULTS, Tolerances


@pytest.mark.parametrize(
    ("written", "metric", "bound"),
    [
        ("p95=10%", "p95", 0.10),
        ("p99.9 = 0.5", "p99.9", 0.5),
        ("error_rate=1pp", "error_rate", 0.01),
        ("gap=0.1", "gap", 0.1),
        ("ttfb_p95=12%", "ttfb_p95", 0.12),
        ("lateness_p99=2ms", "lateness_p99", 2.0),
    ],
)
def test_a_bound_is_a_share(written: str, metric: str, bound: float) -> None:
    tolerances = Tolerances.parse([written])
    assert tolerances.of("GET /any", metric) == pytest.approx(bound)
    assert tolerances.given == {metric}


def test_what_is_not_given_is_the_default_and_decides_nothing() -> None:
    tolerances = Tolerances.parse([])
    assert {metric: tolerances.of("GET /", metric) for metric in DEFAULTS} == dict(DEFAULTS)
    assert tolerances.given == frozenset()


def test_an_operation_may_have_a_bound_of_its_own() -> None:
    tolerances = Tolerances.parse(["p95=5%", "GET /orders/{id}: p95=20%"])
    assert tolerances.of("GET /orders/{id}", "p95") == pytest.approx(0.20)
    assert tolerances.of("GET /orders", "p95") == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("througput=10%", "did you mean throughput"),
        ("p95", "cannot be read"),
        ("p95=ten", "no number"),
        ("p95=-5%", "above zero"),
        ("p95=0", "above zero"),
        ("gap.delta<5%", "has no delta"),
        ("error_rate.ratio<2", "has no ratio"),
        ("p95.deviation<0", "allows nothing"),
        ("error_rate=5ms", "no number"),
    ],
)
def test_what_cannot_be_a_tolerance_is_refused(written: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Tolerances.parse([written])


def test_an_expression_is_an_expectation_and_decides() -> None:
    tolerances = Tolerances.parse(["p95.deviation<10%"])
    assert [one.text for one in tolerances.expectations] == ["p95.deviation<10%"]
    assert tolerances.decide
    assert not tolerances.asked("GET /", "p95")


def test_a_tolerance_of_one_operation_is_asked_for_that_one_alone() -> None:
    tolerances = Tolerances.parse(["GET /orders/{id}:p95=10%"])
    assert tolerances.asked("GET /orders/{id}", "p95")
    assert not tolerances.asked("GET /orders", "p95")
    assert tolerances.decide
