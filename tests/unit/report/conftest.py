"""Small runs, written out operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from mockforge.model.sample import Run


@pytest.fixture
def make_run() -> Callable[..., Run]:
    return _run


def _run(
    latencies_ms: Mapping[str, Sequence[float]],
    *,
    name: str = "real.mfrec",
    kind: str = "recording",
    statuses: Mapping[str, Sequence[int]] | None = None,
    lateness_ms: float | None = None,
    every_ms: float = 10.0,
) -> Run:
    """One request of one operation after the other, `every_ms`."""
    names = tuple(sorted(latencies_ms))
    operation = np.repeat(np.arange(len(names)), [len(latencies_ms[each]) for each in names])
    total = np.array([ms for each in names for ms in latencies_ms[each]], dtype=np.float64)
    status = np.array(
        [one for each in names for one in ((statuses or {}).get(each) or [200] * len(latencies_ms[each]))],
        dtype=np.int32,
    )
    n = total.size
    return Run(
        name=name,
        kind=kind,
        operations=names,
        operation=operation.astype(np.int32),
        start_ns=(np.arange(n) * every_ms * 1e6).astype(np.int64),
        total_ns=(total * 1e6).astype(np.int64),
        ttfb_ns=np.full(n, -1, dtype=np.int64),
        status=status,
        failed=(status == 0) | (status >= 400),
        in_flight=np.zeros(n, dtype=np.int32),
        lateness_ns=np.full(n, -1 if lateness_ms is None else int(lateness_ms * 1e6), dtype=np.int64),
    )
