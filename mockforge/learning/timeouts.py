"""Whether a learned station brings about the time-outs that were recorded, and what those leave behind.

Served by the station, time-outs come at any load as the waiting makes them. That holds where the station, run
over the recorded arrivals with the recorded limit, has about as many of them, and answers the others about as
fast. A request that timed out keeps its place, unless a freed one explains the recording clearly better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mockforge.delays.station import Station
from mockforge.delays.station_simulation import simulate
from mockforge.delays.time_limit import TimeLimited
from mockforge.learning.capacity_inversion import Times, in_flight
from mockforge.learning.capacity_prediction import QuantileCheck, drawn, spread
from mockforge.stats.censored import kaplan_meier
from mockforge.stats.quantiles import quantiles
from mockforge.stats.ranks import spearman

__all__ = ["ExplainedTimeouts", "explain_timeouts"]

_JUDGED = (0.5, 0.95)
_CHECKED = (0.5, 0.95, 0.99)
#: So far off may the quantiles of answers be.
_MOST_ERROR = 0.35
#: So far off may the share of time-outs be: so much of the recorded one, but no less and no more than these.
_MOST_RELATIVE = 0.6
_SHARE_ERRORS = (0.005, 0.03)
#: So much closer must freed places come: the usual is that they are kept.
_CLEARLY = 0.7
#: Of a rank correlation: below it time-outs have nothing to do with load.
_LEAST_DEPENDENCE = 0.05
_SEED = 5


@dataclass(frozen=True, slots=True)
class ExplainedTimeouts:
    """The share of requests that time out, recorded and by the station; `frees` their place, or keeps it.

    `off` is the worst of its errors, in units of what may be: at most 1 where it `holds`. `dependence` is the
    rank correlation of recorded time-outs with the number in flight.
    """

    recorded: float
    simulated: float
    frees: bool
    off: float
    dependence: float
    #: The others' times, as recorded and by the station.
    checked: tuple[QuantileCheck, ...]
    #: How long the station takes for each, shape (n,) in ns; NaN where the time is up.
    took_ns: Times = field(compare=False, repr=False)

    @property
    def holds(self) -> bool:
        return self.off <= 1.0

    @property
    def unexplained(self) -> bool:
        """Whether load brings about time-outs, and the station does not."""
        return not self.holds and self.dependence > _LEAST_DEPENDENCE

    def __str__(self) -> str:
        kept = "their places are freed" if self.frees else "their places are kept"
        return f"by the station {self.simulated:.1%} of requests, recorded {self.recorded:.1%}; {kept}"


def explain_timeouts(
    station: Callable[[], Station],
    limit_ns: float,
    arrived: Times,
    answered: Times,
    demands: Times,
    operation: NDArray[np.int64],
) -> ExplainedTimeouts:
    """What a station makes of recorded arrivals, all of shape (n,), in order and in ns.

    `answered` is how long the answer took, NaN where the time was up, less what does not queue, as is
    `limit_ns`; `demands` are the least that they can be where the time was up, NaN where they are not known,
    and known of at least one.
    """
    asked = _asked(demands, np.isnan(answered), operation)
    found = []
    stay = np.where(np.isnan(answered), limit_ns, answered)
    load = in_flight(arrived, arrived + stay)
    dependence = spearman(np.isnan(answered).astype(np.float64), load, np.zeros_like(operation))
    for frees in (False, True):
        took = simulate(
            lambda frees=frees: TimeLimited(station(), round(limit_ns), frees=frees),  # type: ignore[misc]
            arrived,
            asked,
        )
        recorded, simulated = float(np.isnan(answered).mean()), float(np.isnan(took).mean())
        found.append(
            ExplainedTimeouts(
                recorded, simulated, frees, _off(answered, took), dependence, _checked(answered, took), took
            )
        )
    kept, freed = found
    return freed if freed.off < _CLEARLY * kept.off else kept


def _asked(demands: Times, late: NDArray[np.bool_], operation: NDArray[np.int64]) -> Times:
    """A demand for each job, of the law of its operation in which those of the late ones are censored."""
    known, values, of = np.isfinite(demands), [], []
    for name in np.unique(operation).tolist():
        own = known & (operation == name)
        observed, weights = kaplan_meier(demands[own & ~late], demands[own & late])
        if observed.size:
            upto = np.cumsum(weights) / weights.sum()
            levels = (np.arange(own.sum()) + 0.5) / own.sum()
            values.append(observed[np.minimum(np.searchsorted(upto, levels), observed.size - 1)])
            of.append(np.full(own.sum(), name))
    uniforms = spread(np.random.default_rng(_SEED), operation)
    return drawn(np.concatenate(values), np.concatenate(of), operation, uniforms)


def _checked(recorded: Times, simulated: Times) -> tuple[QuantileCheck, ...]:
    real, model = (quantiles(each[np.isfinite(each)] / 1e6, _CHECKED) for each in (recorded, simulated))
    return tuple(
        QuantileCheck(level, float(one), float(other))
        for level, one, other in zip(_CHECKED, real, model, strict=True)
    )


def _off(recorded: Times, simulated: Times) -> float:
    """How far the simulated times are off, in units of what may be."""
    late, made = np.isnan(recorded), np.isnan(simulated)
    if late.all() or made.all() or not made.any():
        return float("inf")
    allowed = np.clip(_MOST_RELATIVE * late.mean(), *_SHARE_ERRORS)
    real, model = quantiles(recorded[~late], _JUDGED), quantiles(simulated[~made], _JUDGED)
    errors = np.abs(model / np.maximum(real, 1.0) - 1) / _MOST_ERROR
    return float(max(abs(made.mean() - late.mean()) / allowed, *errors))
