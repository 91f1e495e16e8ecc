"""What was learned, as people are to see it: one value, rendered as a page or for a terminal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.delays.distributions import compile_distribution
from mockforge.learning.capacity import CapacityFit
from mockforge.learning.latency import LatencyFit, supported
from mockforge.learning.spells import SpellFit
from mockforge.model.stub import DelayDistribution
from mockforge.stats.families import FamilyFit, rank_families
from mockforge.stats.quantiles import quantiles
from mockforge.stats.two_sample import wasserstein

__all__ = ["PROBABILITIES", "Calls", "FitReport", "OperationFit", "QuantileFit", "operation_fit"]

#: The quantiles that are shown, where the sample supports them.
PROBABILITIES = (0.5, 0.9, 0.95, 0.99, 0.999)
#: A law alone is looked at in so many points at most.
_MOST_LEVELS = 20_000
_LEAST_MS = 1e-6


@dataclass(frozen=True, slots=True)
class QuantileFit:
    """A quantile of an operation's latencies in ms, as recorded and as the model gives it."""

    probability: float
    recorded_ms: float
    model_ms: float

    @property
    def error(self) -> float:
        """The model's over the recorded one, less 1; NaN where that is 0."""
        return self.model_ms / self.recorded_ms - 1 if self.recorded_ms > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class OperationFit:
    """One outcome of an operation: what was recorded, shape (n,), in order of time, and what the model gives.

    `served_ms`, shape (m,), are the latencies that the whole model gives over the recorded arrivals, waiting
    included. Without them the law alone stands for the model, which is right where nothing waits.
    `families` are best first; `remarks` say what was refused, and why.
    """

    name: str
    outcome: str
    recorded_ms: NDArray[np.float64]
    model: DelayDistribution
    fit: LatencyFit
    served_ms: NDArray[np.float64] | None = None
    families: tuple[FamilyFit, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`GET /a: ok`: no other outcome has the same."""
        return f"{self.name}: {self.outcome}" if self.outcome else self.name

    def model_ms(self) -> NDArray[np.float64]:
        """Latencies as the model gives them: the served ones, or the law's at evenly spread levels."""
        if self.served_ms is not None:
            return self.served_ms[np.isfinite(self.served_ms)]
        law = compile_distribution(self.model)
        count = min(self.recorded_ms.size, _MOST_LEVELS)
        return np.array([law.at((number + 0.5) / count) / 1e6 for number in range(count)])

    def quantiles(self) -> tuple[QuantileFit, ...]:
        """Those of `PROBABILITIES` that the sample supports."""
        told = [each for each in PROBABILITIES if supported(each, self.recorded_ms.size)]
        recorded, model = quantiles(self.recorded_ms, told), quantiles(self.model_ms(), told)
        return tuple(
            QuantileFit(probability, float(real), float(given))
            for probability, real, given in zip(told, recorded, model, strict=True)
        )

    def gap(self) -> float:
        """The first Wasserstein distance over the recorded mean; NaN where there is nothing to compare."""
        mean = float(self.recorded_ms.mean()) if self.recorded_ms.size else 0.0
        return wasserstein(self.recorded_ms, self.model_ms()) / mean if mean > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls that load and slow spells show in, ordered by arrival, all of shape (n,).

    `operation` numbers the operations. `served_ms` is what the model gives over the same arrivals, None
    where nobody asked it, NaN for calls that it says nothing of.
    """

    arrived_ns: NDArray[np.int64]
    latency_ms: NDArray[np.float64]
    operation: NDArray[np.int64]
    served_ms: NDArray[np.float64] | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.arrived_ns.size)


@dataclass(frozen=True, slots=True)
class FitReport:
    """Everything that was learned of a service from the recording `source`, and how sure that is.

    `count` exchanges were recorded in `span_s` seconds. `capacity` and `spells` are None where nobody looked
    for them, `calls` where there is nothing to draw; the calls in `spells.slow` are those of `calls`.
    `remarks` say of the recording as a whole what was refused, and why.
    """

    service: str
    source: str
    count: int
    span_s: float
    operations: tuple[OperationFit, ...]
    capacity: CapacityFit | None = None
    calls: Calls | None = None
    spells: SpellFit | None = None
    remarks: tuple[str, ...] = ()
    program: str = "mockforge"

    def __post_init__(self) -> None:
        if self.calls is not None and self.spells is not None and self.spells.slow.size != self.calls.count:
            raise ValueError(f"spells are of {self.spells.slow.size} calls, not of these {self.calls.count}")

    def gap(self) -> float:
        """The operations' gaps, weighted by how many latencies each has; NaN where there is none."""
        weighted = [(each.gap(), each.recorded_ms.size) for each in self.operations]
        known = [(gap, size) for gap, size in weighted if np.isfinite(gap)]
        total = sum(size for _, size in known)
        return sum(gap * size for gap, size in known) / total if total else float("nan")


def operation_fit(
    named: tuple[str, str],
    recorded_ms: NDArray[np.float64],
    fit: LatencyFit,
    served_ms: NDArray[np.float64] | None = None,
    remarks: tuple[str, ...] = (),
) -> OperationFit:
    """The (operation, outcome) that is `named`, with the law that `fit` wrote, and its families ranked."""
    families = rank_families(np.maximum(recorded_ms, _LEAST_MS))
    return OperationFit(*named, recorded_ms, fit.distribution, fit, served_ms, families, remarks)
