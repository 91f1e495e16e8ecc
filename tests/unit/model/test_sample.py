"""A run is columns of samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mockforge.model.sample import Run

MS = 1_000_000


def run(operation: Sequence[int], start_ms: Sequence[int], total_ms: Sequence[int]) -> Run:
    unknown = np.full(len(operation), -1, dtype=np.int64)
    return Run(
        name="real",
        kind="recording",
        operations=("GET /a", "GET /b"),
        operation=np.array(operation, dtype=np.int32),
        start_ns=np.array(start_ms, dtype=np.int64) * MS,
        total_ns=np.array(total_ms, dtype=np.int64) * MS,
        ttfb_ns=unknown,
        status=np.full(len(operation), 200, dtype=np.int32),
        failed=np.zeros(len(operation), dtype=np.bool_),
        in_flight=np.zeros(len(operation), dtype=np.int32),
        lateness_ns=unknown,
    )


def test_a_run_lasts_from_its_first_start_to_its_last_end() -> None:
    samples = run([0, 1, 0], [100, 200, 300], [1_000, 50, 50])
    assert len(samples) == 3
    assert samples.duration_s == 1.0


def test_an_empty_run_lasts_no_time() -> None:
    assert run([], [], []).duration_s == 0.0


def test_the_samples_of_an_operation_are_a_mask() -> None:
    samples = run([0, 1, 0], [0, 1, 2], [1, 1, 1])
    assert samples.of("GET /a").tolist() == [True, False, True]
    assert samples.of("GET /b").tolist() == [False, True, False]
    assert samples.of("GET /elsewhere").tolist() == [False, False, False]
