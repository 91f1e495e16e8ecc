"""What a reader must know before leaning on a report's figures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mockforge.report.deviation import FEW_SAMPLES, DeviationReport, RunSummary
from mockforge.report.figures import count, milliseconds, percent, rate

__all__ = ["Remark", "remarks"]

#: Offered rates that differ by more than this make latencies differ by themselves.
_LOAD_MISMATCH = 0.05
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
        *_generator_limited(report),
        *_interrupted(report),
        *_of_tool(report),
        *_load_mismatch(report),
        *_few_samples(report),
        *_only_in_one(report),
        *_lateness(report),
    ]
    return tuple(sorted(found, key=lambda remark: not remark.grave))


def _runs(report: DeviationReport) -> tuple[tuple[str, RunSummary], tuple[str, RunSummary]]:
    return ("real", report.a), ("mock", report.b)


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
    """What a load tool's own file cannot say."""
    for side, run in _runs(report):
        note = run.origin.notes.get("tool", "") if run.origin else ""
        if note:
            yield Remark("tool", f"{side} run: {note}")


def _noted(report: DeviationReport, name: str) -> Iterator[tuple[str, str]]:
    """The runs, `real` or `mock`, that carry the note, and what it says."""
    for side, run in _runs(report):
        note = run.origin.notes.get(name, "").strip() if run.origin else ""
        if note.lower() not in _FALSE_NOTES:
            yield side, note


def _load_mismatch(report: DeviationReport) -> Iterator[Remark]:
    real, mock = report.a.offered_per_s, report.b.offered_per_s
    if math.isnan(real) or math.isnan(mock) or abs(mock - real) <= _LOAD_MISMATCH * real:
        return
    text = f"the runs were offered different loads, {rate(real)} real and {rate(mock)} mock"
    yield Remark("load_mismatch", f"{text}: part of the deviation may be the load's", grave=True)


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
    return (pair.a if side == "real" else pair.b) or math.inf
