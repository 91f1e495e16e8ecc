"""The JSON rendering: stable keys, units, null for what is unknown, and a schema that it keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.metrics.registry import KINDS
from mockforge.report.render_json import SCHEMA, json_schema, render_json
from tests.unit.report.runs import drawn_run

MakeRun = Callable[..., Run]
DOCS = Path(__file__).parents[3] / "docs" / "compare.md"


def test_what_is_unknown_is_null(make_run: MakeRun) -> None:
    run = make_run({"GET /a": [0.0]})
    document = json.loads(render_json(compare_runs(run, run)))
    assert document["gap_share"] is None
    assert document["real"][0]["lateness_p50_ms"] is None
    assert document["real"][0]["origin"] is None


def test_figures_are_those_of_the_report(make_run: MakeRun) -> None:
    document = json.loads(
        render_json(compare_runs(make_run({"GET /a": [10] * 4}), make_run({"GET /a": [11] * 4})))
    )
    assert document["schema"] == SCHEMA == "mockforge.deviation/2"
    assert document["gap_share"] == 0.1
    p99 = document["operations"][0]["metrics"]["p99"]
    assert (p99["real"], p99["mock"], p99["deviation"], p99["unit"]) == (10.0, 11.0, 0.1, "ms")


def test_documents_keep_the_published_schema(make_run: MakeRun) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.validate(json.loads(render_json(compare_runs(drawn_run(1, 3_000), drawn_run(2, 3_000)))))
    validator.validate(
        json.loads(render_json(compare_runs(make_run({"GET /a": [0]}), make_run({"GET /a": [1]}))))
    )


def test_every_number_stands_in_the_docs() -> None:
    page = DOCS.read_text(encoding="utf-8")
    assert [name for name in KINDS if f"`{name}`" not in page] == []
