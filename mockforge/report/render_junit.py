"""The report as JUnit XML: a suite an operation, a case a metric, for the test view of a CI server."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from mockforge.report.deviation import DeviationReport, OperationDeviation
from mockforge.report.judgement import expected_sentence, judged, sentence
from mockforge.report.verdicts import Verdict

__all__ = ["render_junit"]


def render_junit(report: DeviationReport) -> str:
    """Outside fails, inconclusive is skipped with what would decide it, within passes; so do expectations."""
    suites = ElementTree.Element("testsuites", name="mockforge deviation")
    _level(suites, report)
    if report.caller:
        _level(suites, report.caller.report, "caller: ")
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_printable(text)}\n'


def _level(suites: ElementTree.Element, report: DeviationReport, prefix: str = "") -> None:
    """The suites of one level, and its expressions as a suite of their own."""
    for operation in report.every:
        _suite(suites, report, operation, prefix)
    if report.expected:
        _expectations(suites, report, prefix)


def _expectations(suites: ElementTree.Element, report: DeviationReport, prefix: str) -> None:
    verdicts = [one.verdict for one in report.expected]
    suite = _started(suites, f"{prefix}expectations", verdicts)
    for one in report.expected:
        element = ElementTree.SubElement(suite, "testcase", classname=one.operation, name=one.text)
        _outcome(element, one.verdict, expected_sentence(one))


def _suite(
    suites: ElementTree.Element, report: DeviationReport, operation: OperationDeviation, prefix: str
) -> None:
    cases = [one for one in judged(report) if one.operation is operation]
    suite = _started(suites, prefix + operation.name, [case.metric.verdict for case in cases])
    for case in cases:
        element = ElementTree.SubElement(suite, "testcase", classname=operation.name, name=case.metric.name)
        _outcome(element, case.metric.verdict, sentence(case))


def _started(
    suites: ElementTree.Element, name: str, verdicts: Sequence[Verdict | None]
) -> ElementTree.Element:
    """A suite, and how its cases went."""
    return ElementTree.SubElement(
        suites,
        "testsuite",
        name=name,
        tests=str(len(verdicts)),
        failures=str(verdicts.count(Verdict.OUTSIDE)),
        skipped=str(verdicts.count(Verdict.INCONCLUSIVE)),
        errors="0",
    )


def _outcome(element: ElementTree.Element, verdict: Verdict | None, message: str) -> None:
    if verdict is Verdict.OUTSIDE:
        ElementTree.SubElement(element, "failure", type="outside", message=message)
    elif verdict is Verdict.INCONCLUSIVE:
        ElementTree.SubElement(element, "skipped", message=message)


def _printable(text: str) -> str:
    """XML 1.0 has no place for control characters, which a recorded path may hold."""
    return "".join(sign if sign >= " " or sign in "\t\n\r" else "�" for sign in text)
