"""Service times from response times: what a job must have asked for, if a station of this kind served it.

Times are nanoseconds as floats, exact below 2^53 (104 days). Arrays are ordered by arrival, shape (n,).

* FIFO(c): a job starts when at most c - 1 of those that came before it are left, which is the c-th latest
  of their departures; what remains until its own departure is its demand. O(n log c).
* Sharing by φ: with n jobs inside each gets on at φ(n)/n; its demand is the integral of that over its stay.
* Limited sharing is the second from the starts of the first.
"""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Inside", "fifo_responses", "fifo_starts", "in_flight"]

Times = NDArray[np.float64]


def in_flight(arrived: Times, departed: Times) -> NDArray[np.int64]:
    """How many earlier jobs are left when each arrives."""
    gone = np.searchsorted(np.sort(departed), arrived, side="right")
    return np.asarray(np.maximum(np.arange(arrived.size) - gone, 0), dtype=np.int64)


def fifo_starts(arrived: Times, departed: Times, servers: int) -> Times:
    """When the service of each job begins, with so many servers and those that wait in order."""
    starts = arrived.tolist()
    departures = departed.tolist()
    # The latest departures of the jobs so far, one for each server; the earliest of them is at its head.
    latest = departures[:servers]
    heapq.heapify(latest)
    pushpop = heapq.heappushpop
    for index in range(servers, len(starts)):
        starts[index] = max(starts[index], latest[0])
        pushpop(latest, departures[index])
    return np.asarray(starts, dtype=np.float64)


def fifo_responses(arrived: Times, demands: Times, servers: int) -> Times:
    """The response times of jobs with these demands, the inverse of `fifo_starts`.

    Each takes the server that is free first (Kiefer and Wolfowitz, On the theory of queues with many servers,
    1955), which is what `mockforge.delays.station.Fifo` comes to, in a tenth of the time.
    """
    free = [-math.inf] * servers
    found = demands.tolist()
    for index, came in enumerate(arrived.tolist()):
        departed = max(came, free[0]) + found[index]
        heapq.heapreplace(free, departed)
        found[index] = departed - came
    return np.asarray(found, dtype=np.float64)


class Inside:
    """How many jobs are inside over time, by when each came in and went out."""

    def __init__(self, came: Times, went: Times) -> None:
        """`went` is nowhere before `came`."""
        self._came, self._went = came, went
        # Who goes out comes first: its place may be taken in the same moment.
        edges = np.concatenate([went, came])
        order = np.argsort(edges, kind="stable")
        self.edges: Times = edges[order]
        steps = np.where(order < went.size, -1, 1)
        #: Jobs inside from each edge to the next, shape (2n,).
        self.count: NDArray[np.int64] = np.maximum(np.cumsum(steps), 0)
        self._departures = np.flatnonzero(steps < 0)

    def work(self, curve: Times) -> Times:
        """The demand of each job, where `curve[n - 1]` is φ(n), flat beyond its end."""
        paces = np.zeros(int(self.count.max(initial=0)) + 1)
        states = np.arange(1, paces.size)
        paces[1:] = curve[np.minimum(states, curve.size) - 1] / states
        done = np.r_[0.0, np.cumsum(paces[self.count[:-1]] * np.diff(self.edges))]
        at_end = np.interp(self._went, self.edges, done)
        return np.asarray(at_end - np.interp(self._came, self.edges, done), dtype=np.float64)

    def states(self, block: Times) -> tuple[Times, Times]:
        """Departures from each state n = 1.. and time (ns) in it, by block: shape (blocks, most) both.

        `block`, shape (blocks + 1,), are the blocks' bounds.
        """
        most = int(self.count.max(initial=0))
        blocks = block.size - 1
        departures, times = np.zeros((blocks, most + 1)), np.zeros((blocks, most + 1))
        if self.edges.size < 2:
            return departures[:, 1:], times[:, 1:]
        owner = np.clip(np.searchsorted(block, self.edges, side="right") - 1, 0, blocks - 1)
        np.add.at(times, (owner[:-1], self.count[:-1]), np.diff(self.edges))
        before = self._departures[self._departures > 0]
        np.add.at(departures, (owner[before], self.count[before - 1]), 1.0)
        return departures[:, 1:], times[:, 1:]
