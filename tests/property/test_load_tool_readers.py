"""Rows written in any of the forms that have every request come back, up to the form's own step."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockforge.report.readers.registry import READERS, read_tool_run
from mockforge.report.readers.toolrun import ToolRun
from tests.unit.report.readers.writers import START_MS, WRITERS, Hit

#: Forms whose steps of duration, start and first byte are coarser than the resolution that they state.
START_STEP_NS = {"ab table": 10**9, "hey CSV": 100_000}
NO_STATUS = {"ab table", "HdrHistogram log"}
FIRST_BYTES = {
    "k6 JSON stream",
    "k6 CSV",
    "JMeter JTL (CSV)",
    "JMeter JTL (XML)",
    "oha CSV",
    "hey CSV",
    "HAR",
}

ROWS = st.lists(
    st.builds(
        lambda at_ms, total_us, part, status, path: Hit(
            at_ms, total_us, round(total_us * part), status, path
        ),
        st.integers(0, 80_000),
        st.integers(1, 60_000_000),
        st.floats(0.01, 1),
        st.sampled_from([200, 204, 302, 404, 500, 503]),
        st.sampled_from(["/", "/orders/17", "/orders/9?full=1&x=a", "/%C3%A9"]),
    ),
    min_size=1,
    max_size=30,
)


@pytest.mark.parametrize("name", WRITERS)
@given(rows=ROWS)
@settings(max_examples=15, deadline=None)
def test_rows_come_back_to_the_forms_own_step(name: str, rows: list[Hit]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        path.write_bytes(WRITERS[name](rows))
        run = read_tool_run(path)
    assert isinstance(run, ToolRun)
    rows = sorted(rows, key=lambda hit: hit.at_ms) if name == "oha SQLite" else rows
    step_ns = max(run.resolution_ns, 1_000)
    relative = 1e-3 if name == "HdrHistogram log" else 0
    begin_ns = START_MS * 1_000_000 if run.wall else 0
    assert len(run) == len(rows)
    for index, hit in enumerate(rows):
        total_ns = hit.total_us * 1_000
        assert abs(run.total_ns[index] - total_ns) <= step_ns + total_ns * relative
        started_ns = run.start_ns[index] - begin_ns
        assert abs(started_ns - hit.at_ms * 1_000_000) <= START_STEP_NS.get(name, step_ns)
        if name not in NO_STATUS:
            assert run.failed[index] == (not hit.good)
        if name in FIRST_BYTES and run.ttfb_ns[index] >= 0:
            assert abs(run.ttfb_ns[index] - hit.ttfb_us * 1_000) <= 2 * step_ns


def test_every_form_with_requests_is_written_here() -> None:
    refusing = {"vegeta results (binary)"}
    assert {reader.name for reader in READERS if not reader.summary} - refusing == set(WRITERS)
