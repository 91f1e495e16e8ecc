"""The capacity of a backend, learned from a recording: by what station its latency depends on load.

Families of stations are tried (`capacity_search`): so many servers in order, or in no known one, so many
that are shared, by all or by a limited number, sharing by a measured curve, and a gate; each with and without
a fixed part of the latency that does not queue. The right one makes demands independent of the number in
flight, and predicts what it was not learned from. Where a recording never saturates its backend, nobody can
tell, and the fit says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity_inversion import Times
from mockforge.learning.capacity_prediction import (
    Learner,
    QuantileCheck,
    drawn,
    held_out_error,
    self_check,
    spread,
)
from mockforge.learning.capacity_search import BLOCKS, FAMILIES, Blocks, Evidence
from mockforge.learning.capacity_station import (
    FifoStation,
    NoLoadDependence,
    PoolStation,
    SharingStation,
    StationLaw,
)
from mockforge.learning.capacity_trace import Jobs, Trace, jobs_of, sampled
from mockforge.learning.load import LoadBehaviour
from mockforge.learning.load_limits import ColdStart, find_cold_start, find_time_limit, not_in_time
from mockforge.learning.load_shedding import find_shedding, refused
from mockforge.learning.load_stalls import find_stalls, without_stalls
from mockforge.stats.ranks import spearman

__all__ = ["Candidate", "CapacityFit", "RecordedLoad", "fit_capacity", "predicted_ns"]

_LEAST_JOBS = 100
_LEAST_DEPENDENCE = 0.05
_LEAST_SATURATED = 0.15
#: A number of servers that samples of the time blocks agree on may be seen more rarely than that.
_LEAST_AGREED, _AGREED = 0.03, 0.15
_LEAST_SATURATING = 200
#: Fixed parts that are tried, as shares of the shortest response time at low load.
_OFFSETS = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
#: So many of them, by how little dependence they leave, are tried for what they predict.
_TRIED = 3
#: What takes more to say must predict better by this share, where the simpler reading is acceptable.
_BETTER = 0.25
_FAR_BETTER, _LITTLE = 0.3, 0.1
_BOOTSTRAP = 200
_IMPUTED = 7


@dataclass(frozen=True, slots=True)
class Candidate:
    """A station that was considered.

    `dependence` is the rank correlation that remains between demands and the number in flight, `held_out` the
    mean |ln(predicted / recorded)| of p50 and p95 at loads and times that it was not learned from. It is
    `accepted` where nothing seen speaks against it. `complexity`: what it takes beyond a number of servers.
    """

    station: StationLaw
    offset_ns: float
    dependence: float
    held_out: float
    accepted: bool
    complexity: int


@dataclass(frozen=True, slots=True)
class RecordedLoad:
    """The most in flight that was recorded, each request itself counted, and the 99th percentile."""

    most: int
    p99: int


@dataclass(frozen=True, slots=True)
class CapacityFit:
    """What was learned. `demands_ns`, shape (n,) as the trace, is NaN where a demand cannot be told, and for
    a cold start.

    `offset_ns` comes on top of what the station takes, and does not queue. `servers_interval` holds 95 % of
    samples of time blocks; None where the station has no number of servers. `candidates` are best first.
    """

    station: StationLaw
    offset_ns: float
    demands_ns: NDArray[np.float64]
    identifiable: bool
    reason: str
    recorded_up_to: RecordedLoad
    servers_interval: tuple[int, int] | None
    candidates: tuple[Candidate, ...]
    self_check: tuple[QuantileCheck, ...]
    held_out_error: float | None
    load: LoadBehaviour


@dataclass(frozen=True, slots=True)
class _Verdict:
    station: StationLaw
    offset_ns: float
    identifiable: bool
    reason: str
    interval: tuple[int, int] | None = None
    candidates: tuple[Candidate, ...] = ()
    check: tuple[QuantileCheck, ...] = ()
    held_out: float | None = None


def fit_capacity(trace: Trace, seed: int) -> CapacityFit:
    """The station of one pool's exchanges, and what else load does to it; never raises for what it holds."""
    which = trace.usable()
    usable = trace.taken(which)
    turned_away = refused(usable)
    limit = find_time_limit(usable)
    answered = ~usable.aborted & ~turned_away & ~not_in_time(usable, limit) & (usable.status > 0)
    jobs = jobs_of(usable, ~turned_away, answered)
    stalls = find_stalls(jobs)
    moving = without_stalls(jobs, stalls.stalls)
    found = moving.in_flight()
    verdict = _verdict(moving, found, seed)
    cold = _cold_start(moving, verdict)
    if cold.count:
        moving = _warm(moving, cold)
        verdict = _verdict(moving, found, seed)
    load = LoadBehaviour(find_shedding(usable, turned_away), limit, cold, stalls)
    aligned = np.full(trace.arrived_ns.size, np.nan)
    aligned[which[~turned_away]] = _demands(moving, verdict)
    return CapacityFit(
        station=verdict.station,
        offset_ns=verdict.offset_ns,
        demands_ns=aligned,
        identifiable=verdict.identifiable,
        reason=verdict.reason,
        recorded_up_to=_recorded(found),
        servers_interval=verdict.interval,
        candidates=verdict.candidates,
        self_check=verdict.check,
        held_out_error=verdict.held_out,
        load=load,
    )


