"""The report as JUnit XML: a suite an operation, a case a metric, for the test view of a CI server."""

from __future__ import annotations

from xml.etree import ElementTree

from mockforge.report.deviation import DeviationReport, OperationDeviation
from mockforge.report.judgement import judged, sentence
from mockforge.report.verdicts import Verdict

__all__ = ["render_junit"]


def render_junit(report: DeviationReport) -> str:
    """Outside is a failure, inconclusive is skipped with what would decide it, within passes."""
    suites = ElementTree.Element("testsuites", name="mockforge deviation")
    for operation in report.every:
        _suite(suites, report, operation)
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_printable(text)}\n'


def _suite(suites: ElementTree.Element, report: DeviationReport, operation: OperationDeviation) -> None:
    cases = [one for one in judged(report) if one.operation is operation]
    verdicts = [case.metric.verdict for case in cases]
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=operation.name,
        tests=str(len(cases)),
        failures=str(verdicts.count(Verdict.OUTSIDE)),
        skipped=str(verdicts.count(Verdict.INCONCLUSIVE)),
        errors="0",
    )
    for case in cases:
        element = ElementTree.SubElement(suite, "testcase", classname=operation.name, name=case.metric.name)
        if case.metric.verdict is Verdict.OUTSIDE:
            ElementTree.SubElement(element, "failure", type="outside", message=sentence(case))
        elif case.metric.verdict is Verdict.INCONCLUSIVE:
            ElementTree.SubElement(element, "skipped", message=sentence(case))


def _printable(text: str) -> str:
    """XML 1.0 has no place for control characters, which a recorded path may hold."""
    return "".join(sign if sign >= " " or sign in "\t\n\r" else "�" for sign in text)
