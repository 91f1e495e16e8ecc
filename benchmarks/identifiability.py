"""Whether a station can be told from its recording: 72 simulated backends, each learned and judged.

`python -m benchmarks.identifiability` prints the table; `--rounds` gives further seeds. The simulators here
know nothing of `mockforge.delays.station`, so that each checks the other.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import multiprocessing
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Bench, Measured, Row
from benchmarks.results import Check, Contestant
from mockforge.learning.capacity import CapacityFit, fit_capacity
from mockforge.learning.capacity_inversion import in_flight
from mockforge.learning.capacity_station import FifoStation, SharingStation
from mockforge.learning.capacity_trace import Trace

__all__ = [
    "CONFIGURATIONS",
    "ROWS",
    "Outcome",
    "Truth",
    "main",
    "served_in_order",
    "served_shared",
    "trace_of",
]

Times = NDArray[np.float64]

_MEAN_NS = 20e6
_NOISE_NS = 0.2e6
_EXCHANGES = 6_000
_IDENTIFIABLE = 0.15
_BOUND = 97.0


@dataclass(frozen=True, slots=True)
class Truth:
    """A backend: `servers` in order ("fifo") or shared ("ps"), at `load` of their capacity."""

    discipline: str
    servers: int
    load: float
    law: str
    seed: int = 0

    def demands(self, generator: np.random.Generator, count: int) -> Times:
        """Demands in ns, 20 ms on average."""
        if self.law.startswith("lognormal"):
            sigma = float(self.law.split()[1])
            drawn = np.exp(generator.normal(-(sigma**2) / 2, sigma, count))
        else:
            shape = {"exponential": 1.0, "gamma 4": 4.0}[self.law]
            drawn = generator.gamma(shape, 1 / shape, count)
        return np.asarray(_MEAN_NS * drawn, dtype=np.float64)

    def recorded(self, count: int = _EXCHANGES, noise_ns: float = _NOISE_NS) -> tuple[Times, Times, Times]:
        """Arrivals (Poisson), demands and departures of so many exchanges, in ns."""
        place = CONFIGURATIONS.index((self.discipline, self.servers, self.load, self.law))
        generator = np.random.default_rng([self.seed, place])
        demands = self.demands(generator, count)
        arrived = np.cumsum(generator.exponential(_MEAN_NS / (self.servers * self.load), count))
        departed = self.served(arrived, demands) + generator.normal(0.0, noise_ns, count)
        return arrived, demands, np.maximum(departed, arrived + 1.0)

    def served(self, arrived: Times, demands: Times) -> Times:
        """When each leaves."""
        if self.discipline == "fifo":
            return served_in_order(arrived, demands, self.servers)
        return served_shared(arrived, demands, [float(n) for n in range(1, self.servers + 1)])


CONFIGURATIONS = list(
    itertools.product(
        ("fifo", "ps"),
        (1, 4, 16),
        (0.5, 0.8, 0.95),
        ("lognormal 0.6", "exponential", "gamma 4", "lognormal 1.0"),
    )
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was learned of a truth; `saturated` is the share that found all its servers busy."""

    truth: Truth
    saturated: float
    fit: CapacityFit
    cpu_s: float

    @property
    def identifiable(self) -> bool:
        return self.saturated >= _IDENTIFIABLE

    @property
    def right(self) -> bool:
        """Whether the discipline is right and the servers are within 10 %, or one."""
        kind = {"fifo": FifoStation, "ps": SharingStation}[self.truth.discipline]
        station = self.fit.station
        if not isinstance(station, kind) or station.servers is None:
            return False
        return abs(station.servers - self.truth.servers) <= max(1.0, 0.1 * self.truth.servers)


def served_in_order(arrived: Times, demands: Times, servers: int) -> Times:
    """Departures from so many servers that take jobs in order."""
    free = [0.0] * servers
    departed = np.empty(arrived.size)
    for job, (at, demand) in enumerate(zip(arrived.tolist(), demands.tolist(), strict=True)):
        departed[job] = max(at, free[0]) + demand
        heapq.heapreplace(free, float(departed[job]))
    return departed


