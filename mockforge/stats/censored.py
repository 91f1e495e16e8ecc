"""Samples of which some are only known to be longer: a caller that left had waited at least so long.

Dropping them would cut the tail off just where it matters, and taking them as answers would make it short.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["kaplan_meier"]


def kaplan_meier(
    observed: NDArray[np.float64], censored: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The observed values in order, and the weight of each, adding up to 1 or less; both of shape (n,).

    Kaplan & Meier (1958) in the form of Efron (1967): the weight of a censored value goes to all observed
    values beyond it, in equal parts. Where there are none it is lost, and the weights add up to the share of
    the law that is known.
    """
    values = np.concatenate([observed, censored])
    is_censored = np.concatenate([np.zeros(observed.size, bool), np.ones(censored.size, bool)])
    # At a tie the observed ones come first: who left then had waited at least as long.
    order = np.lexsort((is_censored, values))
    values, is_censored = values[order], is_censored[order]
    count = values.size
    at_risk = count - np.arange(count)
    factors = np.where(is_censored, 1.0, 1 - 1 / at_risk)
    survival = np.concatenate([[1.0], np.cumprod(factors)])
    weights = survival[:-1] - survival[1:]
    return values[~is_censored], weights[~is_censored]
