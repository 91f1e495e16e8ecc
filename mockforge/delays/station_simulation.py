"""A station run over a whole trace: the response times that its requests would have."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mockforge.delays.station import Station
from mockforge.delays.time_limit import TimeLimited

__all__ = ["simulate"]


def simulate(
    station_factory: Callable[[], Station],
    arrived_ns: NDArray[np.int64] | NDArray[np.float64],
    demand_ns: NDArray[np.int64] | NDArray[np.float64],
    offset_ns: NDArray[np.int64] | NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """Response times in ns, in the order of the arrivals, which must rise; NaN where one was refused or late.

    All are arrays of shape (n,); times and demands are rounded to whole nanoseconds. `offset_ns`, one for all
    or one each, is time that is spent without the station, and comes on top.
    """
    station = station_factory()
    arrived = np.rint(arrived_ns).astype(np.int64)
    if len(arrived) > 1 and (np.diff(arrived) < 0).any():
        raise ValueError("arrivals must be in the order of their times")
    arrive = station.arrive
    demands = np.rint(demand_ns).astype(np.int64).tolist()
    for job, (at_ns, demand) in enumerate(zip(arrived.tolist(), demands, strict=True)):
        arrive(at_ns, demand, job)
    completed_ns = np.full(len(arrived), np.nan)
    while (due_ns := station.next_ns()) is not None:
        for at_ns, number in station.advance(due_ns):
            completed_ns[cast(int, number)] = at_ns
        if isinstance(station, TimeLimited):
            station.expired(due_ns)
    return np.asarray(completed_ns - arrived + offset_ns, dtype=np.float64)
