"""The report: lines for people, JSON for notes, and sums of several."""

from __future__ import annotations

import pytest

from mockforge.recording.redaction import RedactionReport
from mockforge.recording.redaction.edits import Finding

REPORT = RedactionReport(
    "ab12cd34",
    exchanges=1200,
    changed=700,
    counts={
        Finding("email", "body JSON $.a"): 1000,
        Finding("email", "body JSON $.b"): 2,
        Finding("email", "body JSON $.c"): 3,
        Finding("email", "path"): 4,
        Finding("header", "header Authorization"): 700,
    },
    dropped={"unknown content coding": 2},
)


def test_a_person_reads_a_line_for_each_rule() -> None:
    assert REPORT.lines() == [
        "replaced 1,709 times in 700 of 1,200 exchanges (key ab12cd34)",
        "email: 1,009 in body JSON $.a (1,000), path (4), body JSON $.c (3) and 1 more places",
        "header: 700 in header Authorization (700)",
        "dropped 2 bodies: unknown content coding",
    ]


def test_a_report_survives_its_note() -> None:
    assert RedactionReport.from_json(REPORT.to_json()) == REPORT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rules": 5}'])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no redaction report"):
        RedactionReport.from_json(text)


def test_reports_add_up() -> None:
    other = RedactionReport(
        "ef56", 1, 1, {Finding("email", "path"): 1, Finding("jwt", "path"): 1}, {}, off=True
    )
    both = REPORT + other + REPORT
    assert (both.key, both.exchanges, both.changed, both.off) == ("ab12cd34+ef56", 2401, 1401, True)
    assert both.counts[Finding("email", "path")] == 9
    assert both.counts[Finding("jwt", "path")] == 1
    assert both.dropped == {"unknown content coding": 4}