def predicted_ns(
    fit: CapacityFit,
    learned: NDArray[np.int64],
    arrived_ns: NDArray[np.int64],
    operation: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float64]:
    """Response times over other arrivals, shape (m,), in order; stalls and refusals left out.

    `learned`, shape (n,), are the operations of the exchanges that the fit is of. All NaN where the fit has
    no demand.
    """
    known = np.isfinite(fit.demands_ns)
    if not known.any():
        return np.full(arrived_ns.size, np.nan)
    uniforms = spread(np.random.default_rng(seed), operation)
    demands = drawn(fit.demands_ns[known], learned[known], operation, uniforms)
    return fit.station.responses(arrived_ns.astype(np.float64), demands) + fit.offset_ns


def _recorded(found: NDArray[np.int64]) -> RecordedLoad:
    if not found.size:
        return RecordedLoad(0, 0)
    return RecordedLoad(int(found.max()) + 1, int(np.quantile(found, 0.99)) + 1)


def _demands(jobs: Jobs, verdict: _Verdict) -> Times:
    """The demand of each job, NaN for those that are not counted.

    A job whose demand cannot be told gets one of those of its operation that can.
    """
    departed = np.maximum(jobs.departed - verdict.offset_ns, jobs.arrived)
    demands = np.maximum(verdict.station.demands(jobs.arrived, departed), 0.0)
    unknown = jobs.counted & np.isnan(demands)
    if unknown.any():
        known, operation = jobs.counted & ~unknown, jobs.operation[unknown]
        uniforms = spread(np.random.default_rng(_IMPUTED), operation)
        demands[unknown] = drawn(demands[known], jobs.operation[known], operation, uniforms)
    return np.where(jobs.counted, demands, np.nan)


def _cold_start(jobs: Jobs, verdict: _Verdict) -> ColdStart:
    known = np.flatnonzero(jobs.counted)
    demands = _demands(jobs, verdict)[known]
    return find_cold_start(jobs.arrived[known], jobs.response[known], demands, jobs.operation[known])


def _warm(jobs: Jobs, cold: ColdStart) -> Jobs:
    """The jobs with those of a cold start not counted: what they ask for is not what others do."""
    counted = jobs.counted.copy()
    counted[np.flatnonzero(counted)[: cold.count]] = False
    return replace(jobs, counted=counted)


def _verdict(jobs: Jobs, found: NDArray[np.int64], seed: int) -> _Verdict:
    looked_at = sampled(jobs) if jobs.arrived.size else jobs
    count = int(looked_at.counted.sum())
    if count < _LEAST_JOBS:
        reason = f"{count} answered requests are too few to learn a capacity from: {_LEAST_JOBS} are needed"
        return _Verdict(NoLoadDependence(), 0.0, False, reason)
    evidence = Evidence(looked_at)
    candidates = sorted(_candidates(evidence, seed), key=lambda each: each.held_out)
    best = _chosen([each for each in candidates if not isinstance(each.station, NoLoadDependence)])
    read = Evidence(evidence.jobs, best.offset_ns) if best is not None and best.offset_ns else evidence
    interval = None if best is None else _interval(read, best.station, seed)
    reason = _unidentifiable(jobs, found, best, interval)
    if best is None or reason:
        naive = next(each for each in candidates if isinstance(each.station, NoLoadDependence))
        check = self_check(evidence, naive.station, seed)
        return _Verdict(naive.station, 0.0, False, reason, None, tuple(candidates), check, naive.held_out)
    return _Verdict(
        best.station,
        best.offset_ns,
        True,
        f"{best.station}; recorded at up to {int(found.max()) + 1} in flight",
        interval,
        tuple(candidates),
        self_check(read, best.station, seed),
        best.held_out,
    )


