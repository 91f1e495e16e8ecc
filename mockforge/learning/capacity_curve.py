"""How the rate of completions grows with the number inside, from the time spent with each number.

D(n) departures from, and T(n) time in, the state of n inside: D(n)/T(n) estimates the rate of completions
there (Whitt, Fitting birth-and-death queueing models to data, 2012). Under processor sharing with Poisson
arrivals this holds for any law of demands, as the law of the state does not depend on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_inversion import Times

__all__ = ["capacity_curve", "explained", "shared_servers"]

_LEAST_DEPARTURES = 150
#: Neighbouring states are pooled at least so far, as a share of the state.
_WIDTH = 0.25
_LONGEST = 256


def capacity_curve(departures: Times, times: Times) -> tuple[float, ...]:
    """φ(1..) from departures and time in states 1.., shape (most,): 1 at 1, flat beyond what is known.

    Where the lowest states were never seen, one job alone is taken to be as fast as each of the fewest seen:
    nothing says that it would be faster. Empty where there are too few departures for two pools of states.
    """
    pools = _pools(departures, times)
    if len(pools) < 2:
        return ()
    inside = np.arange(1, departures.size + 1)
    centres = [float(inside[pool] @ times[pool] / times[pool].sum()) for pool in pools]
    rates = [float(departures[pool].sum() / times[pool].sum()) for pool in pools]
    states = np.arange(1, min(_LONGEST, int(np.ceil(centres[-1]))) + 1)
    values = np.interp(states, [0.0, *centres], [0.0, *rates])
    return tuple(round(float(value), 3) for value in np.maximum(values / values[0], 1e-3))


def _pools(departures: Times, times: Times) -> list[slice]:
    """Neighbouring states, together so many that each pool has enough departures, and the more the higher."""
    pools: list[slice] = []
    first = 0
    for last in range(departures.size):
        pool = slice(first, last + 1)
        enough = departures[pool].sum() >= _LEAST_DEPARTURES and times[pool].sum() > 0
        if enough and last - first >= int(_WIDTH * first):
            pools.append(pool)
            first = last + 1
    return pools


def shared_servers(departures: Times, times: Times, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
    """The likeliest number of shared servers, φ(n) = min(n, k), of `candidates`, shape (c,).

    `departures` and `times` have shape (..., most), and so a leading shape in common that the answer has. The
    likelihood is that of exponential demands, with their mean maximised over.
    """
    states = np.arange(1, departures.shape[-1] + 1)
    paces = np.minimum(states[None, :], candidates[:, None]).astype(np.float64)
    total = departures.sum(axis=-1)[..., None]
    likelihood = departures @ np.log(paces).T - total * np.log(np.maximum(times @ paces.T, 1e-300))
    return np.asarray(candidates[np.argmax(likelihood, axis=-1)], dtype=np.int64)


def explained(departures: Times, times: Times, servers: int) -> bool:
    """Whether so many shared servers complete as was seen, by the likelihood ratio over the pools of states.

    For exponential demands it has a χ² law. The limit leaves room for other laws (docs/design/006): over 72
    simulated recordings the ratio was at most 2.6 times its degrees of freedom.
    """
    pools = _pools(departures, times)
    paced = times * np.minimum(np.arange(1, times.size + 1), servers)
    seen = np.array([departures[pool].sum() for pool in pools])
    expected = np.array([paced[pool].sum() for pool in pools])
    if seen.size < 2:
        return True
    ratio = 2 * float(seen @ np.log(seen * expected.sum() / (expected * seen.sum())))
    return ratio <= 2 * (seen.size - 1) + 8
