"""Laws with a formula: normal, exponential, gamma, Weibull, Pareto, each with an optional `maxValue`.

What a law gives below 0 or above its maxValue is drawn again: the inverse runs over the levels between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

from mockforge.delays.gamma import gamma_cdf, gamma_inverse
from mockforge.delays.parameters import LONGEST_MS, milliseconds, number, only, to_ns
from mockforge.errors import StubFileError

__all__ = ["Parametric", "exponential", "gamma", "normal", "pareto", "weibull"]

_NORMAL = NormalDist()
#: Keeps levels off 0 and 1, where some laws are infinite.
_TINY = 1e-12
_LARGEST_EXPONENT = 700.0

Curve = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Parametric:
    """A law by its inverse, over the levels from `low` to `high`; never more than `most_ms`."""

    inverse: Curve
    low: float
    high: float
    most_ms: float

    def at(self, probability: float) -> int:
        level = self.low + probability * (self.high - self.low)
        value_ms = self.inverse(min(max(level, _TINY), 1 - _TINY))
        return to_ns(min(max(value_ms, 0.0), self.most_ms))


def _bounded(parameters: Mapping[str, object], inverse: Curve, cdf: Curve, least_ms: float = 0) -> Parametric:
    """The law within what `maxValue` allows; `least_ms` is the least that it gives."""
    low, high, most_ms = cdf(0.0), 1.0, float(LONGEST_MS)
    if "maxValue" in parameters:
        most_ms = milliseconds(parameters, "maxValue", above=0)
        if most_ms < least_ms:
            raise StubFileError(f"maxValue is {most_ms:g}, and the law begins at {least_ms:g}")
        high = cdf(most_ms)
    if high - low < _TINY:
        what = f"nothing that the law gives lies between 0 and {most_ms:g} ms"
        raise StubFileError(what, hint="mind maxValue, and a mean far below 0")
    return Parametric(inverse, low, high, most_ms)


def normal(parameters: Mapping[str, object]) -> Parametric:
    """`{type: normal, mean: 20, standardDeviation: 4}` (ms)."""
    only(parameters, {"mean", "standardDeviation", "maxValue"})
    mean = milliseconds(parameters, "mean", at_least=0)
    deviation = milliseconds(parameters, "standardDeviation", above=0)
    law = NormalDist(mean, deviation)
    return _bounded(parameters, law.inv_cdf, law.cdf)


def exponential(parameters: Mapping[str, object]) -> Parametric:
    """Waiting for what may come at any moment: `{type: exponential, mean: 20}` (ms)."""
    only(parameters, {"mean", "maxValue"})
    mean = milliseconds(parameters, "mean", above=0)
    return _bounded(
        parameters, lambda level: -mean * math.log1p(-level), lambda value: -math.expm1(-value / mean)
    )


def gamma(parameters: Mapping[str, object]) -> Parametric:
    """`{type: gamma, shape: 2.5, scale: 8}`: scale in ms, and the mean is shape times scale."""
    only(parameters, {"shape", "scale", "maxValue"})
    shape = number(parameters, "shape", at_least=0.05)
    if shape > 10_000:
        raise StubFileError(f"shape is {shape:g}; it must be at most 10000", hint="beyond, take normal")
    scale = milliseconds(parameters, "scale", above=0)
    inverse = gamma_inverse(shape)
    return _bounded(
        parameters, lambda level: scale * inverse(level), lambda value: gamma_cdf(shape, value / scale)
    )


def weibull(parameters: Mapping[str, object]) -> Parametric:
    """`{type: weibull, shape: 1.5, scale: 20}`: scale in ms; a shape below 1 has a heavy tail."""
    only(parameters, {"shape", "scale", "maxValue"})
    shape = number(parameters, "shape", at_least=0.05)
    scale = milliseconds(parameters, "scale", above=0)

    def cdf(value: float) -> float:
        power = min(shape * math.log(value / scale), _LARGEST_EXPONENT) if value else -_LARGEST_EXPONENT
        return -math.expm1(-math.exp(power))

    return _bounded(parameters, lambda level: scale * (-math.log1p(-level)) ** (1 / shape), cdf)


def pareto(parameters: Mapping[str, object]) -> Parametric:
    """`{type: pareto, minimum: 10, shape: 2.5}`: minimum in ms; half the shape, twice the tail."""
    only(parameters, {"minimum", "shape", "maxValue"})
    minimum = milliseconds(parameters, "minimum", above=0)
    shape = number(parameters, "shape", at_least=0.05)
    if shape <= 1 and "maxValue" not in parameters:
        raise StubFileError(f"shape is {shape:g}: such a law has no mean", hint="above 1, or give a maxValue")

    def cdf(value: float) -> float:
        return 0.0 if value <= minimum else -math.expm1(-shape * math.log(value / minimum))

    return _bounded(parameters, lambda level: minimum * (1 - level) ** (-1 / shape), cdf, least_ms=minimum)
