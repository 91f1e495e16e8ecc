"""What a learned station predicts, and how far that is from what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_inversion import Times, in_flight
from mockforge.learning.capacity_search import BLOCKS, Blocks, Evidence
from mockforge.learning.capacity_station import StationLaw
from mockforge.learning.capacity_trace import Jobs
from mockforge.stats.quantiles import quantiles
from mockforge.stats.ranks import levels

__all__ = ["Learner", "QuantileCheck", "drawn", "folds", "held_out_error", "self_check", "spread"]

_JUDGED = (0.5, 0.95)
_CHECKED = (0.5, 0.95, 0.99)
#: An operation with fewer exchanges in what is predicted is judged together with the others that have.
_LEAST_OF_OPERATION = 150
_LEAST_JUDGED = 30
_LEVELS_OF_LOAD = 3
_REPEATS = 2

Learner = Callable[[Evidence, Blocks], StationLaw | None]


@dataclass(frozen=True, slots=True)
class QuantileCheck:
    """A quantile of the response times, in ms, as recorded and as the model gives it."""

    probability: float
    recorded_ms: float
    simulated_ms: float

    @property
    def error(self) -> float:
        """Simulated over recorded, less 1."""
        return self.simulated_ms / self.recorded_ms - 1 if self.recorded_ms > 0 else 0.0


def drawn(demands: Times, operation: NDArray[np.int64], wanted: NDArray[np.int64], uniforms: Times) -> Times:
    """A demand for each of `wanted`, shape (m,), from those of its operation; of all where it has none.

    `demands` and `operation` have shape (n,), n >= 1; `uniforms` in 0..1, shape (m,), say which.
    """
    ordered = np.sort(demands)
    found = ordered[(uniforms * ordered.size).astype(np.int64)]
    for name in np.unique(wanted).tolist():
        own, those = np.sort(demands[operation == name]), wanted == name
        if own.size:
            found[those] = own[(uniforms[those] * own.size).astype(np.int64)]
    return found


def spread(generator: np.random.Generator, operation: NDArray[np.int64]) -> Times:
    """Numbers in 0..1, shape (n,), in random order and evenly spread within each operation.

    Drawn so, demands keep their sum: near saturation a mean that is 1 % off by chance changes the queue.
    """
    return levels(generator.random(operation.size), operation) + 0.5


def folds(jobs: Jobs, block: NDArray[np.int64]) -> Iterator[tuple[Blocks, Blocks]]:
    """Blocks to learn from and blocks to predict: low load and high, early and late, each both ways.

    The load of a block is the work that its arrivals bring. The number in flight would be an outcome: blocks
    picked by it have long demands by chance, and no model predicts those.
    """
    work = np.bincount(block, _usual(jobs), minlength=BLOCKS)
    begin = jobs.arrived[np.searchsorted(block, np.arange(BLOCKS))]
    spent = np.maximum(np.diff(np.r_[begin, jobs.arrived[-1]]), 1.0)
    low = np.argsort(np.argsort(work / spent, kind="stable")) < BLOCKS // 2
    early = np.arange(BLOCKS) < BLOCKS // 2
    for half in (low, early):
        yield half, ~half
        yield ~half, half


def _usual(jobs: Jobs) -> Times:
    """The median response time of each job's operation."""
    found = np.zeros(jobs.arrived.size)
    for name in np.unique(jobs.operation).tolist():
        those = jobs.operation == name
        found[those] = np.median(jobs.response[those])
    return found


def held_out_error(evidence: Evidence, learn: Learner, seed: int) -> float:
    """How far off the quantiles are of blocks that the model was not learned from: the mean of |ln(ratio)|.

    Of p50 and p95, of each operation, weighted by its share, at three levels of load: the thirds with the
    fewest and the most in flight, in the simulation and in the recording each by its own. Infinite where
    some fold cannot be learned.
    """
    errors = []
    for number, (train, test) in enumerate(folds(evidence.jobs, evidence.block)):
        law = learn(evidence, train)
        source = train[evidence.block] & evidence.jobs.counted
        judged = test[evidence.block] & evidence.jobs.counted
        if law is None or source.sum() < _LEAST_JUDGED or judged.sum() < _LEAST_JUDGED:
            return float("inf")
        for repeat in range(_REPEATS):
            generator = np.random.default_rng([seed, number, repeat])
            simulated = _simulated(evidence, law, source, generator)
            errors.append(_off(evidence.jobs, simulated, judged, generator.random(int(judged.sum())) / 2))
    return float(np.mean(errors)) if errors else float("inf")


def _simulated(
    evidence: Evidence, law: StationLaw, source: NDArray[np.bool_], generator: np.random.Generator
) -> Times:
    """Response times of all jobs with demands drawn from those of the `source`."""
    jobs = evidence.jobs
    uniforms = spread(generator, jobs.operation)
    demands = law.demands(evidence.came, evidence.went)
    known = source & np.isfinite(demands)
    demands = drawn(np.maximum(demands[known], 0.0), jobs.operation[known], jobs.operation, uniforms)
    return law.responses(jobs.arrived, demands) + evidence.offset_ns


def _off(jobs: Jobs, simulated: Times, judged: NDArray[np.bool_], jitter: Times) -> float:
    """The mean of |ln(simulated / recorded)|, weighted by exchanges; `jitter` below 1 breaks ties of load."""
    group = _groups(jobs.operation[judged])
    total = 0.0
    recorded_third = _third(jobs.in_flight()[judged] + jitter, group)
    simulated_third = _third(in_flight(jobs.arrived, jobs.arrived + simulated)[judged] + jitter, group)
    recorded, predicted = jobs.response[judged], simulated[judged]
    for name in np.unique(group).tolist():
        own = group == name
        for third in range(_LEVELS_OF_LOAD):
            real = quantiles(recorded[own & (recorded_third == third)], _JUDGED)
            model = quantiles(predicted[own & (simulated_third == third)], _JUDGED)
            if not np.isnan(real).any() and not np.isnan(model).any():
                off = np.abs(np.log(np.maximum(model, 1.0) / np.maximum(real, 1.0))).mean()
                total += float(off) * own.sum() / _LEVELS_OF_LOAD
    return total / max(1, group.size)


def _groups(operation: NDArray[np.int64]) -> NDArray[np.int64]:
    names, counts = np.unique(operation, return_counts=True)
    frequent = names[counts >= _LEAST_OF_OPERATION]
    return np.where(np.isin(operation, frequent), operation, -2)


def _third(load: Times, group: NDArray[np.int64]) -> NDArray[np.int64]:
    position = (levels(load, group) + 0.5) * _LEVELS_OF_LOAD
    return np.minimum(position.astype(np.int64), _LEVELS_OF_LOAD - 1)


def self_check(evidence: Evidence, law: StationLaw, seed: int) -> tuple[QuantileCheck, ...]:
    """The recorded quantiles beside those of the model over the same arrivals; none without a demand."""
    counted = evidence.jobs.counted
    if not counted.any():
        return ()
    simulated = [
        _simulated(evidence, law, counted, np.random.default_rng([seed, repeat]))
        for repeat in range(_REPEATS)
    ]
    model = quantiles(np.concatenate([each[counted] for each in simulated]) / 1e6, _CHECKED)
    real = quantiles(evidence.jobs.response[counted] / 1e6, _CHECKED)
    return tuple(
        QuantileCheck(probability, float(recorded), float(given))
        for probability, recorded, given in zip(_CHECKED, real, model, strict=True)
    )
