"""Lognormals for other tools, with what their rounding costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mockforge.delays.distributions import compile_distribution
from mockforge.model.stub import DelayDistribution
from mockforge.report.fit_export import exports
from tests.unit.report.fit_examples import latencies, operation


def test_wiremock_is_given_what_the_mock_itself_can_read() -> None:
    wiremock, _ = exports(operation("GET /a", latencies(5_000, 40.0)))
    assert (wiremock.tool, wiremock.key) == ("WireMock", "delayDistribution")
    law = compile_distribution(
        DelayDistribution("lognormal", {k: v for k, v in wiremock.written.items() if k != "type"})
    )
    assert law.at(0.5) / 1e6 == pytest.approx(40, rel=0.03)
    assert wiremock.error < 0.03


def test_hoverfly_is_given_whole_milliseconds_that_give_back_sigma() -> None:
    _, hoverfly = exports(operation("GET /a", latencies(5_000, 40.0)))
    written = {name: float(value) for name, value in hoverfly.written.items()}
    assert set(written) == {"min", "max", "mean", "median"}
    assert all(value.is_integer() for value in written.values())
    assert written["min"] <= written["median"] <= written["mean"] <= written["max"]
    assert np.sqrt(2 * np.log(written["mean"] / written["median"])) == pytest.approx(0.4, abs=0.05)


def test_the_error_holds_what_whole_milliseconds_cost() -> None:
    wiremock, _ = exports(operation("GET /a", latencies(5_000, 2.0)))
    assert wiremock.error > 0.05


def test_what_is_below_a_millisecond_cannot_be_given_to_hoverfly() -> None:
    assert [each.tool for each in exports(operation("GET /a", latencies(400, 0.3)))] == ["WireMock"]


def test_equal_latencies_are_exported_without_spread() -> None:
    _, hoverfly = exports(operation("GET /a", np.full(60, 20.0)))
    assert hoverfly.written == {"min": 20, "max": 20, "mean": 20, "median": 20}
    assert hoverfly.error == 0


def test_too_few_answers_are_not_exported() -> None:
    assert exports(operation("GET /a", latencies(12))) == ()
    assert exports(replace(operation("GET /a", latencies(400)), families=())) == ()
