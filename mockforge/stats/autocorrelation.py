"""How much a series of dependent values is worth: the integrated autocorrelation time.

A value that resembles its neighbours says less than an independent one. n values with an integrated
autocorrelation time τ are worth n / τ independent ones where a mean, or the share below a bound, is wanted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["autocorrelation", "autocorrelation_time", "effective_size"]

#: The sum is cut off at so many times τ (Sokal's automatic window).
_WINDOW = 5.0
#: In a series of more values than this, the first lags are tried by themselves.
_LONG = 2_000
_FEW_LAGS = 48


def autocorrelation(series: ArrayLike) -> NDArray[np.float64]:
    """Autocorrelations of a series, shape (n,), at lags 0 to n - 1; a constant series has ones then zeros."""
    values = np.asarray(series, dtype=np.float64)
    values = values - values.mean()
    size = 1 << (2 * values.size - 1).bit_length()
    spectrum = np.fft.rfft(values, size)
    covariances = np.fft.irfft(spectrum * np.conj(spectrum), size)[: values.size]
    if covariances[0] <= 0:
        return np.concatenate([[1.0], np.zeros(values.size - 1)])
    return np.asarray(covariances / covariances[0], dtype=np.float64)


def autocorrelation_time(series: ArrayLike) -> float:
    """τ = 1 + 2 Σ ρ(k), at least 1, the sum ended at the first lag k >= 5 τ(k) (Sokal 1997).

    For an AR(1) process of coefficient φ it is (1 + φ) / (1 - φ).
    """
    values = np.asarray(series, dtype=np.float64)
    if values.size < 2:
        return 1.0
    near = _near_time(values - values.mean()) if values.size > _LONG else None
    if near is not None:
        return near
    taus = 2 * np.cumsum(autocorrelation(values)) - 1
    ended = np.flatnonzero(np.arange(taus.size) >= _WINDOW * taus)
    return max(1.0, float(taus[ended[0]] if ended.size else taus[-1]))


def _near_time(centred: NDArray[np.float64]) -> float | None:
    """The same, lag by lag; None where the sum has not ended after a few: then all lags at once cost less."""
    variance = float(centred @ centred)
    if variance <= 0:
        return 1.0
    tau = 1.0
    for lag in range(1, _FEW_LAGS):
        tau += 2 * float(centred[lag:] @ centred[:-lag]) / variance
        if lag >= _WINDOW * tau:
            return max(1.0, tau)
    return None


def effective_size(series: ArrayLike) -> float:
    """The number of independent values that the series, shape (n,), is worth: n / τ."""
    count = np.asarray(series).size
    return count / autocorrelation_time(series) if count else 0.0
