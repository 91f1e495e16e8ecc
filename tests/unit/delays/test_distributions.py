"""Sampled delays follow their law: 10,000 seeded draws against the distribution function."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from mockforge.delays.distributions import (
    Fixed,
    LogNormal,
    Quantiles,
    Uniform,
    compile_distribution,
)
from mockforge.errors import StubFileError
from mockforge.model.stub import DelayDistribution

DRAWS = 10_000
#: Dvoretzky-Kiefer-Wolfowitz: an honest sample of this size is further off once in a million seeds.
DKW = math.sqrt(math.log(2 / 1e-6) / (2 * DRAWS))

MS = 1_000_000
Cdf = Callable[[float], float]
TABLE = {0: 2.0, 50: 10.0, 90: 40.0, 100: 80.0}


def draw_ms(law: str, parameters: Mapping[str, object], seed: int) -> NDArray[np.float64]:
    distribution = compile_distribution(DelayDistribution(law, parameters))
    random = Random(seed)
    return np.sort([distribution.at(random.random()) / MS for _ in range(DRAWS)])


def ks_distance(sample: NDArray[np.float64], cdf: Cdf) -> float:
    """Kolmogorov-Smirnov: the largest gap between the sample's steps and the law."""
    law = np.array([cdf(float(value)) for value in sample])
    steps = np.arange(sample.size + 1) / sample.size
    return float(max(np.max(steps[1:] - law), np.max(law - steps[:-1])))


def uniform_cdf(value: float) -> float:
    return min(1.0, max(0.0, (value - 10) / 20))


def lognormal_cdf(value: float) -> float:
    return NormalDist(math.log(20), 0.4).cdf(math.log(value))


def truncated_lognormal_cdf(value: float) -> float:
    return min(1.0, lognormal_cdf(value) / lognormal_cdf(25))


def table_cdf(value: float) -> float:
    levels = [level / 100 for level in TABLE]
    return float(np.interp(math.log(value), [math.log(each) for each in TABLE.values()], levels))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("law", "parameters", "cdf"),
    [
        ("uniform", {"lower": 10, "upper": 30}, uniform_cdf),
        ("lognormal", {"median": 20, "sigma": 0.4}, lognormal_cdf),
        ("lognormal", {"median": 20, "sigma": 0.4, "maxValue": 25}, truncated_lognormal_cdf),
        ("quantiles", {"points": TABLE}, table_cdf),
    ],
    ids=["uniform", "lognormal", "truncated lognormal", "quantiles"],
)
def test_draws_follow_their_law(law: str, parameters: Mapping[str, object], cdf: Cdf, seed: int) -> None:
    assert ks_distance(draw_ms(law, parameters, seed), cdf) < DKW


def test_the_test_of_the_law_sees_a_law_that_is_five_percent_off() -> None:
    assert ks_distance(draw_ms("lognormal", {"median": 21, "sigma": 0.4}, seed=1), lognormal_cdf) > DKW


def test_fixed_is_always_the_same() -> None:
    fixed = compile_distribution(DelayDistribution("fixed", {"milliseconds": 12.5}))
    assert fixed == Fixed(12_500_000)
    assert {fixed.at(Random(seed).random()) for seed in range(20)} == {12_500_000}


def test_uniform_may_have_no_width() -> None:
    assert Uniform.from_parameters({"lower": 5, "upper": 5}).at(Random(1).random()) == 5 * MS


def test_uniform_is_a_straight_line_between_its_bounds() -> None:
    uniform = Uniform.from_parameters({"lower": 10, "upper": 30})
    assert [uniform.at(level) for level in (0, 0.25, 0.5)] == [10 * MS, 15 * MS, 20 * MS]


def test_uniform_bounds_must_not_cross() -> None:
    with pytest.raises(StubFileError, match=r"^upper is 5; it must be at least 10"):
        Uniform.from_parameters({"lower": 10, "upper": 5})


def test_lognormal_is_exact_where_the_normal_law_is_known() -> None:
    law = LogNormal.from_parameters({"median": 20, "sigma": 0.4})
    assert law.at(0.5) == 20 * MS
    assert law.at(NormalDist().cdf(1)) == pytest.approx(20 * math.exp(0.4) * MS, abs=2)


@pytest.mark.parametrize(("maximum", "delay_ms"), [(500, 20), (15, 15)])
def test_lognormal_without_spread_is_its_median_or_its_maximum(maximum: float, delay_ms: int) -> None:
    law = LogNormal.from_parameters({"median": 20, "sigma": 0, "maxValue": maximum})
    assert {law.at(level) for level in (0, 0.5, 0.999)} == {delay_ms * MS}


def test_lognormal_never_exceeds_its_maximum_and_comes_close() -> None:
    drawn = draw_ms("lognormal", {"median": 20, "sigma": 1, "maxValue": 21}, seed=1)
    assert 20.9 < drawn.max() <= 21


