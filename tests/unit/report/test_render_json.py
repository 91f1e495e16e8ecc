"""The JSON rendering: stable keys, units in names, null for what is unknown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mockforge.model.sample import Run
from mockforge.report.deviation import compare_runs
from mockforge.report.render_json import SCHEMA, render_json

MakeRun = Callable[..., Run]
DOCS = Path(__file__).parents[3] / "docs" / "compare.md"


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for one in value.values() for key in keys_of(one)}
    if isinstance(value, list):
        return {key for one in value for key in keys_of(one)}
    return set()


def test_what_is_unknown_is_null(make_run: MakeRun) -> None:
    run = make_run({"GET /a": [0.0]})
    document = json.loads(render_json(compare_runs(run, run)))
    assert document["gap_share"] is None
    assert document["real"]["lateness_p50_ms"] is None
    assert document["real"]["origin"] is None


def test_figures_are_those_of_the_report(make_run: MakeRun) -> None:
    document = json.loads(
        render_json(compare_runs(make_run({"GET /a": [10] * 4}), make_run({"GET /a": [11] * 4})))
    )
    assert document["schema"] == SCHEMA == "mockforge.deviation/1"
    assert document["gap_share"] == 0.1
    assert document["operations"][0]["latency"]["p99"] == {
        "real_ms": 10.0,
        "mock_ms": 11.0,
        "deviation_share": 0.1,
    }


def test_every_key_stands_in_the_docs(make_run: MakeRun) -> None:
    real, mock = make_run({"GET /a": [1]}), make_run({"GET /a": [1]})
    page = DOCS.read_text(encoding="utf-8")
    described = set(re.findall(r"`([a-z0-9_]+)`", page)) | set(re.findall(r'"([a-z0-9_]+)":', page))
    assert keys_of(json.loads(render_json(compare_runs(real, mock)))) <= described
