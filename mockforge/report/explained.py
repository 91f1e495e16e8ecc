"""How much of what callers see the dependency explains: the figures of the two-level report."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Explained", "Part", "Shift"]


@dataclass(frozen=True, slots=True)
class Shift:
    """How much longer something takes on the mock, in ms, with its 95 % interval; infinite where unknown."""

    ms: float
    low: float = -math.inf
    high: float = math.inf

    def less(self, other: Shift) -> Shift:
        """This shift without the other; half-widths add in quadrature."""
        ms = self.ms - other.ms
        down = math.hypot(self.ms - self.low, other.high - other.ms)
        up = math.hypot(self.high - self.ms, other.ms - other.low)
        return Shift(ms, ms - down, ms + up)


@dataclass(frozen=True, slots=True)
class Part:
    """One dependency's operation in a caller's: calls a request and their mean latency, (real, mock)."""

    name: str
    calls: tuple[float, float]
    mean_ms: tuple[float, float]

    @property
    def shift_ms(self) -> float:
        """What it adds to the caller's mean latency on the mock, less what it adds on the real service."""
        (calls_a, calls_b), (mean_a, mean_b) = self.calls, self.mean_ms
        return calls_b * mean_b - calls_a * mean_a


@dataclass(frozen=True, slots=True)
class Explained:
    """One operation of the caller: its mean latency (real, mock), and where the shift of it comes from.

    `dependency` is what the calls to the dependency explain, by `parts`, and `left` what they do not.
    """

    name: str
    mean_ms: tuple[float, float]
    shift: Shift
    dependency: Shift
    parts: tuple[Part, ...] = ()

    @property
    def left(self) -> Shift:
        """What the dependency does not explain."""
        return self.shift.less(self.dependency)

    @property
    def share(self) -> float:
        """The part of the shift that the dependency explains; NaN where there is no shift to explain."""
        return self.dependency.ms / self.shift.ms if self.shift.low > 0 or self.shift.high < 0 else math.nan
