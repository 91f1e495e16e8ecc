"""The lognormal summary of an operation as other tools write it, and how far off they are with it.

Both draw `median · exp(sigma · z)` and wait whole milliseconds. WireMock is given median and sigma. Hoverfly
is given median, mean, least and most as whole milliseconds, derives sigma as sqrt(2 ln(mean / median)), and
moves what lies outside to the bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mockforge.report.fit import OperationFit
from mockforge.stats.two_sample import wasserstein

__all__ = ["Exported", "exports"]

_LEVELS = 2_000
_NORMAL = np.array([NormalDist().inv_cdf((number + 0.5) / _LEVELS) for number in range(_LEVELS)])


@dataclass(frozen=True, slots=True)
class Exported:
    """What to write for `tool` under `key`; `error` is the distance (W1) to the recorded, over their mean."""

    tool: str
    key: str
    written: Mapping[str, str | float]
    error: float


def exports(operation: OperationFit) -> tuple[Exported, ...]:
    """For each tool that can be given the recorded latencies as a lognormal; none for too few of them."""
    lognormal = next((each for each in operation.families if each.name == "lognormal"), None)
    if lognormal is None or not operation.recorded_ms.sum() > 0:
        return ()
    return tuple(
        _exports(operation.recorded_ms, lognormal.parameters["median"], lognormal.parameters["sigma"])
    )


def _exports(recorded_ms: NDArray[np.float64], median: float, sigma: float) -> Iterator[Exported]:
    drawn = np.rint(_lognormal(median, sigma))
    written: dict[str, str | float] = {
        "type": "lognormal",
        "median": _figure(median),
        "sigma": _figure(sigma),
    }
    yield Exported("WireMock", "delayDistribution", written, _error(recorded_ms, drawn))
    whole = round(median)
    # Hoverfly takes no bound or median of 0: what is below a millisecond cannot be written.
    if whole >= 1:
        mean = max(whole, round(median * math.exp(sigma * sigma / 2)))
        least, most = max(1, math.floor(recorded_ms.min())), max(whole, math.ceil(recorded_ms.max()))
        least, mean = min(least, whole), min(mean, most)
        derived = math.sqrt(2 * math.log(mean / whole))
        clamped = np.clip(np.floor(_lognormal(whole, derived)), least, most)
        bounds: dict[str, str | float] = {"min": least, "max": most, "mean": mean, "median": whole}
        yield Exported("Hoverfly", "logNormalDelay", bounds, _error(recorded_ms, clamped))


def _lognormal(median: float, sigma: float) -> NDArray[np.float64]:
    return np.asarray(median * np.exp(sigma * _NORMAL), dtype=np.float64)


def _error(recorded_ms: NDArray[np.float64], drawn_ms: NDArray[np.float64]) -> float:
    return wasserstein(recorded_ms, drawn_ms) / float(recorded_ms.mean())


def _figure(value: float) -> float:
    return float(f"{value:.4g}")
