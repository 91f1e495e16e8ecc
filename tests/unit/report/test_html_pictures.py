"""What there is to see of an operation, and what there is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mockforge.model.sample import Run
from mockforge.report.comparing import compare_runs
from mockforge.report.deviation import OperationDeviation
from mockforge.report.html_pictures import pictures_of

MakeRun = Callable[..., Run]


@pytest.fixture
def operation(make_run: MakeRun) -> OperationDeviation:
    lively = np.random.default_rng(1).lognormal(2, 0.5, (2, 600)).tolist()
    statuses = {"GET /a": [500] * 30 + [200] * 570}
    real, mock = (make_run({"GET /a": latencies}, statuses=statuses) for latencies in lively)
    loaded = replace(real, in_flight=(np.arange(600) % 4).astype(np.int32))
    return compare_runs(loaded, replace(mock, in_flight=loaded.in_flight)).overall


def test_a_run_with_load_and_failures_has_all_pictures(operation: OperationDeviation) -> None:
    assert set(pictures_of(operation)) == {"percentiles", "shift", "spread", "time", "load", "errors"}


def test_curves_of_samples_have_bands(operation: OperationDeviation) -> None:
    percentiles = pictures_of(operation)["percentiles"]["real"]
    assert len(percentiles["low"]) == len(percentiles["high"]) == len(percentiles["x"])


def test_where_nothing_failed_there_is_no_picture_of_failures(make_run: MakeRun) -> None:
    run = make_run({"GET /a": [10.0] * 300})
    found = pictures_of(compare_runs(run, run).overall)
    assert "errors" not in found
    assert "load" not in found


def test_of_percentiles_alone_there_are_curves_and_nothing_else(operation: OperationDeviation) -> None:
    bare = replace(operation, latencies_a=np.zeros(0), latencies_b=np.zeros(0), timelines=None, load=())
    found = pictures_of(bare)
    assert set(found) == {"percentiles", "shift"}
    assert found["percentiles"]["real"]["y"][0] == pytest.approx(operation.p50_ms.a, rel=1e-3)
