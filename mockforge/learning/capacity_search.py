"""The likeliest station of each family, from all of a recording or from some blocks of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_curve import capacity_curve, explained, shared_servers
from mockforge.learning.capacity_inversion import Inside, Times, fifo_starts
from mockforge.learning.capacity_station import (
    FifoStation,
    GateStation,
    LimitedStation,
    PoolStation,
    SharingStation,
    StationLaw,
)
from mockforge.learning.capacity_trace import Jobs
from mockforge.stats.ranks import correlation, levels

__all__ = ["BLOCKS", "FAMILIES", "Blocks", "Evidence"]

BLOCKS = 20
_MOST_SERVERS = 256
_COARSE = 24
#: Demands below zero by more than this speak against a candidate; less is the error of the times.
_SLACK_NS = 0.5e6
#: The slack is no more than this share of the median response time: some services take microseconds.
_SLACK_SHARE = 0.1
_IMPOSSIBLE_SHARE = 1e-3
#: Where fewer find all places taken, nobody can tell that there is a limit.
_LIMIT_SEEN = 0.05
#: A correlation is taken for one from so many standard deviations (1 / √n) on; less than the least is none.
_DEVIATIONS = 2.8
_LEAST_NOTICED = 0.025
#: The pace of busy servers is known from so many jobs on, and may be off by so much, as a logarithm.
_LEAST_OF_PACE = 150
_PACE_OFF = 0.1
#: Who finds so many had to wait. Most gaps of a gate are within a share of their mean, and a job alone takes
#: no more than a share of one.
_SURELY_WAITED = 2
_STEADY, _MOSTLY = 0.6, 0.8
_GATE_ALONE = 0.5
_CALM = 0.2
_SHORTEST = 0.02

Blocks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Reading:
    """Demands under so many servers: how they rank, and which are impossible; of counted jobs."""

    level: Times
    impossible: NDArray[np.bool_]


class Evidence:
    """Jobs read with a fixed `offset_ns` that each takes apart from the station, in blocks of time.

    A family gives None where it has no station for these blocks. `train`, shape (BLOCKS,), says which count.
    """

    def __init__(self, jobs: Jobs, offset_ns: float = 0.0) -> None:
        self.jobs, self.offset_ns = jobs, offset_ns
        self.came = jobs.arrived
        self.went = np.maximum(jobs.departed - offset_ns, jobs.arrived)
        self.block = np.arange(jobs.arrived.size) * BLOCKS // max(1, jobs.arrived.size)
        self.found = jobs.in_flight()
        self._which = np.flatnonzero(jobs.counted)
        self._operation = jobs.operation[self._which]
        self._block = self.block[self._which]
        self._level = levels(self.found[self._which], self._operation)
        middle = float(np.median(jobs.response[self._which])) if self._which.size else 0.0
        self._slack = min(_SLACK_NS, _SLACK_SHARE * middle)
        self._readings: dict[int, _Reading] = {}
        self._limited: dict[int, tuple[Times, Times]] = {}

    def dependence(self, law: StationLaw) -> float:
        """Spearman's correlation, within operations, of demands under `law` with the number in flight."""
        demands = law.demands(self.came, self.went)[self._which]
        known = np.isfinite(demands)
        if known.all():
            return correlation(levels(demands, self._operation), self._level)
        operation = self._operation[known]
        return correlation(
            levels(demands[known], operation), levels(self.found[self._which][known], operation)
        )

    def accepts(self, law: StationLaw, dependence: float) -> bool:
        """Whether nothing seen speaks against `law`, under which demands have this `dependence`.

        Their correlation with the number in flight must be near enough to 0. Shared servers must complete as
        many as was seen, too: a curve that bends passes for some number of servers by its correlation alone.
        So must servers in no known order, of whose jobs most may be left out of the correlation.
        """
        limit = max(_LEAST_NOTICED, _DEVIATIONS / float(np.sqrt(max(1, self._which.size))))
        if abs(dependence) > limit:
            return False
        if isinstance(law, SharingStation | LimitedStation) and law.plain:
            states = self._limited_states(law.most) if isinstance(law, LimitedStation) else self._states
            departures, times = (each.sum(axis=0) for each in states)
            return explained(departures, times, law.servers)
        if isinstance(law, PoolStation):
            return self._pace_off(law.servers, np.ones(BLOCKS, dtype=np.bool_)) <= _PACE_OFF
        return True

    @property
    def floor_ns(self) -> float:
        """About the shortest response time while little was in flight: no fixed part is longer."""
        found, response = self.found[self._which], self.jobs.response[self._which]
        calm = response[found <= np.quantile(found, _CALM)]
        return float(np.quantile(calm, _SHORTEST))

    def impossible(self, servers: int) -> float:
        """The share of demands that would be below zero with so many servers in order."""
        impossible = self._reading(servers).impossible
        return float(impossible.mean()) if impossible.size else 1.0

    def fifo(self, train: Blocks) -> FifoStation | None:
        """The possible number of servers under which demands depend least on the number in flight."""
        best = self._least_dependent(self._servers, train)
        return None if best is None else FifoStation(best)

    def shared(self, train: Blocks) -> SharingStation | None:
        """The likeliest number of servers that all jobs share."""
        departures, times = (each[train].sum(axis=0) for each in self._states)
        if not departures.sum():
            return None
        return SharingStation.of(int(shared_servers(departures, times, self._candidates)))

    def curved(self, train: Blocks) -> SharingStation | None:
        """Sharing by the curve that the rates of completions follow."""
        curve = capacity_curve(*(each[train].sum(axis=0) for each in self._states))
        return SharingStation(curve) if curve else None

    def limited(self, train: Blocks) -> LimitedStation | None:
        """The likeliest number of servers that as few jobs as is possible share, the others in order."""
        most = self._limit
        if most is None:
            return None
        departures, times = (each[train].sum(axis=0) for each in self._limited_states(most))
        if not departures.sum():
            return None
        servers = int(shared_servers(departures, times, np.arange(1, most)))
        return LimitedStation(SharingStation.of(servers).curve, most)

    def limited_curved(self, train: Blocks) -> LimitedStation | None:
        """Sharing by a curve, of as few jobs as is possible, the others in order."""
        most = self._limit
        if most is None:
            return None
        curve = capacity_curve(*(each[train].sum(axis=0) for each in self._limited_states(most)))
        return LimitedStation(curve, most) if curve else None

    def gate(self, train: Blocks) -> GateStation | None:
        """A gate at the pace at which jobs complete that had to wait.

        No server is ready for the next job before it is done with the last: where a job alone takes much less
        than the time between two of those that waited, it is a gate that they waited at. Less a fixed part
        any server looks like that.
        """
        if self.offset_ns:
            return None
        gaps = np.diff(self.went, prepend=np.nan)
        waited = (self.found >= _SURELY_WAITED) & train[self.block]
        if waited.sum() < _LEAST_OF_PACE:
            return None
        gap_ns = float(gaps[waited].mean())
        alone = train[self.block] & self.jobs.counted & (self.found == 0)
        alone[1:] &= self.came[1:] > self.went[:-1] + gap_ns
        if not alone.any():
            return None
        alone_ns = float(np.median((self.went - self.came)[alone]))
        steady = np.abs(gaps[waited] / gap_ns - 1) < _STEADY
        if alone_ns > _GATE_ALONE * gap_ns or steady.mean() < _MOSTLY:
            return None
        return GateStation(gap_ns, alone_ns)

    def pool(self, train: Blocks) -> PoolStation | None:
        """As many servers as complete jobs, while all are busy, at the pace of those that found one free."""
        off = {servers: self._pace_off(servers, train) for servers in self._candidates.tolist()}
        near = sorted((servers for servers in off if off[servers] <= _PACE_OFF), key=lambda one: off[one])
        laws = [PoolStation(servers) for servers in near]
        return next(
            (law for law in laws if self.accepts(law, self.dependence(law))), laws[0] if laws else None
        )

    def _pace_off(self, servers: int, train: Blocks) -> float:
        """|ln| of the pace at which so many servers complete while busy, over that of jobs that found one.

        Infinite where either was hardly seen.
        """
        departures, times = (each[train].sum(axis=0)[servers - 1 :].sum() for each in self._states)
        free = self._which[(self.found[self._which] < servers) & train[self._block]]
        if min(departures, free.size) < _LEAST_OF_PACE:
            return float("inf")
        alone = float((self.went[free] - self.came[free]).mean())
        return abs(float(np.log(departures / times * alone / servers)))

    def servers_in(self, law: StationLaw, weights: Times) -> NDArray[np.int64]:
        """The number of servers, in order or shared as `law` has them, in samples of the blocks.

        `weights`, shape (samples, BLOCKS), say how often each block is in each sample.
        """
        if isinstance(law, FifoStation):
            possible = [k for k in self._servers if self.impossible(k) <= self._tolerated]
            sums = np.array([self._products(k) for k in possible])
            best = np.argmin(np.abs(weights @ sums.T), axis=1)
            return np.asarray([possible[index] for index in best.tolist()], dtype=np.int64)
        departures, times = (weights @ each for each in self._states)
        return shared_servers(departures, times, self._candidates)

    @cached_property
    def _states(self) -> tuple[Times, Times]:
        return self._states_of(self.came)

    @cached_property
    def _candidates(self) -> NDArray[np.int64]:
        return np.arange(1, max(2, self._most_servers + 1))

    @property
    def _most_servers(self) -> int:
        return min(_MOST_SERVERS, 2 * (int(self.found.max(initial=0)) + 1))

    @property
    def _tolerated(self) -> float:
        return max(_IMPOSSIBLE_SHARE, 1.0 / max(1, self._which.size))

    @cached_property
    def _servers(self) -> list[int]:
        """Numbers of servers worth a look: a coarse series, and all around the best of it."""
        most = self._most_servers
        coarse = np.unique(np.rint(np.geomspace(1, most, _COARSE)).astype(int)).tolist()
        everywhere = np.ones(BLOCKS, dtype=np.bool_)
        looked = set(coarse) | set(range(1, min(most, 8) + 1))
        best = self._least_dependent(sorted(looked), everywhere)
        if best is not None:
            looked |= set(range(max(1, round(best / 1.3) - 1), min(most, round(best * 1.3) + 2)))
        return sorted(looked)

    @cached_property
    def _least_possible(self) -> int | None:
        low, high = 0, self._most_servers
        if self.impossible(high) > self._tolerated:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.impossible(middle) <= self._tolerated else (middle, high)
        return high

    @property
    def _limit(self) -> int | None:
        """The fewest jobs that can have been in progress together, where more came often enough to tell."""
        most = self._least_possible
        if most is None or most == 1 or float((self.found >= most).mean()) < _LIMIT_SEEN:
            return None
        return most

    def _limited_states(self, most: int) -> tuple[Times, Times]:
        if most not in self._limited:
            begun = np.minimum(fifo_starts(self.came, self.went, most), self.went)
            self._limited[most] = self._states_of(begun)
        return self._limited[most]

    def _states_of(self, begun: Times) -> tuple[Times, Times]:
        bounds = self.came[np.searchsorted(self.block, np.arange(BLOCKS))]
        return Inside(begun, self.went).states(np.r_[bounds, np.inf])

    def _reading(self, servers: int) -> _Reading:
        if servers not in self._readings:
            demands = (self.went - fifo_starts(self.came, self.went, servers))[self._which]
            self._readings[servers] = _Reading(levels(demands, self._operation), demands < -self._slack)
        return self._readings[servers]

    def _least_dependent(self, candidates: list[int], train: Blocks) -> int | None:
        mask = train[self._block]
        found: dict[int, float] = {}
        for servers in candidates:
            reading = self._reading(servers)
            if mask.any() and float(reading.impossible[mask].mean()) <= self._tolerated:
                found[servers] = abs(correlation(reading.level[mask], self._level[mask]))
        return min(found, key=lambda servers: found[servers]) if found else None

    def _products(self, servers: int) -> Times:
        """The sums, by block, of which the rank correlation under so many servers is made."""
        product = self._reading(servers).level * self._level
        return np.bincount(self._block, product, minlength=BLOCKS).astype(np.float64)


#: How each family finds its station, and how much that takes beyond a number of servers.
FAMILIES: Sequence[tuple[Callable[[Evidence, Blocks], StationLaw | None], int]] = (
    (Evidence.fifo, 0),
    (Evidence.shared, 0),
    (Evidence.curved, 1),
    (Evidence.limited, 1),
    (Evidence.limited_curved, 2),
    (Evidence.gate, 1),
    (Evidence.pool, 1),
)
