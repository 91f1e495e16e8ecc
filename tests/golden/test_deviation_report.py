"""Renderings of one small report, held to the letter.

`UPDATE_GOLDEN=1 pytest tests/golden` writes them anew; look at the difference before it is kept.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.deviation import DeviationReport, Origin
from mockforge.report.render_json import render_json
from mockforge.report.render_terminal import render_text

HERE = Path(__file__).parent / "deviation_report"
#: name: (share of requests, shortest latency in ms, mean of what comes on top, share of failures)
OPERATIONS = {
    "GET /orders": (0.5, 8.0, 12.0, 0.0),
    "GET /orders/{id}": (0.3, 2.0, 3.0, 0.02),
    "GET /customers/{id}/orders/{orderId}/shipments": (0.18, 30.0, 25.0, 0.0),
    "DELETE /orders/{id}": (0.02, 4.0, 1.0, 0.0),
}


def run_of(name: str, kind: str, seed: int, slower: float, extra: str) -> Run:
    """Exponential latencies over a fixed offset, from Python's own generator: the same on every platform."""
    drawn = random.Random(seed)
    names = (*OPERATIONS, extra)
    chosen = drawn.choices(range(len(names)), [*(share for share, *_ in OPERATIONS.values()), 0.005], k=1200)
    laws = [*OPERATIONS.values(), (0.0, 1.0, 1.0, 0.0)]
    total = [laws[one][1] + drawn.expovariate(1 / (laws[one][2] * slower)) for one in chosen]
    failed = np.array([drawn.random() < laws[one][3] for one in chosen])
    n = len(chosen)
    return Run(
        name=name,
        kind=kind,
        operations=names,
        operation=np.array(chosen, dtype=np.int32),
        start_ns=np.arange(n, dtype=np.int64) * 10_000_000,
        total_ns=np.array([round(ms * 1e6) for ms in total], dtype=np.int64),
        ttfb_ns=np.full(n, -1, dtype=np.int64),
        status=np.where(failed, 503, 200).astype(np.int32),
        failed=failed,
        in_flight=np.zeros(n, dtype=np.int32),
        lateness_ns=np.array([round(drawn.expovariate(1 / 9e4)) for _ in chosen], dtype=np.int64)
        if kind == "serve"
        else np.full(n, -1, dtype=np.int64),
    )


@pytest.fixture(scope="module")
def report() -> DeviationReport:
    real, mock = "recordings/real.mfrec", "recordings/mock.mfrec"
    program, started = "mockforge 0.0.0", 1_763_683_200_000_000_000
    made = compare_runs(
        run_of(real, "recording", 1, 1.0, "PUT /orders/{id}"),
        run_of(mock, "serve", 2, 1.15, "GET /favicon.ico"),
        Origin(real, "http://127.0.0.1:9000", program, started, {}),
        Origin(mock, "stubs/orders", program, started, {"seed": "7"}),
    )
    return replace(made, program=program)


@pytest.mark.parametrize("width", [80, 120])
def test_the_text_at_both_widths(report: DeviationReport, width: int) -> None:
    _hold(f"report-{width}.txt", render_text(report, width))


def test_the_json(report: DeviationReport) -> None:
    _hold("report.json", render_json(report))


def _hold(name: str, rendered: str) -> None:
    path = HERE / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(rendered, encoding="utf-8")
    assert rendered == path.read_text(encoding="utf-8"), f"{path} is rendered otherwise now"
