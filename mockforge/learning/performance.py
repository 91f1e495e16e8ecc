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

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.capacity import CapacityFit, fit_capacity
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
from mockforge.learning.load_shedding import Shedding, refused
from mockforge.learning.load_stalls import Stall
from mockforge.learning.spells import SpellFit, find_spells
from mockforge.model.exchange import Exchange, Response
from mockforge.model.headers import HOP_BY_HOP
from mockforge.model.service import Capacity, RateRule, SlowSpells, StallLaws
from mockforge.model.stub import Body, DelayDistribution, ResponseDefinition

__all__ = ["Performance", "fit_performance"]

_SEED = 1
_LEAST_STALLS = 3
#: A station is served only where it gives back p50 and p95 of its own recording this closely.
_MOST_SELF_ERROR = 0.25
#: Or where its error at loads that it was not learned from is less than this share of the naive one.
_MUCH_BETTER = 0.3
_TRANSIENT = HOP_BY_HOP | {"date", "content-length", "retry-after"}
_CURVE_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Performance:
    """What was learned of a recording of n exchanges, in the order of its columns.

    `demand_ns`, shape (n,), is NaN where it is not known. `turned_away`, shape (n,), marks exchanges that the
    capacity will refuse by itself.
    """

    fit: CapacityFit
    spells: SpellFit
    demand_ns: NDArray[np.float64]
    turned_away: NDArray[np.bool_]
    #: Why the station that was found is not served; None where it is, or none was found.
    refused_station: str | None
    stalls: tuple[Stall, ...]

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
        """The exchange as it would have been alone; None where the capacity turns it away."""
        if self.turned_away[number]:
            return None
        demand_ns = self.demand_ns[number]
        if np.isnan(demand_ns) or exchange.ttfb_ns is None:
            return exchange
        transfer_ns = max(0, exchange.total_ns - exchange.ttfb_ns)
        return replace(exchange, ttfb_ns=int(demand_ns), total_ns=int(demand_ns) + transfer_ns)

    def capacity(self, refusals: Sequence[Response]) -> Capacity | None:
        """What stands in the stub file, be it only how much was recorded; None where nothing was.

        `refusals` are answers of exchanges that were turned away.
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
        return [f"load: {load}", *self.fit.load.sentences(), f"slow spells: {self.spells.reason}"]


def fit_performance(trace: Trace) -> Performance:
    """Learn from the exchanges of one upstream; nothing that a recording holds makes it fail."""
    fit = fit_capacity(trace, _SEED)
    why_not = _doubt(fit)
    holds = fit.identifiable and why_not is None
    shedding = fit.load.shedding
    limited = (shedding.queue_limit is not None and holds) or shedding.rate_limit is not None
    turned_away = refused(trace) if limited else np.zeros(trace.arrived_ns.size, dtype=np.bool_)
    stalls = fit.load.stalls.stalls if why_not is None else ()
    stalls = stalls if len(stalls) >= _LEAST_STALLS else ()
    known = holds or bool(stalls)
    demand_ns = fit.demands_ns if known else np.full(trace.arrived_ns.size, np.nan)
    answered = ~turned_away & ~trace.aborted & (trace.status > 0)
    latency = np.where(np.isnan(demand_ns), trace.answered_ns(), demand_ns)
    order = np.flatnonzero(answered)
    order = order[np.argsort(trace.arrived_ns[order], kind="stable")]
    spells = find_spells(
        trace.arrived_ns[order], latency[order].astype(np.int64), trace.operation[order].astype(np.int32)
    )
    return Performance(fit, spells, demand_ns, turned_away, why_not, stalls)


def _doubt(fit: CapacityFit) -> str | None:
    """Why a station that was found should not be served; None where nothing speaks against it.

    At a steady load the recorded latencies themselves are right: a station must not be worse there. Where the
    load changed they are not, and a station that predicts the levels of load much better is served although
    it misses a quantile of all: beyond saturation a pace that is 1 % off is a backlog that is 20 % off.
    """
    if not fit.identifiable:
        return None
    chosen = [
        each for each in fit.candidates if (each.station, each.offset_ns) == (fit.station, fit.offset_ns)
    ]
    if not any(each.accepted for each in chosen):
        return "the demands that it leaves still depend on load"
    if fit.load.shedding.queue_limit is not None:
        return None  # the self-check lets everybody in
    naive = [each.held_out for each in fit.candidates if isinstance(each.station, NoLoadDependence)]
    if chosen[0].held_out < _MUCH_BETTER * naive[0]:
        return None
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
    if not refusals:
        return ResponseDefinition(shedding.status or 503, fixed_delay_ms=delay_ms)
    bodies = Counter((response.status, response.body) for response in refusals)
    status, content = bodies.most_common(1)[0][0]
    first = next(each for each in refusals if (each.status, each.body) == (status, content))
    encoded = "content-encoding" in first.headers
    text = "" if encoded else content.decode("utf-8", "replace")
    headers = first.headers.without(_TRANSIENT | ({"content-encoding"} if encoded else set()))
    return ResponseDefinition(status, headers, Body("body", text) if text else None, fixed_delay_ms=delay_ms)


def _stall_laws(stalls: Sequence[Stall]) -> StallLaws:
    ends = [stall.start_ns + stall.duration_ns for stall in stalls]
    gaps = [after.start_ns - end for end, after in zip(ends, stalls[1:], strict=False)]
    return StallLaws(_law([gap for gap in gaps if gap > 0]), _law([stall.duration_ns for stall in stalls]))


def _law(times_ns: Sequence[int]) -> DelayDistribution:
    return fit_latency(np.array(times_ns or [1_000_000], dtype=np.int64)).distribution


def _significant(value: float) -> float:
    return float(f"{value:.4g}")
