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
    Distribution,
    Fixed,
    LogNormal,
    Quantiles,
    Uniform,
    compile_distribution,
    law_of,
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


def normal_above_zero_cdf(value: float) -> float:
    law = NormalDist(5, 10)
    return (law.cdf(value) - law.cdf(0)) / (1 - law.cdf(0))


def truncated_exponential_cdf(value: float) -> float:
    return min(1.0, math.expm1(-value / 20) / math.expm1(-30 / 20))


def erlang_cdf(value: float) -> float:
    """Gamma of shape 3, in closed form."""
    x = value / 8
    return 1 - math.exp(-x) * (1 + x + x * x / 2)


MIXTURE: Mapping[str, object] = {
    "components": [
        {"weight": 3, "type": "exponential", "mean": 20},
        {"weight": 1, "type": "uniform", "lower": 100, "upper": 200},
    ]
}


def mixture_cdf(value: float) -> float:
    return 0.75 * (1 - math.exp(-value / 20)) + 0.25 * min(1.0, max(0.0, (value - 100) / 100))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("law", "parameters", "cdf"),
    [
        ("uniform", {"lower": 10, "upper": 30}, uniform_cdf),
        ("lognormal", {"median": 20, "sigma": 0.4}, lognormal_cdf),
        ("lognormal", {"median": 20, "sigma": 0.4, "maxValue": 25}, truncated_lognormal_cdf),
        ("quantiles", {"points": TABLE}, table_cdf),
        ("normal", {"mean": 20, "standardDeviation": 4}, NormalDist(20, 4).cdf),
        ("normal", {"mean": 5, "standardDeviation": 10}, normal_above_zero_cdf),
        ("exponential", {"mean": 20}, lambda value: 1 - math.exp(-value / 20)),
        ("exponential", {"mean": 20, "maxValue": 30}, truncated_exponential_cdf),
        ("gamma", {"shape": 3, "scale": 8}, erlang_cdf),
        ("weibull", {"shape": 0.7, "scale": 20}, lambda value: 1 - math.exp(-((value / 20) ** 0.7))),
        ("pareto", {"minimum": 10, "shape": 1.5}, lambda value: 1 - (10 / value) ** 1.5),
        ("percentiles", {"p50": "20ms", "p84.1344746": 20 * math.exp(0.4)}, lognormal_cdf),
        ("mixture", MIXTURE, mixture_cdf),
    ],
    ids=[
        "uniform",
        "lognormal",
        "truncated lognormal",
        "quantiles",
        "normal",
        "normal above zero",
        "exponential",
        "truncated exponential",
        "gamma",
        "weibull",
        "pareto",
        "percentiles",
        "mixture",
    ],
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


# Laws with a formula


@pytest.mark.parametrize(
    ("law", "parameters", "problem"),
    [
        ("normal", {"mean": 20, "standardDeviation": 0}, "standardDeviation is 0; it must be above 0"),
        ("normal", {"mean": 900, "standardDeviation": 1, "maxValue": 1}, "nothing that the law gives lies"),
        ("gamma", {"shape": 20_000, "scale": 1}, "it must be at most 10000"),
        ("pareto", {"minimum": 10, "shape": 0.9}, "such a law has no mean"),
        ("pareto", {"minimum": 10, "shape": 2, "maxValue": 5}, "maxValue is 5, and the law begins at 10"),
        ("lognormal", {"median": 10, "sigma": "2ms"}, "sigma must be a number, not '2ms'"),
        ("exponential", {"mean": "2 days"}, "mean must be a number of milliseconds, not '2 days'"),
    ],
)
def test_a_law_that_cannot_be_is_refused(law: str, parameters: Mapping[str, object], problem: str) -> None:
    with pytest.raises(StubFileError, match=problem):
        compile_distribution(DelayDistribution(law, parameters))


def test_a_heavy_law_without_a_mean_is_served_within_its_maximum() -> None:
    law = compile_distribution(DelayDistribution("pareto", {"minimum": 10, "shape": 0.9, "maxValue": "1s"}))
    assert [round(law.at(level) / MS) for level in (0, 1)] == [10, 1_000]


