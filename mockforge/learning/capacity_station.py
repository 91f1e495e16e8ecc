"""The stations that a recording can be explained by: what each makes of demands, and of response times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mockforge.delays.station import LimitedSharing, Sharing
from mockforge.delays.station_simulation import simulate
from mockforge.learning.capacity_inversion import Inside, Times, fifo_responses, fifo_starts, in_flight

__all__ = [
    "FifoStation",
    "GateStation",
    "LimitedStation",
    "NoLoadDependence",
    "PoolStation",
    "SharingStation",
    "StationLaw",
]

#: Jobs are in each other's way where each gets on at no more than this share of its pace alone.
_SLOWED = 0.8


class StationLaw(Protocol):
    """A station as it was learned; times and demands are in ns, shape (n,), ordered by arrival."""

    @property
    def servers(self) -> int | None:
        """How many jobs proceed at full pace at most; None where load makes no difference."""
        ...

    @property
    def saturates_at(self) -> int | None:
        """How many others slow down a job that joins them, or let it wait; None where no number does."""
        ...

    def demands(self, arrived: Times, departed: Times) -> Times:
        """What each job must have asked for; NaN where that cannot be told."""
        ...

    def responses(self, arrived: Times, demands: Times) -> Times:
        """The response time of each job, in the station alone."""
        ...

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class NoLoadDependence:
    """As many servers as there are requests: what is recorded is what is served."""

    @property
    def servers(self) -> None:
        return None

    @property
    def saturates_at(self) -> None:
        return None

    def demands(self, arrived: Times, departed: Times) -> Times:
        return departed - arrived

    def responses(self, arrived: Times, demands: Times) -> Times:
        return demands

    def __str__(self) -> str:
        return "no load dependence"


@dataclass(frozen=True, slots=True)
class FifoStation:
    """`servers` that serve one job each; the others wait in order."""

    servers: int

    @property
    def saturates_at(self) -> int:
        return self.servers

    def demands(self, arrived: Times, departed: Times) -> Times:
        return departed - fifo_starts(arrived, departed, self.servers)

    def responses(self, arrived: Times, demands: Times) -> Times:
        return fifo_responses(arrived, demands, self.servers)

    def __str__(self) -> str:
        return f"fifo, {self.servers} server{'s' if self.servers > 1 else ''}"


@dataclass(frozen=True, slots=True)
class PoolStation:
    """`servers` that serve one job each; the others wait, in an order that is not known.

    New connections are often taken up later than requests on those that are open. What a job that waited has
    asked for cannot be told then; one that found a server free took as long as it asked for.
    """

    servers: int

    @property
    def saturates_at(self) -> int:
        return self.servers

    def demands(self, arrived: Times, departed: Times) -> Times:
        return np.where(in_flight(arrived, departed) < self.servers, departed - arrived, np.nan)

    def responses(self, arrived: Times, demands: Times) -> Times:
        return fifo_responses(arrived, demands, self.servers)

    def __str__(self) -> str:
        return f"{self.servers} server{'s' if self.servers > 1 else ''} in no known order"


@dataclass(frozen=True, slots=True)
class GateStation:
    """A gate that one job passes each `gap_ns`, the others waiting in order; behind it nobody waits.

    One that finds it open takes the `alone_ns` that jobs take behind it, more or less. Of the others nothing
    is told: what is left of their time is the error of the gap.
    """

    gap_ns: float
    alone_ns: float

    @property
    def servers(self) -> None:
        return None

    @property
    def saturates_at(self) -> int:
        return 1

    def demands(self, arrived: Times, departed: Times) -> Times:
        opens = np.r_[-np.inf, departed[:-1] - self.alone_ns + self.gap_ns]
        return np.where(arrived >= opens, departed - arrived, np.nan)

    def responses(self, arrived: Times, demands: Times) -> Times:
        opens = -np.inf
        passed = np.empty_like(arrived)
        for index, came in enumerate(arrived.tolist()):
            passed[index] = begins = max(came, opens)
            opens = begins + self.gap_ns
        return passed + demands - arrived

    def __str__(self) -> str:
        return f"gate, {1e9 / self.gap_ns:.4g} a second"


@dataclass(frozen=True, slots=True)
class SharingStation:
    """All jobs share; `curve[n - 1]` is the rate of completions with n inside over that with one."""

    curve: tuple[float, ...]

    @classmethod
    def of(cls, servers: int) -> SharingStation:
        """So many servers, shared."""
        return cls(tuple(float(n) for n in range(1, servers + 1)))

    @property
    def servers(self) -> int:
        return max(1, round(max(self.curve)))

    @property
    def plain(self) -> bool:
        """Whether these are so many servers, and not a curve that was measured."""
        return self == SharingStation.of(len(self.curve))

    @property
    def saturates_at(self) -> int:
        return len(self.curve) if self.plain else _slowed_by(self.curve)

    def demands(self, arrived: Times, departed: Times) -> Times:
        return Inside(arrived, np.maximum(departed, arrived)).work(np.asarray(self.curve))

    def responses(self, arrived: Times, demands: Times) -> Times:
        return simulate(lambda: Sharing(self.curve), arrived, demands)

    def __str__(self) -> str:
        if self.plain:
            return f"ps, {len(self.curve)} server{'s' if len(self.curve) > 1 else ''}"
        return f"ps, curve up to {max(self.curve):.2f} at {int(np.argmax(self.curve)) + 1}"


@dataclass(frozen=True, slots=True)
class LimitedStation:
    """At most `most` jobs share by `curve`; the others wait in order."""

    curve: tuple[float, ...]
    most: int

    @property
    def plain(self) -> bool:
        """Whether these are so many servers, and not a curve that was measured."""
        return self.curve == SharingStation.of(len(self.curve)).curve

    @property
    def servers(self) -> int:
        return max(1, round(max(self.curve)))

    @property
    def saturates_at(self) -> int:
        return min(self.most, _slowed_by(self.curve))

    def demands(self, arrived: Times, departed: Times) -> Times:
        begun = np.minimum(fifo_starts(arrived, departed, self.most), departed)
        return Inside(begun, departed).work(np.asarray(self.curve))

    def responses(self, arrived: Times, demands: Times) -> Times:
        return simulate(lambda: LimitedSharing(self.curve, self.most), arrived, demands)

    def __str__(self) -> str:
        if self.plain:
            return f"ps of at most {self.most}, {len(self.curve)} server{'s' if len(self.curve) > 1 else ''}"
        return f"ps of at most {self.most}, curve up to {max(self.curve):.2f}"


def _slowed_by(curve: tuple[float, ...]) -> int:
    """The fewest others with which a job gets on at four fifths of its pace alone, or less."""
    values: NDArray[np.float64] = np.asarray(curve)
    slowed = values <= _SLOWED * np.arange(1, values.size + 1)
    return int(np.argmax(slowed)) if slowed.any() else int(values[-1] / _SLOWED)
