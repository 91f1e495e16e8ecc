"""The report as Markdown, for a pull request or a job's summary."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mockforge.report.deviation import CallerLevel, DeviationReport, OperationDeviation, Pair
from mockforge.report.figures import count, milliseconds, percent, points, signed_percent
from mockforge.report.judgement import expected_sentence, judged, judgement, sentence
from mockforge.report.prose import caller_headline, dependency_text, headline, meaning, shift_text
from mockforge.report.remarks import remarks
from mockforge.report.verdicts import Verdict

__all__ = ["render_markdown"]

_MOST_SENTENCES = 12
_MARK = {Verdict.WITHIN: "✅", Verdict.OUTSIDE: "❌", Verdict.INCONCLUSIVE: "❔"}


def render_markdown(report: DeviationReport) -> str:
    """One table, then what is outside or inconclusive, then what to know before leaning on it."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: DeviationReport) -> Iterator[str]:
    yield f"### {_MARK[report.verdict]} {_escaped(headline(report))}"
    yield ""
    told = _escaped(judgement(report))
    yield f"{told[0].upper()}{told[1:]}. {_escaped(meaning(report))}"
    yield ""
    yield "| | operation | gap | p50 ms | p95 ms | p99 ms | errors | requests |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for operation in (*report.ranked, report.overall):
        yield _row(operation)
    if report.expected:
        yield ""
        yield from (f"- {_MARK[one.verdict]} {_escaped(expected_sentence(one))}" for one in report.expected)
    for verdict, title in ((Verdict.OUTSIDE, "Outside"), (Verdict.INCONCLUSIVE, "Inconclusive")):
        found = [one for one in judged(report) if one.metric.verdict is verdict]
        if found:
            yield ""
            yield f"<details><summary>{title}: {count(len(found))} metrics</summary>"
            yield ""
            yield from (f"- {_escaped(sentence(one))}" for one in found[:_MOST_SENTENCES])
            if len(found) > _MOST_SENTENCES:
                yield f"- and {count(len(found) - _MOST_SENTENCES)} more"
            yield ""
            yield "</details>"
    if report.caller:
        yield from _caller(report.caller)
    notes = remarks(report)
    if notes:
        yield ""
        yield from (f"- {'**Mind:** ' if note.grave else ''}{_escaped(note.text)}" for note in notes)


def _row(operation: OperationDeviation) -> str:
    errors = operation.error_rate
    cells = [
        _MARK[operation.verdict],
        f"`{operation.name.replace('`', '')}`".replace("|", "\\|"),
        f"{percent(operation.gap)}{_times_noise(operation)}",
        *(_latency(level) for level in (operation.p50_ms, operation.p95_ms, operation.p99_ms)),
        f"{percent(errors.a)} → {percent(errors.b)} ({points(errors.difference)})",
        f"{count(operation.count.a)} / {count(operation.count.b)}",
    ]
    return f"| {' | '.join(cells)} |"


def _caller(level: CallerLevel) -> Iterator[str]:
    """What the dependency explains of what callers' users see."""
    yield ""
    yield f"{_escaped(caller_headline(level))}"
    yield ""
    yield "| caller's operation | mean ms | off by | the dependency's part | left over |"
    yield "|---|---:|---:|---:|---:|"
    for one in (*level.operations, level.overall):
        real, mock = map(milliseconds, one.mean_ms)
        cells = [f"`{one.name.replace('`', '')}`".replace("|", "\\|"), f"{real} → {mock}"]
        cells += [shift_text(one.shift), dependency_text(one), shift_text(one.left)]
        yield f"| {' | '.join(cells)} |"


def _times_noise(operation: OperationDeviation) -> str:
    """How much that is beside what two real runs differ by."""
    return "" if math.isnan(operation.noise) else f" (noise {percent(operation.noise)})"


def _latency(pair: Pair) -> str:
    return f"{milliseconds(pair.a)} → {milliseconds(pair.b)} ({signed_percent(pair.deviation)})"


def _escaped(text: str) -> str:
    """Names may hold what Markdown takes for its own."""
    for sign in ("\\", "|", "*", "_", "<", "`"):
        text = text.replace(sign, f"\\{sign}" if sign != "<" else "&lt;")
    return text