def served_shared(arrived: Times, demands: Times, curve: Sequence[float], most: int | None = None) -> Times:
    """Departures from sharing by `curve` of at most `most` jobs, the others waiting in order."""
    departed = np.empty(arrived.size)
    inside: list[tuple[float, int]] = []
    waiting: deque[int] = deque()
    now, had = 0.0, 0.0
    arrivals = [*arrived.tolist(), float("inf")]
    for job, at in enumerate(arrivals):
        while inside:
            pace = curve[min(len(inside), len(curve)) - 1] / len(inside)
            done = now + (inside[0][0] - had) / pace
            if done > at:
                had += (at - now) * pace
                break
            had, ended = heapq.heappop(inside)
            now = departed[ended] = done
            if waiting:
                begun = waiting.popleft()
                heapq.heappush(inside, (had + float(demands[begun]), begun))
        now = at
        if job == arrived.size:
            break
        if most is None or len(inside) < most:
            heapq.heappush(inside, (had + float(demands[job]), job))
        else:
            waiting.append(job)
    return departed


def trace_of(arrived: Times, departed: Times, operation: NDArray[np.int64] | None = None) -> Trace:
    """The columns of a recording in which every exchange was answered with 200."""
    size = arrived.size
    never = np.zeros(size, dtype=np.bool_)
    return Trace(
        arrived_ns=np.rint(arrived).astype(np.int64),
        total_ns=np.rint(departed - arrived).astype(np.int64),
        ttfb_ns=np.full(size, -1, dtype=np.int64),
        operation=np.zeros(size, dtype=np.int64) if operation is None else operation,
        status=np.full(size, 200, dtype=np.int64),
        failed=never,
        aborted=never,
        retry_after_s=np.zeros(0),
    )


def learned(truth: Truth) -> Outcome:
    """Simulate a truth and learn it."""
    arrived, _, departed = truth.recorded()
    saturated = float((in_flight(arrived, departed) >= truth.servers).mean())
    began = time.process_time()
    fit = fit_capacity(trace_of(arrived, departed), seed=1)
    return Outcome(truth, saturated, fit, time.process_time() - began)


def _study(seed: int, processes: int = 2) -> list[Outcome]:
    truths = [Truth(*configuration, seed) for configuration in CONFIGURATIONS]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return pool.map(learned, truths, chunksize=1)


def _right_share(outcomes: Sequence[Outcome]) -> float:
    """Percent right of those that are identifiable."""
    judged = [outcome.right for outcome in outcomes if outcome.identifiable]
    return 100.0 * sum(judged) / max(1, len(judged))


def _measure(bench: Bench) -> Measured:
    rounds = [_study(seed) for seed in range(bench.scale.rounds)]
    check = Check(
        "station and servers right", "at least", _BOUND, "%", tuple(_right_share(each) for each in rounds)
    )
    contestants = tuple(
        Contestant(f"{discipline}, {servers}", tuple(_figures(each, discipline, servers) for each in rounds))
        for discipline, servers in itertools.product(("fifo", "ps"), (1, 4, 16))
    )
    return Measured(
        "Capacity learned from simulated recordings",
        "72 stations a round, 6,000 exchanges each with 0.2 ms of noise. Right: the discipline, and the "
        "servers within 10 % or one, where at least 15 % of requests found all servers busy. Errors are "
        "those not right.",
        (check,),
        contestants,
    )


def _figures(outcomes: Sequence[Outcome], discipline: str, servers: int) -> dict[str, float]:
    own = [
        outcome
        for outcome in outcomes
        if (outcome.truth.discipline, outcome.truth.servers) == (discipline, servers) and outcome.identifiable
    ]
    seconds = float(np.mean([outcome.cpu_s for outcome in own]))
    return {"asked": len(own), "errors": sum(not outcome.right for outcome in own), "seconds": seconds}


ROWS: dict[str, Row] = {"identifiability": _measure}


def _shown(outcome: Outcome) -> str:
    truth, fit = outcome.truth, outcome.fit
    verdict = "right" if outcome.right else "wrong" if outcome.identifiable else "not to be told"
    name = f"{truth.discipline} {truth.servers}, {truth.load:.2f}, {truth.law}"
    error = float("nan") if fit.held_out_error is None else fit.held_out_error
    return (
        f"{name:<32} full for {outcome.saturated:4.0%}: {fit.station!s:<36} {fit.servers_interval!s:<9} "
        f"held out {error:.3f}  {outcome.cpu_s:4.1f} s  {verdict}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every configuration and the share that is right."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identifiability", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="seeds 0 to N - 1 (1)")
    rounds = parser.parse_args(arguments).rounds
    for seed in range(rounds):
        outcomes = _study(seed)
        print(*(_shown(outcome) for outcome in outcomes), sep="\n")
        told = sum(outcome.identifiable for outcome in outcomes)
        print(f"seed {seed}: {_right_share(outcomes):.1f} % of {told} identifiable ones right", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
