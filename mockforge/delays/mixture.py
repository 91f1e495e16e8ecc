"""One of several laws, each with its weight, as a law of its own with one inverse.

The distribution function of a mixture is the weighted sum of its parts'; its inverse has no formula. It is
tabulated at load: each part's function is taken as straight between some 1,100 of its quantiles, closer and
closer towards both ends. That keeps the mixture within 0.001 of itself in probability, and in the tails
within a third of what is left beyond. Values with a probability of their own (of `fixed`) stay exact.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mockforge.delays.parameters import number, only
from mockforge.errors import StubFileError

__all__ = ["Mixture", "mixture"]

_EXAMPLE = "such as components: [{weight: 0.9, type: fixed, milliseconds: 5}, {weight: 0.1, ...}]"
_MOST = 32

_Floats = NDArray[np.float64]


class _Law(Protocol):
    def at(self, probability: float) -> int: ...


@dataclass(frozen=True, slots=True)
class Mixture:
    """The inverse as a table: straight between two levels."""

    levels: tuple[float, ...]
    values_ns: tuple[float, ...]

    def at(self, probability: float) -> int:
        levels, values = self.levels, self.values_ns
        right = bisect.bisect_right(levels, probability)
        if right == 0:
            return round(values[0])
        if right == len(levels):
            return round(values[-1])
        share = (probability - levels[right - 1]) / (levels[right] - levels[right - 1])
        return round(values[right - 1] + share * (values[right] - values[right - 1]))


def mixture(
    parameters: Mapping[str, object], compile_part: Callable[[Mapping[str, object]], _Law]
) -> Mixture:
    """`{type: mixture, components: [{weight: 0.9, type: fixed, milliseconds: 5}, {weight: 0.1, …}]}`."""
    only(parameters, {"components"})
    components = parameters.get("components")
    if not isinstance(components, Sequence) or isinstance(components, str) or not components:
        raise StubFileError("components is missing, or no list", hint=_EXAMPLE)
    if len(components) > _MOST:
        raise StubFileError(f"components has {len(components)} laws; at most {_MOST} are mixed")
    weights, laws = [], []
    for position, component in enumerate(components):
        if not isinstance(component, Mapping):
            raise StubFileError(f"components[{position}] is no mapping", hint=_EXAMPLE)
        try:
            weights.append(number(component, "weight", above=0))
            laws.append(compile_part({key: component[key] for key in component if key != "weight"}))
        except StubFileError as error:
            raise StubFileError(f"components[{position}]: {error.what}", hint=error.hint) from None
    total = sum(weights)
    return _mixed([weight / total for weight in weights], laws)


def _mixed(weights: Sequence[float], laws: Sequence[_Law]) -> Mixture:
    grid = _grid()
    tables = [np.array([law.at(float(level)) for level in grid], dtype=np.float64) for law in laws]
    values = np.unique(np.concatenate(tables))
    below, upto = np.zeros(values.size), np.zeros(values.size)
    for weight, table in zip(weights, tables, strict=True):
        below += weight * _cdf(grid, table, values, "left")
        upto += weight * _cdf(grid, table, values, "right")
    levels = np.column_stack((below, upto)).ravel()
    steps = np.repeat(values, 2)
    moves = np.concatenate(([True], (np.diff(levels) > 0) | (np.diff(steps) > 0)))
    return Mixture(tuple(levels[moves].tolist()), tuple(steps[moves].tolist()))


def _grid() -> NDArray[np.float64]:
    """Levels from 0 to 1 a thousandth apart, and closer and closer towards both ends."""
    tail = np.geomspace(1e-9, 1e-3, 61)[:-1]
    return np.concatenate(([0.0], tail, np.arange(1, 1_000) / 1_000, (1 - tail)[::-1], [np.nextafter(1, 0)]))


def _cdf(
    grid: NDArray[np.float64],
    table: NDArray[np.float64],
    values: NDArray[np.float64],
    side: Literal["left", "right"],
) -> NDArray[np.float64]:
    """The distribution function at `values`, straight between the table's; the limit from one side."""
    after = np.searchsorted(table, values, side=side)
    last = table.size - 1
    lower, upper = np.clip(after - 1, 0, last), np.clip(after, 0, last)
    width = table[upper] - table[lower]
    share = np.where(width > 0, (values - table[lower]) / np.where(width > 0, width, 1), 0.0)
    inside = grid[lower] + share * (grid[upper] - grid[lower])
    return np.where(after == 0, 0.0, np.where(after > last, 1.0, inside))
