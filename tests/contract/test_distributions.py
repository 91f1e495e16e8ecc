"""What holds for every delay distribution: a new one enters `WRITTEN` and is held to all of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mockforge.delays.distributions import DISTRIBUTIONS, compile_distribution
from mockforge.errors import StubFileError
from mockforge.model.stub import DelayDistribution

#: One valid example a type, with every key it knows, and the keys it cannot do without.
WRITTEN: Mapping[str, tuple[Mapping[str, object], frozenset[str]]] = {
    "exponential": ({"mean": 20, "maxValue": 500}, frozenset({"mean"})),
    "gamma": ({"shape": 2.5, "scale": 8, "maxValue": 500}, frozenset({"shape", "scale"})),
    "mixture": (
        {
            "components": [
                {"weight": 9, "type": "fixed", "milliseconds": 5},
                {"weight": 1, "type": "exponential", "mean": "20ms"},
            ]
        },
        frozenset({"components"}),
    ),
    "normal": (
        {"mean": 20, "standardDeviation": 9, "maxValue": 500},
        frozenset({"mean", "standardDeviation"}),
    ),
    "pareto": ({"minimum": 10, "shape": 2.5, "maxValue": 500}, frozenset({"minimum", "shape"})),
    "percentiles": ({"p50": 12, "p99": 80}, frozenset()),
    "weibull": ({"shape": 1.5, "scale": 20, "maxValue": 500}, frozenset({"shape", "scale"})),
    "fixed": ({"milliseconds": 20}, frozenset({"milliseconds"})),
    "lognormal": ({"median": 20, "sigma": 0.4, "maxValue": 500}, frozenset({"median", "sigma"})),
    "quantiles": ({"unit": "ms", "points": {0: 3.1, 50: 9.8, 100: 61}}, frozenset({"points"})),
    "uniform": ({"lower": 10, "upper": 30.5}, frozenset({"lower", "upper"})),
}
NUMBERS = [
    (law, key)
    for law, (written, _) in WRITTEN.items()
    for key in written
    if isinstance(written[key], int | float)
]
LEVELS = [number / 1_000 for number in range(1_000)]
every_law = pytest.mark.parametrize("law", DISTRIBUTIONS)


def written(law: str, **changes: object) -> DelayDistribution:
    return DelayDistribution(law, {**WRITTEN[law][0], **changes})


def test_every_distribution_has_an_example_here() -> None:
    assert set(WRITTEN) == set(DISTRIBUTIONS)


@every_law
def test_one_probability_gives_one_delay(law: str) -> None:
    one, other = (compile_distribution(written(law)) for _ in range(2))
    assert [one.at(level) for level in LEVELS] == [other.at(level) for level in LEVELS]


@every_law
def test_a_delay_is_a_whole_number_of_nanoseconds_and_never_negative(law: str) -> None:
    delays = [compile_distribution(written(law)).at(level) for level in LEVELS]
    assert all(type(delay_ns) is int for delay_ns in delays)
    assert min(delays) >= 0


@every_law
def test_a_higher_probability_never_gives_a_shorter_delay(law: str) -> None:
    delays = [compile_distribution(written(law)).at(level) for level in LEVELS]
    assert delays == sorted(delays)


@every_law
def test_the_ends_of_the_law_are_delays_that_a_timer_can_hold(law: str) -> None:
    distribution = compile_distribution(written(law))
    for level in (0.0, 5e-324, 1 - 2**-53, 1.0):
        assert 0 <= distribution.at(level) < 2**62


@every_law
def test_an_unknown_key_is_refused_and_the_known_ones_are_named(law: str) -> None:
    with pytest.raises(StubFileError) as refused:
        compile_distribution(written(law, medain=1))
    assert "'medain'" in refused.value.what
    assert all(key in (refused.value.hint or "") for key in WRITTEN[law][0])


@pytest.mark.parametrize(
    ("law", "key"), [(law, key) for law, (_, keys) in WRITTEN.items() for key in sorted(keys)]
)
def test_a_missing_key_is_named(law: str, key: str) -> None:
    parameters = {name: value for name, value in WRITTEN[law][0].items() if name != key}
    with pytest.raises(StubFileError, match=key):
        compile_distribution(DelayDistribution(law, parameters))


@pytest.mark.parametrize(("law", "key"), NUMBERS)
@pytest.mark.parametrize(
    "value",
    ["20", "fast", None, True, [1], float("nan"), float("inf"), float("-inf"), -1, -0.001, 1e300, 10**400],
    ids=lambda value: repr(value)[:12],
)
def test_what_is_no_possible_number_of_milliseconds_is_refused_by_key(
    law: str, key: str, value: object
) -> None:
    with pytest.raises(StubFileError, match=rf"^{key} "):
        compile_distribution(written(law, **{key: value}))


def test_an_unknown_type_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(StubFileError, match=r"'gauss' is not known \(known: .*lognormal"):
        compile_distribution(DelayDistribution("gauss", {}))
