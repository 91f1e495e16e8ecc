"""What stands for the model, and which figures are claimed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mockforge.model.stub import DelayDistribution
from mockforge.report.fit import PROBABILITIES, Calls, FitReport
from tests.unit.report.fit_examples import latencies, operation, service


def test_no_quantile_is_claimed_that_the_sample_does_not_bound() -> None:
    told = {
        size: [each.probability for each in operation("GET /a", latencies(size)).quantiles()]
        for size in (5, 12, 72, 368, 3_688)
    }
    assert told == {
        5: [],
        12: [0.5],
        72: [0.5, 0.9, 0.95],
        368: [0.5, 0.9, 0.95, 0.99],
        3_688: list(PROBABILITIES),
    }


def test_the_law_alone_follows_the_sample_that_it_was_fitted_to() -> None:
    fitted = operation("GET /a", latencies(5_000))
    assert all(abs(each.error) < 0.02 for each in fitted.quantiles())
    assert fitted.gap() < 0.02


def test_served_latencies_stand_for_the_model_where_they_are_known() -> None:
    recorded = latencies(400)
    served = np.append(recorded * 1.5, np.nan)
    fitted = operation("GET /a", recorded, served)
    assert all(each.error == pytest.approx(0.5) for each in fitted.quantiles())
    assert fitted.gap() == pytest.approx(0.5)


def test_an_operation_without_latencies_claims_nothing() -> None:
    fitted = replace(operation("GET /a", latencies(12)), recorded_ms=np.zeros(0))
    assert fitted.quantiles() == ()
    assert np.isnan(fitted.gap())


def test_recorded_zeros_have_no_relative_error() -> None:
    fitted = operation("GET /a", np.zeros(10), np.ones(10))
    assert np.isnan(fitted.quantiles()[0].error)
    assert np.isnan(fitted.gap())


def test_the_gap_of_a_service_weighs_operations_by_their_answers() -> None:
    one, two = latencies(300), latencies(100)
    report = replace(
        service(), operations=(operation("GET /a", one, one * 1.2), operation("GET /b", two, two * 2))
    )
    assert report.gap() == pytest.approx((300 * 0.2 + 100 * 1.0) / 400)
    assert np.isnan(FitReport("empty", "empty.mfrec", 0, 0.0, ()).gap())


def test_the_law_of_an_operation_may_be_of_any_type() -> None:
    fitted = replace(
        operation("GET /a", np.full(50, 20.0)), model=DelayDistribution("fixed", {"milliseconds": 30})
    )
    assert fitted.gap() == pytest.approx(0.5)


def test_spells_of_other_calls_are_refused() -> None:
    fewer = Calls(np.zeros(3, dtype=np.int64), np.ones(3), np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match="spells are of 400 calls, not of these 3"):
        replace(service(), calls=fewer)
