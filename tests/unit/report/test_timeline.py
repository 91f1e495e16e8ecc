"""A run over time: windows of equal length, as many as a picture has room for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mockforge.model.sample import Run
from mockforge.report.timeline import timeline

MakeRun = Callable[..., Run]


def of(run: Run) -> tuple[Run, int, int]:
    return run, int(run.start_ns[0]), int(run.start_ns[-1])


def test_each_window_has_the_quantiles_and_failures_of_its_own_requests(make_run: MakeRun) -> None:
    run = make_run(
        {"GET /a": [10.0] * 100 + [30.0] * 100},
        statuses={"GET /a": [200] * 100 + [500] * 50 + [200] * 50},
        every_ms=10,
    )
    found = timeline(*of(run))
    assert found.at_s == pytest.approx([0.5, 1.5])
    assert found.p50_ms == pytest.approx([10.0, 30.0])
    assert found.failed == pytest.approx([0.0, 0.5])


def test_a_long_run_has_no_more_windows_than_a_picture_has_room_for(make_run: MakeRun) -> None:
    run = make_run({"GET /a": [10.0] * 2_000}, every_ms=10_000)
    found = timeline(*of(run))
    assert 60 < found.at_s.size <= 120
    assert np.diff(found.at_s) == pytest.approx(np.full(found.at_s.size - 1, 180.0))


def test_windows_with_too_few_requests_are_gaps(make_run: MakeRun) -> None:
    run = make_run({"GET /a": [10.0, 11.0, 12.0]}, every_ms=1_500)
    found = timeline(*of(run))
    assert np.isnan(found.p50_ms).all()
    assert found.failed[0] == 0.0
    assert np.isnan(timeline(run, 0, 9_000_000_000).failed[-1])


def test_an_operation_is_shown_over_the_time_of_its_whole_run(make_run: MakeRun) -> None:
    run = make_run({"GET /a": [1.0] * 100, "GET /b": [2.0] * 100})
    part = run.select(run.operation == 1)
    found = timeline(part, int(run.start_ns[0]), int(run.start_ns[-1]))
    assert np.isnan(found.p50_ms[0])
    assert found.p50_ms[1] == pytest.approx(2.0)
