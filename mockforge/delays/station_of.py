"""The station that a written capacity stands for."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from mockforge.delays.distributions import compile_distribution
from mockforge.delays.station import Fifo, LimitedSharing, Sharing, Station
from mockforge.delays.station_gate import Gate
from mockforge.delays.station_limits import Stalls, drawn_stalls
from mockforge.model.service import Capacity

__all__ = ["station_of"]

_NS_PER_S = 1_000_000_000


def station_of(capacity: Capacity, random: Random, *, time_scale: float = 1.0) -> Station:
    """A station with nobody in it; its stalls, if any, are drawn from `random` and scaled as delays are.

    Raises StubFileError for a law of its stalls, ValueError for a curve, that cannot be.
    """
    station = _gated(capacity, time_scale) if capacity.pace_per_second is not None else _steady(capacity)
    if capacity.stalls is None:
        return station
    gap, duration = compile_distribution(capacity.stalls.gap), compile_distribution(capacity.stalls.duration)
    return Stalls(station, drawn_stalls(gap, duration, random, time_scale=time_scale))


def _gated(capacity: Capacity, time_scale: float) -> Station:
    """Behind the gate nobody is turned away: who waits, waits before it."""
    assert capacity.pace_per_second is not None
    gap_ns = time_scale * _NS_PER_S / capacity.pace_per_second
    return Gate(_steady(replace(capacity, queue_limit=None)), gap_ns, capacity.queue_limit)


def _steady(capacity: Capacity) -> Station:
    if capacity.discipline == "fifo":
        return Fifo(capacity.servers, capacity.queue_limit)
    curve = capacity.curve or range(1, (capacity.servers or 1) + 1)
    if capacity.most is None:
        return Sharing(curve, capacity.queue_limit)
    return LimitedSharing(curve, capacity.most, capacity.queue_limit)
