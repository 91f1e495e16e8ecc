"""The time from an answer's first byte to its last, where it is worth a law of its own.

A mock draws both times at one level (`bodyTime`), so that the two laws say what the whole takes. The body's
is made for that: its quantiles are those of the whole less those of the first byte, put in order
(Chernozhukov, Fernández-Val & Galichon, Quantile and Probability Curves Without Crossing, 2010). First byte
and whole are then distributed as recorded. The body's own times are so too where slow answers have slow
bodies; else they are spread less widely than they were.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.latency import LatencyFit, fit_latency

__all__ = ["fit_body_time"]

#: A body has a law of its own where it takes longer than this on average, and than this share of the whole.
_LEAST_NS = 0.5e6
_LEAST_SHARE = 0.01


def fit_body_time(ttfb_ns: NDArray[np.int64], total_ns: NDArray[np.int64]) -> LatencyFit | None:
    """The law of the body's time, from both times of each answer, shape (n,); None where it is too short."""
    if not total_ns.size:
        return None
    mean_ns = float(np.mean(total_ns - ttfb_ns))
    if mean_ns <= max(_LEAST_NS, _LEAST_SHARE * float(np.mean(total_ns))):
        return None
    return fit_latency(np.sort(np.sort(total_ns) - np.sort(ttfb_ns)))