def _candidates(evidence: Evidence, seed: int) -> Iterator[Candidate]:
    """Each family without a fixed part, and with the one that predicts best.

    Of those that leave its demands least dependent: near there the correlation hardly tells them apart, and
    the prediction does.
    """
    everywhere = np.ones(BLOCKS, dtype=np.bool_)
    shifted = [Evidence(evidence.jobs, evidence.floor_ns * share) for share in _OFFSETS]
    yield _candidate(evidence, _naive, NoLoadDependence(), 0, seed)
    for learn, complexity in FAMILIES:
        law = learn(evidence, everywhere)
        if law is not None:
            yield _candidate(evidence, learn, law, complexity, seed)
        laws = [(other, found) for other in shifted if (found := learn(other, everywhere)) is not None]
        laws.sort(key=lambda pair: abs(pair[0].dependence(pair[1])))
        fixed = [_candidate(other, learn, law, complexity + 1, seed) for other, law in laws[:_TRIED]]
        if fixed:
            yield min(fixed, key=lambda each: (not each.accepted, each.held_out))


def _naive(_: Evidence, __: Blocks) -> StationLaw:
    return NoLoadDependence()


def _candidate(evidence: Evidence, learn: Learner, law: StationLaw, complexity: int, seed: int) -> Candidate:
    dependence = evidence.dependence(law)
    return Candidate(
        law,
        evidence.offset_ns,
        dependence,
        held_out_error(evidence, learn, seed),
        evidence.accepts(law, dependence),
        complexity,
    )


def _chosen(candidates: list[Candidate]) -> Candidate | None:
    """The best predictor of those whose demands are independent of load, of all where none has such.

    Among acceptable ones the simpler is taken unless the other predicts better by a quarter: near saturation
    the error of a right model is large too, and says little. One that leaves a
    little dependence is taken where it predicts far better: real backends leave some under any station.
    """
    accepted = [each for each in candidates if each.accepted]
    # Of servers in no known order less is checked: they come last.
    accepted = [each for each in accepted if not isinstance(each.station, PoolStation)] or accepted
    chosen: Candidate | None = None
    for complexity in sorted({each.complexity for each in accepted or candidates}):
        same = [each for each in accepted or candidates if each.complexity == complexity]
        best = min(same, key=lambda each: each.held_out)
        margin = _BETTER if accepted else 0.0
        if chosen is None or best.held_out < (1 - margin) * chosen.held_out:
            chosen = best
    little = [each for each in candidates if abs(each.dependence) <= _LITTLE]
    nearest = min(little, key=lambda each: each.held_out, default=None)
    if chosen is not None and nearest is not None and nearest.held_out < _FAR_BETTER * chosen.held_out:
        return nearest
    return chosen


def _unidentifiable(
    jobs: Jobs, found: NDArray[np.int64], best: Candidate | None, interval: tuple[int, int] | None
) -> str:
    """Why no capacity can be told; empty where it can."""
    seen = f"recorded at up to {int(found.max()) + 1} in flight"
    unknown = "latency beyond that is not known; record at a higher load"
    counted = jobs.counted
    raw = spearman(jobs.response[counted], found[counted], jobs.operation[counted])
    if best is None:
        return f"{seen}: no station explains it; {unknown}"
    if abs(raw) < _LEAST_DEPENDENCE:
        return f"{seen}, where latency does not depend on load; {unknown}"
    full = found >= (best.station.saturates_at or 0)
    saturated = float(full.mean())
    if saturated < _LEAST_SATURATED and not (best.accepted and _agreed(full, interval)):
        rare = f"hardly ever saturated ({saturated:.0%} of requests found {best.station} full)"
        return f"{seen}, {rare}; {unknown}"
    return ""


def _agreed(full: NDArray[np.bool_], interval: tuple[int, int] | None) -> bool:
    """Whether samples of the recording agree on the number of servers, few as found all of them busy."""
    if interval is None or full.sum() < _LEAST_SATURATING or full.mean() < _LEAST_AGREED:
        return False
    low, high = interval
    return high - low <= max(1.0, _AGREED * low)


def _interval(evidence: Evidence, law: StationLaw, seed: int) -> tuple[int, int] | None:
    """The number of servers in 95 of 100 samples of the time blocks."""
    if not (isinstance(law, FifoStation) or (isinstance(law, SharingStation) and law.plain)):
        return None
    generator = np.random.default_rng([seed, _BOOTSTRAP])
    weights = generator.multinomial(BLOCKS, np.full(BLOCKS, 1 / BLOCKS), size=_BOOTSTRAP).astype(np.float64)
    low, high = np.quantile(evidence.servers_in(law, weights), (0.025, 0.975), method="nearest")
    return int(low), int(high)
