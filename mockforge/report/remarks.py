"""What a reader must know before leaning on a report's figures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from statistics import fmean

from mockforge.report.comparing import loaded_differently
from mockforge.report.deviation import FEW_SAMPLES, DeviationReport, RunSummary
from mockforge.report.drift import Finding
from mockforge.report.figures import count, milliseconds, percent, rate, signed_percent
from mockforge.report.metrics.own_lateness import PLANNED
from mockforge.report.verdicts import Verdict

__all__ = ["Remark", "remarks"]

#: Medians this many times apart look like two units of one figure.
_UNITS_APART = (1e3, 1e6, 1e9)
_DAYS_APART = 30
_MOST_FINDINGS = 3
_DAY_NS = 86_400 * 10**9
_FALSE_NOTES = frozenset({"", "0", "false", "no"})
_TRUE_NOTES = frozenset({"1", "true", "yes"})
_LATENESS_OF = {"replay": "the replay sent", "serve": "the mock answered"}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know. `code` is stable, for programs; `grave`: figures may not mean what they say."""

    code: str
    text: str
    grave: bool = False


def remarks(report: DeviationReport) -> tuple[Remark, ...]:
    """All remarks on a report, the grave ones first."""
    found = [
        *_load_mismatch(report),
        *_generator_limited(report),
        *_mixed_units(report),
        *_unsampled(report),
        *_drift(report),
        *_caller(report),
        *_unknown_operations(report),
        *_interrupted(report),
        *_of_tool(report),
        *_clocks_apart(report),
        *_warm_up(report),
        *_repetitions(report),
        *_few_samples(report),
        *_only_in_one(report),
        *_overload(report),
        *_lateness(report),
    ]
    return tuple(sorted(found, key=lambda remark: not remark.grave))


def _runs(report: DeviationReport) -> Iterator[tuple[str, RunSummary]]:
    """Every run and what it is called: `real`, or `real` and its name where there are several."""
    for side, runs in (("real", report.runs_a), ("mock", report.runs_b)):
        for run in runs:
            yield (side if len(runs) == 1 else f"{side} ({run.name})"), run


def _generator_limited(report: DeviationReport) -> Iterator[Remark]:
    for side, note in _noted(report, "generator_limited"):
        why = "" if note.lower() in _TRUE_NOTES else f" ({note})"
        text = f"the {side} run is stamped generator-limited{why}: its sender did not keep its schedule,"
        yield Remark("generator_limited", f"{text} and its figures are partly the sender's own", grave=True)


def _interrupted(report: DeviationReport) -> Iterator[Remark]:
    for side, note in _noted(report, "interrupted"):
        why = "" if note.lower() in _TRUE_NOTES else f" {note}"
        yield Remark("interrupted", f"the {side} run was interrupted{why}")


def _of_tool(report: DeviationReport) -> Iterator[Remark]:
    """What a load tool's own file cannot say, a line each."""
    sides: dict[str, list[str]] = {}
    for side, note in _noted(report, "tool"):
        for line in note.splitlines():
            sides.setdefault(line, []).append(side)
    for line, said_of in sides.items():
        runs = "run" if len(said_of) == 1 else "runs"
        yield Remark("tool", f"{' and '.join(said_of)} {runs}: {line}")


def _noted(report: DeviationReport, name: str) -> Iterator[tuple[str, str]]:
    """The runs, `real` or `mock`, that carry the note, and what it says."""
    for side, run in _runs(report):
        note = run.origin.notes.get(name, "").strip() if run.origin else ""
        if note.lower() not in _FALSE_NOTES:
            yield side, note


def _load_mismatch(report: DeviationReport) -> Iterator[Remark]:
    if not loaded_differently(report.runs_a, report.runs_b):
        return
    real, mock = (fmean(run.offered_per_s for run in runs) for runs in (report.runs_a, report.runs_b))
    text = f"the runs were offered different loads, {rate(real)} real and {rate(mock)} mock"
    matched = report.overall.matched
    if matched is None:
        text += ": part of the deviation may be the load's"
    else:
        text += (
            ": latencies are compared at the same number in flight, which leaves "
            f"{percent(matched.a)} of the real and {percent(matched.b)} of the mocked requests"
        )
    yield Remark("load_mismatch", text, grave=True)


def _mixed_units(report: DeviationReport) -> Iterator[Remark]:
    median = report.overall.p50_ms
    if not (median.a > 0 and median.b > 0):
        return
    apart = max(median.a / median.b, median.b / median.a)
    if any(abs(math.log(apart / units)) < math.log(2) for units in _UNITS_APART):
        both = f"{milliseconds(median.a)} and {milliseconds(median.b)} ms"
        text = f"the medians are {apart:,.0f} times apart ({both})"
        yield Remark("mixed_units", f"{text}: does one file give another unit than it says?", grave=True)


def _unsampled(report: DeviationReport) -> Iterator[Remark]:
    """Runs of which only percentiles are known."""
    if report.sampled:
        return
    for side, run in _runs(report):
        if not run.sampled:
            steps = [f"to {milliseconds(run.resolution_ms)} ms"] if run.resolution_ms else []
            steps += [f"within {percent(run.precision)}"] if run.precision else []
            rounded = f"; it rounds {' and '.join(steps)}, which is the least margin" if steps else ""
            text = (
                f"of the {side} run only percentiles are known: figures are compared as they are, no interval"
            )
            yield Remark("no_samples", text + rounded, grave=True)