def test_parameters_may_be_durations() -> None:
    one = compile_distribution(DelayDistribution("uniform", {"lower": "500us", "upper": "1.5s"}))
    other = compile_distribution(DelayDistribution("uniform", {"lower": 0.5, "upper": 1_500}))
    assert one == other


# Percentiles


def percentiles(given: Mapping[str, object]) -> Callable[[float], float]:
    law = compile_distribution(DelayDistribution("percentiles", given))
    return lambda level: law.at(level / 100) / MS


def test_given_percentiles_hold_exactly() -> None:
    value_ms = percentiles({"p50": "12ms", "p90": 30, "p99": "80ms", "p99.9": 500})
    assert [value_ms(level) for level in (50, 90, 99, 99.9)] == pytest.approx([12, 30, 80, 500], rel=1e-6)


def test_the_outermost_percentiles_go_on_as_lognormal_unless_they_are_bounds() -> None:
    value_ms = percentiles({"p50": 10, "p90": 20})
    sigma = math.log(2) / NormalDist().inv_cdf(0.9)
    assert value_ms(99) == pytest.approx(10 * math.exp(sigma * NormalDist().inv_cdf(0.99)), rel=1e-6)
    bounded = percentiles({"p0": 8, "p50": 10, "p90": 20, "p100": 30})
    assert [bounded(level) for level in (0, 1, 50, 99.99)] == pytest.approx([8, 8, 10, 30])


def test_percentiles_alone_need_no_type() -> None:
    assert law_of({"p50": 1, "p99": 2}) == DelayDistribution("percentiles", {"p50": 1, "p99": 2})


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"p50": 10}, "needs two percentiles between p0 and p100"),
        ({"p0": 1, "p50": 10, "p100": 20}, "needs two percentiles"),
        ({"p50": 10, "p90": 9}, "p90 is 9, and p50 is 10: they must rise"),
        ({"p50": 10, "p50.0": 10}, "are the same percentile"),
        ({"p50": 0, "p90": 9}, "p50 is 0; it must be above 0"),
        ({"p101": 1, "p50": 1}, "'p101' is not a percentile"),
        ({"p50": "fast", "p90": 9}, "p50 must be a number of milliseconds, not 'fast'"),
    ],
)
def test_percentiles_that_cannot_be_are_refused(given: Mapping[str, object], problem: str) -> None:
    with pytest.raises(StubFileError, match=problem):
        compile_distribution(DelayDistribution("percentiles", given))


# Mixtures


def mixed(*components: Mapping[str, object]) -> Distribution:
    return compile_distribution(DelayDistribution("mixture", {"components": list(components)}))


def test_values_with_a_probability_of_their_own_stay_exact() -> None:
    law = mixed(
        {"weight": 0.2, "type": "fixed", "milliseconds": 5},
        {"weight": 0.8, "type": "fixed", "milliseconds": 50},
    )
    assert [law.at(level) // MS for level in (0, 0.1, 0.1999, 0.2001, 0.9)] == [5, 5, 5, 50, 50]


def test_a_mixture_of_one_law_is_that_law() -> None:
    single = compile_distribution(DelayDistribution("lognormal", {"median": 20, "sigma": 0.4}))
    law = mixed({"weight": 7, "type": "lognormal", "median": 20, "sigma": 0.4})
    for level in (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999):
        assert law.at(level) == pytest.approx(single.at(level), rel=0.001)


@pytest.mark.parametrize(
    ("components", "problem"),
    [
        ([], "components is missing"),
        ([1], r"components\[0\] is no mapping"),
        ([{"type": "fixed", "milliseconds": 5}], r"components\[0\]: weight must be a number, not None"),
        ([{"weight": 1, "type": "fixed"}], r"components\[0\]: milliseconds must be a number"),
        ([{"weight": 1, "type": "mixture", "components": []}], "a mixture of mixtures is one mixture"),
        ([{"weight": 1}], r"components\[0\]: type is missing"),
        ([{"weight": 1, "type": "fixed", "milliseconds": 1}] * 33, "at most 32 are mixed"),
    ],
)
def test_a_mixture_that_cannot_be_is_refused(components: list[object], problem: str) -> None:
    with pytest.raises(StubFileError, match=problem):
        compile_distribution(DelayDistribution("mixture", {"components": components}))
