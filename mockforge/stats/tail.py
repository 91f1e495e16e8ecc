"""The tail of a sample as a generalised Pareto law, behind a gate that refuses tails that are none.

Fitted by probability-weighted moments (Hosking & Wallis 1987): closed form, and steady where maximum
likelihood runs away. The gate is the Anderson-Darling statistic of the exceedances against their own fit; its
critical values for moment-fitted laws were simulated (50 to 250 exceedances, shapes -0.2 to 0.4: 0.70, 0.85
and 1.25 at 90, 95 and 99 %).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ParetoTail", "anderson_darling", "fit_exceedances", "fit_tail"]

#: Shares of the sample that are tried as its tail, the largest first, and the least number of values in one.
_SHARES = (0.10, 0.05, 0.02, 0.01)
_LEAST = 50
_MOST_A2 = 1.1
_SHAPE_BOUND = 0.5
_NEARLY_EXPONENTIAL = 1e-9


@dataclass(frozen=True, slots=True)
class ParetoTail:
    """Beyond `threshold`, which a share `beyond` of all values exceeds, by `shape` ξ and `scale` σ."""

    threshold: float
    beyond: float
    shape: float
    scale: float

    def at(self, probability: float) -> float:
        """The quantile at `probability` > 1 - beyond: u + σ/ξ ((beyond / (1 - p))^ξ - 1)."""
        ratio = self.beyond / max(1 - probability, 1e-12)
        if abs(self.shape) < _NEARLY_EXPONENTIAL:
            return self.threshold + self.scale * float(np.log(ratio))
        return self.threshold + self.scale / self.shape * float(ratio**self.shape - 1)


def fit_exceedances(exceedances: NDArray[np.float64]) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto law for values above zero, shape (k,), k >= 2.

    With b0 = mean(y) and b1 = mean(y_(i) (n-i)/(n-1)) over ascending y: ξ = 2 - b0/(b0 - 2 b1) and
    σ = 2 b0 b1 / (b0 - 2 b1); ξ is kept within ±0.5, with the scale that then keeps the mean.
    """
    ascending = np.sort(exceedances)
    count = ascending.size
    b0 = float(ascending.mean())
    b1 = float(np.mean(ascending * (count - 1 - np.arange(count)) / (count - 1)))
    spread = b0 - 2 * b1
    if spread <= 0:
        return -_SHAPE_BOUND, b0 * (1 + _SHAPE_BOUND)
    shape = 2 - b0 / spread
    if abs(shape) <= _SHAPE_BOUND:
        return shape, 2 * b0 * b1 / spread
    shape = float(np.clip(shape, -_SHAPE_BOUND, _SHAPE_BOUND))
    return shape, b0 * (1 - shape)


def anderson_darling(exceedances: NDArray[np.float64], shape: float, scale: float) -> float:
    """A² of values above zero, shape (k,), against the generalised Pareto law."""
    ascending = np.sort(exceedances)
    if abs(shape) < _NEARLY_EXPONENTIAL:
        survival = np.exp(-ascending / scale)
    else:
        survival = np.maximum(1 + shape * ascending / scale, 0) ** (-1 / shape)
    survival = np.clip(survival, 1e-15, 1 - 1e-15)
    count = ascending.size
    odd = 2 * np.arange(1, count + 1) - 1
    return float(-count - np.mean(odd * (np.log(1 - survival) + np.log(survival[::-1]))))


def fit_tail(values: NDArray[np.float64]) -> ParetoTail | None:
    """The tail of a sample, shape (n,); None where none passes the gate, and nothing may be extrapolated.

    The largest share of the sample that passes is taken. The tail is used from the middle of the exceedances
    on (in rank): below it the sample itself tells more.
    """
    ascending = np.sort(np.asarray(values, dtype=np.float64))
    count = ascending.size
    for share in _SHARES:
        exceeding = int(share * count)
        if exceeding < _LEAST:
            return None
        threshold = float(ascending[count - exceeding - 1])
        exceedances = ascending[count - exceeding :] - threshold
        if exceedances[0] <= 0 and np.unique(exceedances).size < _LEAST / 2:
            continue  # so many equal values are no continuous tail
        shape, scale = fit_exceedances(exceedances)
        if anderson_darling(exceedances, shape, scale) < _MOST_A2:
            return _from_middle(ParetoTail(threshold, exceeding / count, shape, scale))
    return None


def _from_middle(tail: ParetoTail) -> ParetoTail:
    """The same law from half of its exceedances on: beyond u', σ' = σ + ξ (u' - u)."""
    middle = tail.at(1 - tail.beyond / 2)
    return ParetoTail(
        threshold=middle,
        beyond=tail.beyond / 2,
        shape=tail.shape,
        scale=tail.scale + tail.shape * (middle - tail.threshold),
    )
