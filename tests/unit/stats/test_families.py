"""Families are recovered from their own samples, and ranked by what they were not fitted to."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mockforge.stats.families import LEAST_VALUES, FamilyFit, rank_families

Draw = Callable[[np.random.Generator], NDArray[np.float64]]
N = 5_000


def found(values: NDArray[np.float64]) -> dict[str, FamilyFit]:
    return {fit.name: fit for fit in rank_families(values)}


LAWS: list[tuple[str, Draw, dict[str, float]]] = [
    ("lognormal", lambda g: g.lognormal(3.0, 0.6, N), {"median": math.exp(3), "sigma": 0.6}),
    ("gamma", lambda g: g.gamma(2.5, 4.0, N), {"shape": 2.5, "scale": 4.0}),
    ("gamma", lambda g: g.gamma(0.5, 4.0, N), {"shape": 0.5, "scale": 4.0}),
    ("weibull", lambda g: 5.0 * g.weibull(0.7, N), {"shape": 0.7, "scale": 5.0}),
    ("log-logistic", lambda g: 10.0 * np.exp(g.logistic(0, 0.25, N)), {"median": 10.0, "shape": 4.0}),
    (
        "two lognormals",
        lambda g: np.where(g.random(N) < 0.02, g.lognormal(5.7, 0.1, N), g.lognormal(3.0, 0.3, N)),
        {
            "median": math.exp(3),
            "sigma": 0.3,
            "median_2": math.exp(5.7),
            "sigma_2": 0.1,
            "share_2": 0.02,
        },
    ),
]


@pytest.mark.parametrize(("name", "draw", "truth"), LAWS, ids=[name for name, _, _ in LAWS])
def test_a_family_is_first_on_its_own_sample_with_its_own_parameters(
    name: str, draw: Draw, truth: dict[str, float]
) -> None:
    first = rank_families(draw(np.random.default_rng(1)))[0]
    assert first.name == name
    assert first.parameters == pytest.approx(truth, rel=0.15 if name == "two lognormals" else 0.06)
    assert first.error < 0.03


def test_all_five_are_fitted_and_the_best_score_is_first() -> None:
    fits = rank_families(np.random.default_rng(2).gamma(3.0, 2.0, 2_000))
    assert {fit.name for fit in fits} == {"lognormal", "gamma", "weibull", "log-logistic", "two lognormals"}
    scores = [fit.score for fit in fits]
    assert scores == sorted(scores, reverse=True)


def test_the_score_is_the_mean_log_density_of_values_held_out() -> None:
    values = np.random.default_rng(3).lognormal(1.0, 0.5, N)
    logs = np.log(values)
    truth = -(((logs - 1.0) / 0.5) ** 2) / 2 - math.log(0.5 * math.sqrt(2 * math.pi)) - logs
    assert found(values)["lognormal"].score == pytest.approx(float(truth.mean()), abs=2e-3)


def test_the_fit_is_where_the_likelihood_is_greatest() -> None:
    values = np.random.default_rng(4).weibull(1.7, 2_000) * 8.0

    def likelihood(shape: float, scale: float) -> float:
        z = values / scale
        return float(np.sum(np.log(shape / scale) + (shape - 1) * np.log(z) - z**shape))

    shape, scale = (found(values)["weibull"].parameters[name] for name in ("shape", "scale"))
    best = likelihood(shape, scale)
    for factor in (0.99, 1.01):
        assert likelihood(shape * factor, scale) < best
        assert likelihood(shape, scale * factor) < best


def test_parameters_follow_the_unit_of_the_values_and_errors_do_not() -> None:
    values = np.random.default_rng(5).gamma(2.0, 3.0, 1_000)
    small, large = found(values), found(values * 1_000)
    for name, fit in small.items():
        assert large[name].error == pytest.approx(fit.error, rel=1e-3, abs=1e-4)
        assert large[name].score == pytest.approx(fit.score - math.log(1_000), abs=1e-3)
    assert large["gamma"].parameters["scale"] == pytest.approx(1_000 * small["gamma"].parameters["scale"])


def test_blocks_are_held_out_in_time() -> None:
    """A drift costs every family: the last block lies where none of the others do."""
    values = np.random.default_rng(6).lognormal(0, 0.1, 1_000)
    drifting = np.sort(values)
    assert found(drifting)["lognormal"].score < found(values)["lognormal"].score - 0.3


def test_long_samples_are_thinned_evenly() -> None:
    values = np.random.default_rng(7).lognormal(2.0, 0.5, 200_000)
    assert found(values)["lognormal"].parameters["median"] == pytest.approx(math.exp(2.0), rel=0.03)


def test_few_values_have_no_family() -> None:
    values = np.random.default_rng(8).lognormal(2.0, 0.5, LEAST_VALUES)
    assert rank_families(values[:-1]) == ()
    assert rank_families([]) == ()
    assert len(rank_families(values)) == 5


@pytest.mark.parametrize(
    "values",
    [
        np.full(100, 3.0),
        np.concatenate([np.full(80, 10.0), np.geomspace(1, 1e5, 20)]),
        np.concatenate([np.full(99, 10.0), [1e9]]),
        np.geomspace(1e-6, 1e9, 100),
        np.tile([1.0, 1_000.0], 50),
    ],
    ids=["equal", "almost equal", "one far off", "fifteen decades", "two values"],
)
def test_odd_samples_have_finite_fits(values: NDArray[np.float64]) -> None:
    for fit in rank_families(values):
        assert all(math.isfinite(value) for value in fit.parameters.values()), fit
        assert math.isfinite(fit.score), fit
        assert math.isfinite(fit.error), fit


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_values_that_are_no_latencies_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        rank_families(np.append(np.ones(100), value))