def _drift(report: DeviationReport) -> Iterator[Remark]:
    """What the mock answers otherwise."""
    for operation in report.ranked:
        found = operation.drift.findings
        if found:
            shown = "; ".join(map(_difference, found[:_MOST_FINDINGS]))
            more = f"; and {len(found) - _MOST_FINDINGS} more" if len(found) > _MOST_FINDINGS else ""
            grave = any(one.kind != "header" for one in found)
            yield Remark("drift", f"{operation.name} is answered otherwise: {shown}{more}", grave)


def _difference(one: Finding) -> str:
    """`json $.price: number only real`, `status 503 0.1 % real, 4.0 % mock`."""
    if not one.real or not one.mock:
        return f"{one.kind} {one.what} only {'real' if one.real else 'mock'}"
    return f"{one.kind} {one.what} {percent(one.real)} real, {percent(one.mock)} mock"


def _caller(report: DeviationReport) -> Iterator[Remark]:
    """What the caller's level rests on, and what is to be known of its own runs."""
    if report.caller is None:
        return
    if not report.caller.nested:
        text = "by their clocks the caller's files and the dependency's are of another time, or lack samples"
        text += ": every request is taken to make as many calls as all do on average"
        yield Remark("not_nested", text, grave=True)
    for remark in remarks(report.caller.report):
        yield Remark(remark.code, f"caller: {remark.text}", remark.grave)


def _unknown_operations(report: DeviationReport) -> Iterator[Remark]:
    """Tolerances for operations that are not compared."""
    known = {operation.name for operation in report.every}
    named = {operation for operation, _ in report.tolerances.special}
    if lost := sorted(named - known):
        text = f"tolerances were given for operations that are not compared: {', '.join(lost)}"
        near = get_close_matches(lost[0], known, 1)
        yield Remark("unknown_operation", text + (f"; did you mean {near[0]}?" if near else ""), grave=True)


def _clocks_apart(report: DeviationReport) -> Iterator[Remark]:
    real, mock = report.a.origin, report.b.origin
    if real is None or mock is None or not (real.started_wall_ns > 0 and mock.started_wall_ns > 0):
        return
    days = abs(real.started_wall_ns - mock.started_wall_ns) // _DAY_NS
    if days > _DAYS_APART:
        text = (
            f"by their clocks the runs lie {count(days)} days apart: the real service may have changed since"
        )
        yield Remark("clocks_apart", text)


def _warm_up(report: DeviationReport) -> Iterator[Remark]:
    if report.a.warmup_s:
        yield Remark("warm_up", f"the first {report.a.warmup_s:.1f} s of every run are left out as warm-up")


def _repetitions(report: DeviationReport) -> Iterator[Remark]:
    real, mock = len(report.runs_a), len(report.runs_b)
    if max(real, mock) > 1:
        text = f"{real} real and {mock} mocked runs: the run is the unit, repetitions differ by chance too"
        yield Remark("repetitions", text)


def _overload(report: DeviationReport) -> Iterator[Remark]:
    """Whether a deviation is the mock's own lateness, and not its model's."""
    for operation in report.every:
        for name, without in PLANNED.items():
            seen, planned = operation.metric(name), operation.metric(without)
            if seen is None or planned is None or seen.verdict is not Verdict.OUTSIDE:
                continue
            if abs(planned.deviation) < abs(seen.deviation) / 2:
                text = f"{operation.name}: {name} deviates by {signed_percent(seen.deviation)}, without the "
                text += f"mock's own lateness by {signed_percent(planned.deviation)}: the mock was overloaded"
                yield Remark("overload", text, grave=True)
                break


def _few_samples(report: DeviationReport) -> Iterator[Remark]:
    few = [operation for operation in report.operations if operation.few]
    if few:
        names = ", ".join(
            f"{operation.name} ({count(operation.count.a)} real, {count(operation.count.b)} mock)"
            for operation in few
        )
        yield Remark("few_samples", f"fewer than {FEW_SAMPLES} samples of {names}: read the tails as hints")


def _only_in_one(report: DeviationReport) -> Iterator[Remark]:
    for side, names in (("real", report.only_a), ("mock", report.only_b)):
        if names:
            yield Remark(f"only_{side}", f"not compared, as only the {side} run has it: {', '.join(names)}")


def _lateness(report: DeviationReport) -> Iterator[Remark]:
    for side, run in _runs(report):
        if math.isnan(run.lateness_p50_ms):
            continue
        who = _LATENESS_OF.get(run.kind, "the program itself was late")
        times = (
            f"{milliseconds(run.lateness_p50_ms)} ms (p50) and {milliseconds(run.lateness_p99_ms)} ms (p99)"
        )
        text = f"{side} run: {who} behind its plan by {times}"
        part = run.lateness_p99_ms / _median_latency_ms(report, side)
        if part > 0.1:
            text += f", the latter {percent(part)} of the median latency"
        yield Remark("own_lateness", text, grave=part > 0.5)


def _median_latency_ms(report: DeviationReport, side: str) -> float:
    pair = report.overall.p50_ms
    return (pair.a if side.startswith("real") else pair.b) or math.inf
