"""A fit in plain words: what was learned, how sure that is, and what was refused and why."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mockforge.learning.capacity import Candidate, CapacityFit
from mockforge.learning.capacity_station import (
    FifoStation,
    GateStation,
    LimitedStation,
    PoolStation,
    SharingStation,
    StationLaw,
)
from mockforge.learning.latency import FEW_SAMPLES, supported
from mockforge.report.figures import count, milliseconds, percent, signed_percent
from mockforge.report.fit import PROBABILITIES, FitReport, OperationFit
from mockforge.report.remarks import Remark

__all__ = [
    "candidate_error",
    "fit_headline",
    "fit_paragraph",
    "fit_remarks",
    "is_chosen",
    "load_findings",
    "load_meaning",
    "percentile",
    "saturation_per_s",
    "spells_meaning",
    "station_words",
]

#: A model that is so far off in sample explains its recording no more than a guess does.
_FAR_OFF = 0.25


def fit_headline(report: FitReport) -> str:
    """`orders: 12,345 exchanges of 5 operations, in 60.2 s`."""
    operations = len({operation.name for operation in report.operations})
    exchanges = _number(report.count, "exchange")
    return f"{report.service}: {exchanges} of {_number(operations, 'operation')}, in {report.span_s:,.1f} s"


def load_meaning(report: FitReport) -> str:
    """Whether latency depends on load, and how; or why that cannot be told."""
    capacity = report.capacity
    if capacity is None:
        return "Whether latency depends on load was not looked at."
    if not capacity.identifiable:
        return f"Not identifiable: {capacity.reason}."
    saturates = saturation_per_s(capacity)
    near = f", saturates near {saturates:,.0f}/s" if saturates is not None else ""
    return f"Latency depends on load: {station_words(capacity.station)}{near}."


def station_words(station: StationLaw) -> str:
    """A station as one would say it."""
    match station:
        case FifoStation(servers):
            words = f"{_number(servers, 'server')}, first come first served"
        case GateStation(gap_ns):
            words = f"a gate that one request passes each {milliseconds(gap_ns / 1e6)} ms; the others wait"
        case PoolStation(servers):
            words = f"{_number(servers, 'server')}, in no known order"
        case SharingStation() if station.plain:
            words = f"{_number(len(station.curve), 'server')}, shared by all that are in flight"
        case SharingStation(curve):
            words = f"sharing by a measured curve, up to {max(curve):.2f} times the pace of one alone"
        case LimitedStation(curve, most) if station.plain:
            words = f"{_number(len(curve), 'server')}, shared by at most {most}; others wait"
        case LimitedStation(curve, most):
            words = f"at most {most} share, up to {max(curve):.2f} times the pace of one alone; others wait"
        case _:
            words = str(station)
    return words


def saturation_per_s(capacity: CapacityFit) -> float | None:
    """The rate that the station completes at most: its greatest pace over the mean demand."""
    demands = capacity.demands_ns[np.isfinite(capacity.demands_ns)]
    mean_ns = float(demands.mean()) if demands.size else 0.0
    match capacity.station:
        case GateStation(gap_ns):
            return 1e9 / gap_ns
        case FifoStation(servers) | PoolStation(servers):
            pace = float(servers)
        case SharingStation(curve) | LimitedStation(curve, _):
            pace = max(curve)
        case _:
            return None
    return pace / mean_ns * 1e9 if mean_ns > 0 else None


def spells_meaning(report: FitReport) -> str:
    """Whether answers are slow together, and when."""
    found = report.spells
    if found is None:
        return "Whether answers are slow together was not looked at."
    if found.spells is None:
        return f"No slow spells: {found.reason}."
    durations = found.spells.durations_s
    return (
        f"{_number(len(durations), 'slow spell')} of {_span(min(durations))} to {_span(max(durations))} hold "
        f"{percent(found.spells.share)} of the calls; the mock repeats them."
    )


def load_findings(capacity: CapacityFit) -> tuple[str, ...]:
    """What load does besides queueing, of what was seen: refusals, time limits, cold starts, stalls."""
    load = capacity.load
    seen = (
        load.shedding.count > 0,
        load.time_limit.limit_ms is not None,
        load.cold_start.factor is not None or load.cold_start.after_idle is not None,
        bool(load.stalls.stalls),
    )
    return tuple(text for text, found in zip(load.sentences(), seen, strict=True) if found)


def fit_paragraph(operation: OperationFit, gap: float) -> str:
    """What the figures of one operation rest on."""
    size = operation.recorded_ms.size
    if not size:
        return "No answer of this kind was recorded with a latency: there is nothing to compare."
    sentences = [_rests(operation)]
    if math.isfinite(gap):
        sentences.append(f"On average the model is {percent(gap)} of the mean latency off.")
    if operation.fit.censored:
        sentences.append(f"{_number(operation.fit.censored, 'caller')} left before the answer.")
    return " ".join(sentences)


def _rests(operation: OperationFit) -> str:
    samples = _number(operation.recorded_ms.size, "answer")
    points = _number(operation.fit.points, "point")
    tail = operation.fit.tail
    ends = (
        f"and a Pareto tail from {milliseconds(tail.threshold)} ms on" if tail else "and ends at the longest"
    )
    return f"Learned from {samples}: the table has {points}, {ends}."


def fit_remarks(report: FitReport) -> tuple[Remark, ...]:
    """What to know before leaning on it; the grave ones first."""
    found = list(_remarks(report))
    return tuple(sorted(found, key=lambda remark: not remark.grave))


def _remarks(report: FitReport) -> Iterator[Remark]:
    if not report.operations:
        yield Remark("nothing-learned", "nothing was learned: no operation has an answer", grave=True)
    capacity = report.capacity
    if capacity is not None:
        yield from _of_capacity(capacity)
    for text in report.remarks:
        yield Remark("recording", text)
    for operation in report.operations:
        size = operation.recorded_ms.size
        if 0 < size < FEW_SAMPLES:
            yield Remark(
                "few-samples", f"{operation.label} rests on {_number(size, 'answer')}: its tail is not known"
            )
        for text in operation.remarks:
            yield Remark("operation", f"{operation.label}: {text}")
    yield from _unsupported(report)


def _of_capacity(capacity: CapacityFit) -> Iterator[Remark]:
    if not capacity.identifiable:
        yield Remark("not-identifiable", f"load is not identifiable: {capacity.reason}", grave=True)
        return
    if not any(each.accepted and is_chosen(each, capacity) for each in capacity.candidates):
        text = "no station leaves demands independent of load; the one that predicts best was learned"
        yield Remark("no-station", text, grave=True)
    missed = [each for each in capacity.self_check if abs(each.error) > _FAR_OFF]
    if missed:
        told = ", ".join(f"{percentile(each.probability)} by {signed_percent(each.error)}" for each in missed)
        text = (
            f"the model misses the recording that it was learned from, {told}: do not lean on it under load"
        )
        yield Remark("self-check", text, grave=True)


def _unsupported(report: FitReport) -> Iterator[Remark]:
    """Which quantiles nobody can tell, in one line each; those with few answers have a line of their own."""
    several = [each for each in report.operations if each.recorded_ms.size >= FEW_SAMPLES]
    for probability in PROBABILITIES:
        few = [each for each in several if not supported(probability, each.recorded_ms.size)]
        if few:
            name, least = percentile(probability), math.ceil(math.log(0.025) / math.log(probability))
            who = few[0].label if len(few) == 1 else f"{len(few)} of {len(report.operations)} outcomes"
            yield Remark("unsupported", f"no {name} is claimed for {who}: that takes {count(least)} answers")


def percentile(probability: float) -> str:
    """`p99.9`."""
    return f"p{100 * probability:.6g}"


def candidate_error(candidate: Candidate) -> float:
    """The held-out error as a share: e^error - 1; NaN where the station could not be learned in parts."""
    return math.expm1(candidate.held_out) if math.isfinite(candidate.held_out) else float("nan")


def is_chosen(candidate: Candidate, capacity: CapacityFit) -> bool:
    """Whether this candidate is what was learned."""
    return candidate.station == capacity.station and candidate.offset_ns == capacity.offset_ns


def _span(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _number(value: int, noun: str) -> str:
    return f"{count(value)} {noun}{'s' if value != 1 else ''}"
