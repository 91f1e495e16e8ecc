"""A report in plain words: what a gap means, and what tests on the mock will or will not show."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mockforge.report.deviation import CallerLevel, DeviationReport, OperationDeviation, Pair, RunSummary
from mockforge.report.explained import Explained, Shift
from mockforge.report.figures import count, milliseconds, percent, rate, signed_milliseconds

__all__ = [
    "caller_headline",
    "dependency_text",
    "headline",
    "meaning",
    "paragraph",
    "provenance",
    "requests",
    "shift_text",
]

_CAME_BY = {"recording": "recorded from", "serve": "served from", "replay": "replayed against"}

#: Below either of these a difference is not worth a word.
_SAME_SHARE = 0.03
_SAME_MS = 0.05
#: From here on a difference in the tail changes what a test shows.
_TELLING_SHARE = 0.10
_SAME_ERRORS = 0.001


def headline(report: DeviationReport) -> str:
    """`performance deviation gap 6.2 % over 1,204 requests: real A vs mock B`."""
    runs = f"real {_names(report.runs_a)} vs mock {_names(report.runs_b)}"
    return f"performance deviation gap {percent(report.gap)} over {requests(report.overall)}: {runs}"


def _names(runs: Sequence[RunSummary]) -> str:
    return runs[0].name + (f" and {len(runs) - 1} more" if len(runs) > 1 else "")


def caller_headline(level: CallerLevel) -> str:
    """`at the caller the gap is 4.2 %; the dependency explains 80.0 % of the mean's shift of +3.1 ms`."""
    one = level.overall
    text = f"at the caller the gap is {percent(level.report.gap)} over {requests(level.report.overall)}; "
    text += f"its mean is {shift_text(one.shift)} off"
    if math.isnan(one.share):
        return f"{text}, which chance may have made"
    return f"{text}, of which the dependency explains {dependency_text(one)}"


def shift_text(shift: Shift) -> str:
    """`+3.10 ms (+2.80 to +3.40)`."""
    if not (math.isfinite(shift.low) and math.isfinite(shift.high)):
        return signed_milliseconds(shift.ms)
    low, high = (signed_milliseconds(bound).removesuffix(" ms") for bound in (shift.low, shift.high))
    return f"{signed_milliseconds(shift.ms)} ({low} to {high})"


def dependency_text(one: Explained) -> str:
    """What the dependency explains, and what part of the whole that is."""
    part = "" if math.isnan(one.share) else f", {percent(one.share)}"
    return f"{shift_text(one.dependency)}{part}"


def requests(operation: OperationDeviation) -> str:
    """How many requests a figure rests on: `1,204 requests`, or both runs' numbers where they differ."""
    real, mock = operation.count.a, operation.count.b
    if real == mock:
        return "1 request" if real == 1 else f"{count(real)} requests"
    return f"{count(real)} real and {count(mock)} mocked requests"


def meaning(report: DeviationReport) -> str:
    """What the headline's number says, in one sentence."""
    if math.isnan(report.gap):
        sampled = all(run.sampled for run in (*report.runs_a, *report.runs_b))
        why = "the real run's latencies are all zero" if sampled else "the runs share too few percentiles"
        return f"The gap cannot be told: {why}."
    text = (
        f"Answered by the mock, a request is on average {percent(report.gap)} of its operation's mean "
        "latency off from what the real service takes. "
    )
    noise = report.overall.noise
    if math.isnan(noise):
        return f"{text}At 0 % both runs have the same latencies."
    times = "no more than" if report.gap <= noise else f"{report.gap / noise:.1f} times"
    return f"{text}That is {times} what two runs of the real service would differ by ({percent(noise)})."


def provenance(run: RunSummary) -> str:
    """`recorded from http://…: 1,204 requests in 20.1 s, offered at 60.2/s`."""
    came = run.kind
    if run.origin and run.origin.target:
        came = f"{_CAME_BY.get(run.kind, run.kind)} {run.origin.target}"
    lasted = "" if math.isnan(run.duration_s) else f" in {run.duration_s:,.1f} s"
    load = f"{count(run.count)} requests{lasted}, offered {rate(run.offered_per_s)}"
    load += f", achieved {rate(run.achieved_per_s)}"
    return f"{came}: {load}"


def paragraph(operation: OperationDeviation) -> str:
    """How the mock performs where this operation is concerned, and what that does to a test."""
    sentences = [_latencies(operation), _consequence(operation), _errors(operation.error_rate)]
    if operation.few:
        sentences.append(f"All this rests on {requests(operation)}, too few to trust the tail.")
    return " ".join(sentence for sentence in sentences if sentence)


def _latencies(operation: OperationDeviation) -> str:
    middle, tail = operation.p50_ms, operation.p99_ms
    if _same(middle) and _same(tail):
        return (
            f"The mock is as fast as the real service, at the median ({_change(middle)}) "
            f"as at p99 ({_change(tail)})."
        )
    return f"The mock is {_speed(middle)} at the median, and {_speed(tail)} at p99."


def _speed(pair: Pair) -> str:
    if _same(pair):
        return f"as fast as the real service ({_change(pair)})"
    return f"{_faster_or_slower(pair)} ({_change(pair)})"


def _faster_or_slower(pair: Pair) -> str:
    if math.isnan(pair.deviation):
        return "slower"
    if pair.deviation > 1:
        return f"{pair.b / pair.a:.1f} times as slow"
    return f"{abs(pair.deviation) * 100:.0f} % {'slower' if pair.deviation > 0 else 'faster'}"


def _change(pair: Pair) -> str:
    return f"{milliseconds(pair.b)} ms instead of {milliseconds(pair.a)} ms"


def _consequence(operation: OperationDeviation) -> str:
    middle, tail = operation.p50_ms, operation.p99_ms
    tail_tells = not _same(tail) and abs(tail.deviation) >= _TELLING_SHARE
    if tail_tells and tail.deviation < 0:
        return "Tests on it will hide slow answers that the real service gives."
    if tail_tells:
        return "Tests on it will meet slower answers than the real service gives."
    if not _same(middle) and abs(middle.deviation) >= _TELLING_SHARE:
        return "The tail is close, but the typical request is not."
    return ""


def _errors(pair: Pair) -> str:
    if abs(pair.difference) < _SAME_ERRORS:
        return "Neither fails." if pair.a == pair.b == 0 else f"Both fail on {percent(pair.a)} of requests."
    more_or_less = "more" if pair.difference > 0 else "less"
    return f"It fails {more_or_less} often: on {percent(pair.b)} of requests instead of {percent(pair.a)}."


def _same(pair: Pair) -> bool:
    return abs(pair.difference) < _SAME_MS or abs(pair.deviation) < _SAME_SHARE
