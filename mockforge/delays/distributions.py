"""Delay distributions: one class each, found by its `type` in a registry.

To add one: write a class with an `at` and a function that makes it of its parameters, and enter that in
`DISTRIBUTIONS`. Laws with a formula are in `parametric`; all of them read their parameters by `parameters`.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

from mockforge.delays.mixture import mixture
from mockforge.delays.parameters import LONGEST_MS, milliseconds, number, only, percentile, to_ns
from mockforge.delays.parametric import exponential, gamma, normal, pareto, weibull
from mockforge.delays.percentiles import is_percentile, percentiles
from mockforge.errors import StubFileError
from mockforge.model.stub import DelayDistribution
from mockforge.stats.tail import ParetoTail

__all__ = [
    "DISTRIBUTIONS",
    "Distribution",
    "Fixed",
    "LogNormal",
    "Quantiles",
    "Uniform",
    "compile_distribution",
    "law_of",
]

_NORMAL = NormalDist()
#: Keeps probabilities off 0 and 1, where the normal law is infinite.
_TINY = 1e-12
_LARGEST_EXPONENT = 700.0


class Distribution(Protocol):
    """The law of a delay, as the inverse of its distribution function: one uniform number, one delay."""

    def at(self, probability: float) -> int:
        """The quantile at `probability`, 0 <= probability < 1, in nanoseconds."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same: `{type: fixed, milliseconds: 20}`."""

    delay_ns: int

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> Fixed:
        only(parameters, {"milliseconds"})
        return cls(to_ns(milliseconds(parameters, "milliseconds", at_least=0)))

    def at(self, probability: float) -> int:
        return self.delay_ns


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything between two bounds: `{type: uniform, lower: 10, upper: 30}` (ms)."""

    lower_ms: float
    upper_ms: float

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> Uniform:
        only(parameters, {"lower", "upper"})
        lower = milliseconds(parameters, "lower", at_least=0)
        return cls(lower, milliseconds(parameters, "upper", at_least=lower))

    def at(self, probability: float) -> int:
        return to_ns(self.lower_ms + probability * (self.upper_ms - self.lower_ms))


@dataclass(frozen=True, slots=True)
class LogNormal:
    """`{type: lognormal, median: 20, sigma: 0.4, maxValue: 500}` (ms), truncated at maxValue where given."""

    median_ms: float
    sigma: float
    #: The probability of what maxValue allows.
    allowed: float

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> LogNormal:
        only(parameters, {"median", "sigma", "maxValue"})
        median = milliseconds(parameters, "median", above=0)
        sigma = number(parameters, "sigma", at_least=0)
        if "maxValue" not in parameters:
            return cls(median, sigma, 1.0)
        maximum = milliseconds(parameters, "maxValue", above=0)
        if sigma == 0:
            return cls(min(median, maximum), sigma, 1.0)
        allowed = _NORMAL.cdf(math.log(maximum / median) / sigma)
        return cls(median, sigma, allowed) if allowed > _TINY else cls(maximum, 0, 1.0)

    def at(self, probability: float) -> int:
        level = min(max(probability * self.allowed, _TINY), 1 - _TINY)
        exponent = min(self.sigma * _NORMAL.inv_cdf(level), _LARGEST_EXPONENT)
        return to_ns(min(self.median_ms * math.exp(exponent), LONGEST_MS))


@dataclass(frozen=True, slots=True)
class _Tail:
    """What lies beyond the last point of a table, in ms, and the most that it may give."""

    law: ParetoTail
    most_ms: float

    def at(self, probability: float) -> float:
        return min(self.law.at(probability), self.most_ms)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """An inverse distribution function as a table: `{type: quantiles, points: {0: 3.1, 50: 9.8, 100: 61}}`.

    Keys are percentiles from 0 to 100, values ms; between two points the logarithm of the value is a
    straight line in the percentile. Beyond the percentile that `tail` begins `from`, which is the last point,
    a generalised Pareto law goes on: `tail: {type: gpd, from: 99, shape: 0.2, scale: 14, maxValue: 300}`.
    """

    levels: tuple[float, ...]
    logs: tuple[float, ...]
    tail: _Tail | None = None

    #: Zero has no logarithm: a nanosecond stands for it.
    _LEAST_MS = 1e-6

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> Quantiles:
        only(parameters, {"points", "unit", "tail"})
        if parameters.get("unit", "ms") != "ms":
            raise StubFileError(f"unit {parameters['unit']!r} is not known", hint="known: ms")
        points = parameters.get("points")
        if not isinstance(points, Mapping) or not points:
            raise StubFileError("points is missing", hint="such as points: {0: 3.1, 50: 9.8, 100: 61}")
        table = sorted((percentile(key), milliseconds(points, key, at_least=0)) for key in points)
        for (_, before), (level, value) in itertools.pairwise(table):
            if value < before:
                raise StubFileError(f"points fall at {level:g}: {value:g} after {before:g}; they must rise")
        return cls(
            tuple(level / 100 for level, _ in table),
            tuple(math.log(max(value, cls._LEAST_MS)) for _, value in table),
            _tail(parameters["tail"], table[-1]) if "tail" in parameters else None,
        )

    def at(self, probability: float) -> int:
        levels, logs = self.levels, self.logs
        if self.tail is not None and probability > levels[-1]:
            return to_ns(self.tail.at(probability))
        right = bisect.bisect_right(levels, probability)
        if right == 0:
            return to_ns(math.exp(logs[0]))
        if right == len(levels):
            return to_ns(math.exp(logs[-1]))
        share = (probability - levels[right - 1]) / (levels[right] - levels[right - 1])
        return to_ns(math.exp(logs[right - 1] + share * (logs[right] - logs[right - 1])))


DISTRIBUTIONS: Mapping[str, Callable[[Mapping[str, object]], Distribution]] = {
    "exponential": exponential,
    "fixed": Fixed.from_parameters,
    "gamma": gamma,
    "lognormal": LogNormal.from_parameters,
    "mixture": lambda parameters: mixture(parameters, _component),
    "normal": normal,
    "pareto": pareto,
    "percentiles": percentiles,
    "quantiles": Quantiles.from_parameters,
    "uniform": Uniform.from_parameters,
    "weibull": weibull,
}


def compile_distribution(written: DelayDistribution) -> Distribution:
    """The distribution that a stub file asks for; StubFileError where its parameters cannot be."""
    make = DISTRIBUTIONS.get(written.type)
    if make is None:
        known = ", ".join(DISTRIBUTIONS)
        raise StubFileError(f"delayDistribution type {written.type!r} is not known", hint=f"known: {known}")
    return make(written.parameters)


def _component(parameters: Mapping[str, object]) -> Distribution:
    """One law of a mixture, which is no mixture itself."""
    law = law_of(parameters)
    if law.type == "mixture":
        raise StubFileError("a mixture of mixtures is one mixture", hint="write its components out")
    return compile_distribution(law)


def law_of(written: Mapping[str, object]) -> DelayDistribution:
    """The law as a file has it: its type and the rest; percentiles alone need no type."""
    parameters = dict(written)
    law = parameters.pop("type", None)
    if law is None and parameters and all(map(is_percentile, parameters)):
        law = "percentiles"
    if not isinstance(law, str):
        hint = f"known: {', '.join(DISTRIBUTIONS)}; or percentiles alone, such as {{p50: 12ms, p99: 80ms}}"
        raise StubFileError("type is missing", hint=hint)
    return DelayDistribution(law, parameters)


def _tail(written: object, last: tuple[float, float]) -> _Tail:
    """The tail beyond the last point (percentile and ms) of a table."""
    if not isinstance(written, Mapping) or written.get("type") != "gpd":
        raise StubFileError(
            f"tail {written!r} is not known",
            hint="such as tail: {type: gpd, from: 99, shape: 0.2, scale: 14}",
        )
    only(written, {"type", "from", "shape", "scale", "maxValue"})
    level, threshold_ms = last
    begins = percentile(written.get("from"))
    if begins != level or level >= 100:
        raise StubFileError(
            f"tail begins from {begins:g} and the last of points is {level:g}",
            hint="the tail begins where the points end, below 100",
        )
    shape = number(written, "shape", at_least=-1)
    if shape > 1:
        raise StubFileError(f"shape is {shape:g}; it must be at most 1", hint="above, there is no mean")
    law = ParetoTail(threshold_ms, 1 - level / 100, shape, milliseconds(written, "scale", above=0))
    most_ms = (
        milliseconds(written, "maxValue", at_least=threshold_ms) if "maxValue" in written else LONGEST_MS
    )
    return _Tail(law, most_ms)
