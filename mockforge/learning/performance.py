"""A recording's performance model: the station that requests wait at, and what they ask of it.

    columns ─► trace ─► capacity fit ─┬─ demands: what each exchange would have taken alone ─► delay laws
                                      ├─ capacity: servers or sharing, queue limit, rate limit, stalls
                                      └─ the demands' slow spells, where they come together

Where load makes no difference, or cannot be told, an exchange's demand is what it took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from mockforge.delays.station_of import station_of
from mockforge.learning.capacity import Candidate, CapacityFit, fit_capacity, predicted_ns
from mockforge.learning.capacity_station import (
    FifoStation,
    GateStation,
    LimitedStation,
    NoLoadDependence,
    PoolStation,
    SharingStation,
    StationLaw,
)
from mockforge.learning.capacity_trace import Trace
from mockforge.learning.latency import fit_latency
from mockforge.learning.load_limits import not_in_time
from mockforge.learning.load_shedding import Shedding, refused
from mockforge.learning.load_stalls import Stall
from mockforge.learning.spells import SpellFit, find_spells
from mockforge.learning.timeouts import ExplainedTimeouts, explain_timeouts
from mockforge.model.exchange import Exchange, Response
from mockforge.model.headers import HOP_BY_HOP
from mockforge.model.service import (
    AfterIdle,
    Capacity,
    ColdStart,
    RateRule,
    SlowSpells,
    StallLaws,
    Timeout,
)
from mockforge.model.stub import Body, DelayDistribution, ResponseDefinition

__all__ = ["Performance", "fit_performance"]

_SEED = 1
_LEAST_STALLS = 3
#: A station is served only where it gives back p50 and p95 of its own recording this closely.
_MOST_SELF_ERROR = 0.25
#: Or where its error at loads that it was not learned from is less than this share of the naive one.
_MUCH_BETTER = 0.3
_TRANSIENT = HOP_BY_HOP | {"date", "content-length"}
_CURVE_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Performance:
    """What was learned of a recording of n exchanges, in the order of its columns.

    `demand_ns`, shape (n,), is NaN where it is not known, and the least that it can be where nobody
    waited. `turned_away` and `timed_out`, shape (n,), mark exchanges that the capacity will refuse, or let
    time out, by itself.
    """

    fit: CapacityFit
    spells: SpellFit
    demand_ns: NDArray[np.float64]
    turned_away: NDArray[np.bool_]
    timed_out: NDArray[np.bool_]
    #: Why the station that was found is not served; None where it is, or none was found.
    refused_station: str | None
    stalls: tuple[Stall, ...]
    #: Time-outs that the station brings about; None where it does not, or there are none.
    timeouts: ExplainedTimeouts | None = None

    @property
    def station(self) -> StationLaw:
        """What is served: the fit's station, where it holds."""
        served = self.fit.identifiable and self.refused_station is None
        return self.fit.station if served else NoLoadDependence()

    @property
    def offset_ms(self) -> float:
        """What comes on top of the station's time and does not queue."""
        return 0.0 if isinstance(self.station, NoLoadDependence) else round(self.fit.offset_ns / 1e6, 3)

    @property
    def slow_spells(self) -> SlowSpells | None:
        """The spells that the mock repeats."""
        return self.spells.spells

    def unloaded(self, number: int, exchange: Exchange) -> Exchange | None:
        """The exchange as it would have been alone and warm; None where the capacity turns it away."""
        if self.turned_away[number]:
            return None
        demand_ns = self.demand_ns[number]
        if np.isnan(demand_ns):
            return exchange
        if exchange.ttfb_ns is None:
            return replace(exchange, total_ns=int(demand_ns))
        transfer_ns = max(0, exchange.total_ns - exchange.ttfb_ns)
        return replace(exchange, ttfb_ns=int(demand_ns), total_ns=int(demand_ns) + transfer_ns)

    def served_ns(self, trace: Trace, which: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """What the station makes of `which` of the exchanges learned from, in order of arrival, shape (m,).

        One that its time limit ends takes as long as that. None where no station is served.
        """
        if isinstance(self.station, NoLoadDependence):
            return None
        if self.timeouts is not None:
            limit_ns = (self.fit.load.time_limit.limit_ms or 0.0) * 1e6
            took_ns = self.timeouts.took_ns[which]
            return np.where(np.isnan(took_ns), limit_ns, took_ns + self.fit.offset_ns)
        return predicted_ns(self.fit, trace.operation, trace.arrived_ns[which], trace.operation[which], _SEED)

    def capacity(self, refusals: Sequence[Response], late: Sequence[Response] = ()) -> Capacity | None:
        """What stands in the stub file, be it only how much was recorded; None where nothing was.

        `refusals` are answers of exchanges that were turned away, `late` of those that timed out.
        """
        fit = self.fit
        answer = _refusal(refusals, fit.load.shedding)
        station = self.station
        capacity = _station(station)
        shedding = fit.load.shedding
        if shedding.queue_limit is not None and not isinstance(station, NoLoadDependence):
            places = _places(station)
            inside = shedding.queue_limit.in_flight
            capacity = replace(capacity, queue_limit=max(0, inside - places), when_full=answer)
        if shedding.rate_limit is not None:
            limit = shedding.rate_limit
            rule = RateRule(_significant(limit.per_second), max(1, limit.burst), answer)
            capacity = replace(capacity, rate_limit=rule)
        if self.timeouts is not None:
            after_ms = _significant(fit.load.time_limit.limit_ms or 0.0)
            timeout = Timeout(after_ms, _most_given(late) or Timeout(after_ms).answer)
            abandoned = "frees" if self.timeouts.frees else "keeps"
            capacity = replace(capacity, timeout=timeout, abandoned=abandoned)
        capacity = replace(capacity, cold_start=_cold_start(fit), after_idle=_after_idle(fit))
        if self.stalls:
            capacity = replace(capacity, stalls=_stall_laws(self.stalls))
        if not fit.recorded_up_to.most:
            return None
        return replace(capacity, recorded_up_to=fit.recorded_up_to.most)

    def sentences(self) -> list[str]:
        """What was found, and what could not be, for people."""
        load = self.fit.reason
        if self.refused_station is not None:
            load += f"; not served, as {self.refused_station}: at other loads the mock's latency is not known"
        told = [f"load: {load}", *self.fit.load.sentences()]
        if self.timeouts is not None:
            told.append(f"time-outs: {self.timeouts}")
        return [*told, f"slow spells: {self.spells.reason}"]


def fit_performance(trace: Trace) -> Performance:
    """Learn from the exchanges of one upstream; nothing that a recording holds makes it fail."""
    fit = fit_capacity(trace, _SEED)
    late = not_in_time(trace, fit.load.time_limit)
    least_ns = _least_ns(trace, fit)
    timeouts = _explained(trace, fit, late, least_ns)
    why_not = _doubt(fit, timeouts)
    timeouts = timeouts if why_not is None and timeouts and timeouts.holds else None
    if timeouts is not None:
        fit = replace(fit, self_check=timeouts.checked)
    holds = fit.identifiable and why_not is None
    shedding = fit.load.shedding
    limited = (shedding.queue_limit is not None and holds) or shedding.rate_limit is not None
    nobody = np.zeros(trace.arrived_ns.size, dtype=np.bool_)
    turned_away = refused(trace) if limited else nobody
    timed_out = late & ~turned_away if timeouts else nobody
    stalls = fit.load.stalls.stalls if why_not is None else ()
    stalls = stalls if len(stalls) >= _LEAST_STALLS else ()
    known = holds or bool(stalls)
    demand_ns = fit.demands_ns if known else np.full(trace.arrived_ns.size, np.nan)
    answered = ~turned_away & ~timed_out & ~trace.aborted & (trace.status > 0)
    order = np.flatnonzero(answered)
    order = order[np.argsort(trace.arrived_ns[order], kind="stable")]
    demand_ns = _warm(demand_ns, trace, order, fit, holds=holds)
    if holds:
        demand_ns = np.where(timed_out | trace.aborted, least_ns, demand_ns)
    latency = np.where(np.isnan(demand_ns), trace.answered_ns(), demand_ns)
    spells = find_spells(
        trace.arrived_ns[order], latency[order].astype(np.int64), trace.operation[order].astype(np.int32)
    )
    return Performance(fit, spells, demand_ns, turned_away, timed_out, why_not, stalls, timeouts)


def _explained(
    trace: Trace, fit: CapacityFit, late: NDArray[np.bool_], least_ns: NDArray[np.float64]
) -> ExplainedTimeouts | None:
    """The time-outs that the fit's station brings about; None where there are none that it should."""
    if not late.any() or not fit.identifiable or not np.isfinite(fit.demands_ns).any():
        return None
    let_in = _let_in(trace)
    capacity = _station(fit.station)
    found = explain_timeouts(
        lambda: station_of(capacity, Random(_SEED)),
        (fit.load.time_limit.limit_ms or 0.0) * 1e6 - fit.offset_ns,
        (trace.arrived_ns[let_in] - trace.arrived_ns[let_in[0]]).astype(np.float64),
        np.where(late, np.nan, np.maximum(trace.answered_ns() - fit.offset_ns, 0.0))[let_in],
        np.where(late, least_ns, fit.demands_ns)[let_in],
        trace.operation[let_in],
    )
    took_ns = np.full(trace.arrived_ns.size, np.nan)
    took_ns[let_in] = found.took_ns
    return replace(found, took_ns=took_ns) if found.holds or found.unexplained else None


def _least_ns(trace: Trace, fit: CapacityFit) -> NDArray[np.float64]:
    """What each exchange asked for at least, by the fit's station; NaN for those that were turned away."""
    let_in = _let_in(trace)
    arrived = trace.arrived_ns[let_in].astype(np.float64)
    took = np.maximum(trace.answered_ns()[let_in] - fit.offset_ns, 0.0)
    least_ns = np.full(trace.arrived_ns.size, np.nan)
    least_ns[let_in] = np.maximum(fit.station.demands(arrived, arrived + took), 0.0)
    return least_ns


def _let_in(trace: Trace) -> NDArray[np.int64]:
    """The exchanges that were not turned away, by arrival."""
    let_in = np.flatnonzero(~refused(trace) & (trace.total_ns > 0))
    return let_in[np.argsort(trace.arrived_ns[let_in], kind="stable")]


def _warm(
    demand_ns: NDArray[np.float64],
    trace: Trace,
    order: NDArray[np.int64],
    fit: CapacityFit,
    *,
    holds: bool,
) -> NDArray[np.float64]:
    """The demands with those of cold requests as they would have been warm; `order` are the answered ones.

    What a cold start's requests waited for is not known: their latency stands for their demand.
    """
    cold = fit.load.cold_start
    warm = demand_ns.copy()
    took = trace.answered_ns() - (fit.offset_ns if holds else 0.0)
    if cold.factor is not None:
        first = order[: cold.count]
        warm[first] = np.maximum(took[first], 0.0) / cold.factor
    if cold.after_idle is not None and cold.idle_ms is not None:
        after = order[1:][np.diff(trace.arrived_ns[order]) >= cold.idle_ms * 1e6]
        warm[after] = np.where(np.isnan(warm), took, warm)[after] / cold.after_idle
    return warm


def _doubt(fit: CapacityFit, timeouts: ExplainedTimeouts | None) -> str | None:
    """Why a station that was found should not be served; None where nothing speaks against it.

    At a steady load the recorded latencies themselves are right: a station must not be worse there. Where the
    load changed they are not, and a station that predicts the levels of load much better is served although
    it misses a quantile of all: beyond saturation a pace that is 1 % off is a backlog that is 20 % off. One
    that leaves a dependence is not the whole truth of a real backend; it is served where it does both.
    """
    if not fit.identifiable:
        return None
    chosen = [
        each for each in fit.candidates if (each.station, each.offset_ns) == (fit.station, fit.offset_ns)
    ]
    better = _is_much_better(fit, chosen[0])
    missed = _misses_itself(fit)
    if not any(each.accepted for each in chosen) and not (better and missed is None):
        return "the demands that it leaves still depend on load"
    if timeouts is not None and timeouts.unexplained:
        return f"it does not bring about the time-outs: {timeouts}"
    if fit.load.shedding.queue_limit is not None or timeouts is not None:
        return None  # the self-check lets everybody in, and lets them wait
    return None if better else missed


def _is_much_better(fit: CapacityFit, chosen: Candidate) -> bool:
    naive = [each.held_out for each in fit.candidates if isinstance(each.station, NoLoadDependence)]
    return chosen.held_out < _MUCH_BETTER * naive[0]


def _misses_itself(fit: CapacityFit) -> str | None:
    for check in fit.self_check:
        if check.probability <= 0.95 and abs(check.error) > _MOST_SELF_ERROR:
            return f"it misses p{check.probability * 100:g} of its own recording by {check.error:+.0%}"
    return None


def _station(law: StationLaw) -> Capacity:
    if isinstance(law, FifoStation | PoolStation):
        return Capacity(servers=law.servers)
    if isinstance(law, GateStation):
        return Capacity(pace_per_second=_significant(1e9 / law.gap_ns))
    if isinstance(law, SharingStation | LimitedStation):
        most = law.most if isinstance(law, LimitedStation) else None
        count = len(law.curve)
        if np.allclose(law.curve, np.arange(1, count + 1), rtol=1e-6):
            return Capacity(servers=count, discipline="ps", most=most)
        curve = tuple(round(each / law.curve[0], _CURVE_DIGITS) for each in law.curve)
        return Capacity(discipline="ps", curve=_without_flat_end(curve), most=most)
    return Capacity()


def _without_flat_end(curve: tuple[float, ...]) -> tuple[float, ...]:
    """The curve up to where it is flat: beyond its end its last value holds."""
    size = len(curve)
    while size > 1 and curve[size - 2] == curve[size - 1]:
        size -= 1
    return curve[:size]


def _places(law: StationLaw) -> int:
    if isinstance(law, FifoStation | PoolStation):
        return law.servers
    return law.most if isinstance(law, LimitedStation) else 0


def _refusal(refusals: Sequence[Response], shedding: Shedding) -> ResponseDefinition:
    """The answer that is given most to those that are turned away."""
    delay_ms = None if not shedding.refusal_ms else _significant(shedding.refusal_ms)
    answer = _most_given(refusals) or ResponseDefinition(shedding.status or 503)
    return replace(answer, fixed_delay_ms=delay_ms)


def _most_given(responses: Sequence[Response]) -> ResponseDefinition | None:
    """The answer that most of them are; None where there is none."""
    if not responses:
        return None
    bodies = Counter((response.status, response.body) for response in responses)
    status, content = bodies.most_common(1)[0][0]
    first = next(each for each in responses if (each.status, each.body) == (status, content))
    encoded = "content-encoding" in first.headers
    text = "" if encoded else content.decode("utf-8", "replace")
    told = {response.headers.get("retry-after") for response in responses}
    moving = {"retry-after"} if len(told) > 1 else set()
    headers = first.headers.without(_TRANSIENT | moving | ({"content-encoding"} if encoded else set()))
    return ResponseDefinition(status, headers, Body("body", text) if text else None)


def _cold_start(fit: CapacityFit) -> ColdStart | None:
    cold = fit.load.cold_start
    return None if cold.factor is None else ColdStart(_significant(cold.factor), cold.count)


def _after_idle(fit: CapacityFit) -> AfterIdle | None:
    cold = fit.load.cold_start
    if cold.after_idle is None or cold.idle_ms is None:
        return None
    return AfterIdle(_significant(cold.idle_ms), _significant(cold.after_idle))


def _stall_laws(stalls: Sequence[Stall]) -> StallLaws:
    ends = [stall.start_ns + stall.duration_ns for stall in stalls]
    gaps = [after.start_ns - end for end, after in zip(ends, stalls[1:], strict=False)]
    return StallLaws(_law([gap for gap in gaps if gap > 0]), _law([stall.duration_ns for stall in stalls]))


def _law(times_ns: Sequence[int]) -> DelayDistribution:
    return fit_latency(np.array(times_ns or [1_000_000], dtype=np.int64)).distribution


def _significant(value: float) -> float:
    return float(f"{value:.4g}")
