"""One virtual service: its stubs, where they were learned from, and what it has little of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mockforge.model.stub import DelayDistribution, ResponseDefinition, Stub

__all__ = [
    "DEFAULT_POOL",
    "AfterIdle",
    "Capacity",
    "ColdStart",
    "RateRule",
    "Service",
    "SlowSpells",
    "StallLaws",
    "Timeout",
]

#: The pool of every stub that names none, where the service itself has a capacity.
DEFAULT_POOL = "default"


@dataclass(frozen=True, slots=True)
class RateRule:
    """So many requests `per_second`, and up to `burst` at once; beyond, `answer` is given."""

    per_second: float
    burst: int = 1
    answer: ResponseDefinition = field(default_factory=lambda: ResponseDefinition(429))


@dataclass(frozen=True, slots=True)
class Timeout:
    """Who is not answered `after_ms`, counted from the arrival, then gets `answer`."""

    after_ms: float
    answer: ResponseDefinition = field(default_factory=lambda: ResponseDefinition(504))


@dataclass(frozen=True, slots=True)
class ColdStart:
    """The first `requests` ask for `factor` times as much as later ones."""

    factor: float
    requests: int = 1


@dataclass(frozen=True, slots=True)
class AfterIdle:
    """After `idle_ms` without a request, so many `requests` ask for `factor` times as much as others."""

    idle_ms: float
    factor: float
    requests: int = 1


@dataclass(frozen=True, slots=True)
class StallLaws:
    """How long the times are in which nothing completes, and the gaps between them."""

    gap: DelayDistribution
    duration: DelayDistribution


@dataclass(frozen=True, slots=True)
class Capacity:
    """The station that requests wait at before their service time runs; `discipline` is fifo or ps.

    `servers` or `curve` (the rate of completions in state n over that in state 1) say how much there is of
    it; with neither, nothing waits. Before it may be a gate, which `pace_per_second` requests pass one by
    one, and where the others wait. Under ps at most `most` share. `queue_limit` counts those that wait or,
    under ps without `most`, those in progress; beyond it `when_full` is given. `abandoned` says what becomes
    of the place of a caller that left, or whose time was up: it `keeps` being worked for, or one `frees` it.
    `recorded_up_to` is the most in flight that the recording saw.
    """

    servers: int | None = None
    discipline: str = "fifo"
    curve: tuple[float, ...] = ()
    most: int | None = None
    pace_per_second: float | None = None
    queue_limit: int | None = None
    when_full: ResponseDefinition = field(default_factory=lambda: ResponseDefinition(503))
    abandoned: str = "keeps"
    rate_limit: RateRule | None = None
    timeout: Timeout | None = None
    cold_start: ColdStart | None = None
    after_idle: AfterIdle | None = None
    stalls: StallLaws | None = None
    recorded_up_to: int | None = None


@dataclass(frozen=True, slots=True)
class SlowSpells:
    """Times in which the whole service is slow: how long they and the calm between them last, in seconds.

    `levels` maps percentiles of the answers in spells to percentiles of all answers, both 0..100, rising:
    that is where in their delay's law the answers of a spell lie. `share` is the part of all answers that is
    in spells, 0 < share < 1.
    """

    durations_s: tuple[float, ...]
    gaps_s: tuple[float, ...]
    levels: tuple[tuple[float, float], ...]
    share: float


@dataclass(frozen=True, slots=True)
class Service:
    """`upstream` is the real backend's URL, where one is known.

    Stubs wait at the pool that they name among `pools`, or else at `capacity`.
    """

    name: str
    stubs: tuple[Stub, ...] = ()
    upstream: str | None = None
    capacity: Capacity | None = None
    pools: Mapping[str, Capacity] = field(default_factory=dict)
    slow_spells: SlowSpells | None = None