def test_a_maximum_that_hardly_any_draw_stays_below_is_the_delay() -> None:
    below_all = LogNormal.from_parameters({"median": 1_000, "sigma": 0.001, "maxValue": 1})
    assert {below_all.at(level) for level in (0, 0.5, 0.999)} == {MS}


@pytest.mark.parametrize("sigma", [40, 400, 1e8])
def test_a_lognormal_of_absurd_spread_still_gives_delays_that_a_timer_can_hold(sigma: float) -> None:
    wild = LogNormal.from_parameters({"median": 1, "sigma": sigma})
    assert all(0 <= wild.at(level) < 2**62 for level in (0, 0.001, 0.5, 0.999, 1 - 2**-53))


def test_a_median_of_zero_is_refused() -> None:
    with pytest.raises(StubFileError, match=r"^median is 0; it must be above 0"):
        LogNormal.from_parameters({"median": 0, "sigma": 1})


def quantiles(points: Mapping[object, object]) -> Quantiles:
    return Quantiles.from_parameters({"points": points})


def test_a_quantile_table_is_exact_at_its_points() -> None:
    table = quantiles({0: 3.1, 50: 9.8, 90: 22, 99.9: 61, 100: 61})
    assert [table.at(level) for level in (0, 0.5, 0.9, 0.999, 1)] == [
        3_100_000,
        9_800_000,
        22_000_000,
        61_000_000,
        61_000_000,
    ]


def test_between_two_points_the_logarithm_is_a_straight_line() -> None:
    table = quantiles({0: 1, 100: 100})
    assert [table.at(level) for level in (0.25, 0.5, 0.75)] == pytest.approx(
        [10**0.5 * MS, 10 * MS, 10**1.5 * MS], abs=1
    )


def test_a_table_that_does_not_reach_the_ends_is_clamped_there() -> None:
    table = quantiles({10: 5, 90: 50})
    assert {table.at(level) for level in (0, 0.05, 0.1)} == {5 * MS}
    assert {table.at(level) for level in (0.9, 0.99, 1)} == {50 * MS}


def test_a_table_of_one_point_is_a_fixed_delay() -> None:
    assert {quantiles({50: 7}).at(level) for level in (0, 0.3, 0.5, 1)} == {7 * MS}


def test_a_step_between_equal_points_stays_level() -> None:
    table = quantiles({0: 5, 40: 5, 60: 9, 100: 9})
    assert table.at(0.2) == 5 * MS
    assert table.at(0.8) == 9 * MS


def test_a_zero_in_the_table_is_as_good_as_no_delay() -> None:
    assert quantiles({0: 0, 100: 10}).at(0) <= 1


def test_points_may_stand_in_any_order_and_as_text() -> None:
    assert quantiles({"100": 61, 0: 3, "50": 9.8}) == quantiles({0: 3, 50: 9.8, 100: 61})


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"points": {}}, "points is missing"),
        ({"points": [1, 2]}, "points is missing"),
        ({"points": {0: 1, 101: 2}}, "101 is not a percentile"),
        ({"points": {-1: 1}}, "-1 is not a percentile"),
        ({"points": {"median": 1}}, "'median' is not a percentile"),
        ({"points": {"nan": 1}}, "'nan' is not a percentile"),
        ({"points": {True: 1}}, "True is not a percentile"),
        ({"points": {0: 1, 50: 9, 90: 8.5}}, "points fall at 90: 8.5 after 9"),
        ({"points": {0: -1}}, "0 is -1; it must be at least 0"),
        ({"points": {0: "1"}}, "0 must be a number of milliseconds, not '1'"),
        ({"points": {0: 1}, "unit": "s"}, "unit 's' is not known"),
    ],
)
def test_a_table_that_cannot_be_is_refused_by_its_point(parameters: Mapping[str, object], why: str) -> None:
    with pytest.raises(StubFileError) as refused:
        Quantiles.from_parameters(parameters)
    assert why in str(refused.value)


TAIL = {"type": "gpd", "from": 99, "shape": 0.2, "scale": 14}


def with_tail(**changes: object) -> DelayDistribution:
    points = {0: 3.1, 50: 9.8, 99: 61}
    return DelayDistribution("quantiles", {"points": points, "tail": {**TAIL, **changes}})


def test_a_tail_goes_on_where_the_points_end() -> None:
    law = compile_distribution(with_tail())
    assert law.at(0.99) == 61 * MS
    assert law.at(0.999) == pytest.approx((61 + 14 / 0.2 * (10**0.2 - 1)) * MS, rel=1e-6)


def test_a_tail_gives_no_more_than_its_most() -> None:
    assert compile_distribution(with_tail(maxValue=70)).at(0.9999) == 70 * MS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"from": 98}, "the last of points is 99"),
        ({"type": "weibull"}, "is not known"),
        ({"shape": 1.5}, "at most 1"),
        ({"scale": 0}, "above 0"),
        ({"maxValue": 10}, "at least 61"),
        ({"sacle": 3}, "unknown key 'sacle'"),
    ],
)
def test_a_tail_that_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(StubFileError, match=said):
        compile_distribution(with_tail(**changes))
