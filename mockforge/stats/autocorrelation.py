"""How much a series of dependent values is worth: the integrated autocorrelation time.

A value that resembles its neighbours says less than an independent one. n values with an integrated
autocorrelation time τ are worth n / τ independent ones where a mean, or the share below a bound, is wanted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mockforge.stats.products import inner

__all__ = ["autocorrelation", "autocorrelation_time", "cautious_time", "effective_size"]

#: The sum is cut off at so many times τ (Sokal's automatic window).
_WINDOW = 5.0
#: In a series of more values than this, the first lags are tried by themselves.
_LONG = 2_000
_FEW_LAGS = 48
_MORE_LAGS = 400


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
    values = np.asarray(series)
    if values.size < 2:
        return 1.0
    if values.dtype == np.bool_:
        near = _ended(_shares_in_common(values))
    else:
        values = np.asarray(values, dtype=np.float64)
        near = _ended(_products(values - values.mean())) if values.size > _LONG else None
    if near is not None:
        return near
    taus = 2 * np.cumsum(autocorrelation(values)) - 1
    ended = np.flatnonzero(np.arange(taus.size) >= _WINDOW * taus)
    return max(1.0, float(taus[ended[0]] if ended.size else taus[-1]))


def _ended(covariances: Iterator[float]) -> float | None:
    """τ of covariances at lags 0, 1, 2 …; None where they end too early: all at once then cost less."""
    variance = next(covariances)
    if variance <= 0:
        return 1.0
    tau = 1.0
    for lag, covariance in enumerate(covariances, 1):
        tau += 2 * covariance / variance
        if lag >= _WINDOW * tau:
            return max(1.0, tau)
    return None


def _products(centred: NDArray[np.float64]) -> Iterator[float]:
    """The covariances of a centred series at the first lags, times its length."""
    yield inner(centred, centred)
    for lag in range(1, _FEW_LAGS):
        yield inner(centred[lag:], centred[:-lag])


def _shares_in_common(hits: NDArray[np.bool_]) -> Iterator[float]:
    """The same of a series of hits and misses, counted: some thirty times as fast."""
    count, total = hits.size, int(np.count_nonzero(hits))
    share = total / count
    yield total - share * total
    first = last = 0
    for lag in range(1, min(_MORE_LAGS, count)):
        first, last = first + int(hits[lag - 1]), last + int(hits[-lag])
        both = int(np.count_nonzero(hits[lag:] & hits[:-lag]))
        yield both - share * (2 * total - first - last) + (count - lag) * share * share


def cautious_time(series: ArrayLike) -> float:
    """τ and its own standard error, √(2 (2M + 1) / n) of it with a window of M = 5 τ (Sokal 1997).

    A short series hides its dependence: an interval that took τ at its word would be too narrow.
    """
    count = np.asarray(series).size
    tau = autocorrelation_time(series)
    return tau * (1 + math.sqrt((4 * _WINDOW * tau + 2) / count)) if count else tau


def effective_size(series: ArrayLike) -> float:
    """The number of independent values that the series, shape (n,), is worth: n / τ."""
    count = np.asarray(series).size
    return count / autocorrelation_time(series) if count else 0.0
