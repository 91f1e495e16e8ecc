"""From what a reader found in a load tool's file to a run, its operations not named yet."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mockforge.model.sample import Run, SummaryRun
from mockforge.report.deviation import Origin
from mockforge.report.readers.toolrun import NS_PER_S, ToolRun, ToolSummary

__all__ = ["origin_of", "run_of", "summary_of"]

_MOST_ERRORS = 3
_SHUFFLE_SEED = 6


def run_of(path: Path, found: ToolRun) -> Run:
    """The samples in the order of their starts; `operation` indexes the tool's labels."""
    start_ns = _column(found.start_ns, np.int64)
    order = np.argsort(start_ns, kind="stable")
    if not found.ordered:
        within = np.random.default_rng(_SHUFFLE_SEED).permutation(start_ns.size)
        order = within[np.argsort(start_ns[within], kind="stable")]
    start_ns, total_ns = start_ns[order], _column(found.total_ns, np.int64)[order]
    size, failure = _column(found.size, np.int64)[order], np.frombuffer(found.failure, np.int8)[order]
    return Run(
        name=str(path),
        kind=found.tool,
        operations=tuple(found.labels),
        operation=_column(found.label, np.int32)[order],
        start_ns=start_ns - start_ns[0],
        total_ns=total_ns,
        ttfb_ns=_column(found.ttfb_ns, np.int64)[order],
        status=_column(found.status, np.int32)[order],
        failed=np.frombuffer(found.failed, np.bool_)[order],
        in_flight=_in_flight(start_ns, total_ns, found.start_step_ns),
        lateness_ns=_column(found.lateness_ns, np.int64)[order],
        size=size if (size >= 0).any() else None,
        failure=failure if failure.any() else None,
        resolution_ns=found.resolution_ns,
    )


def summary_of(path: Path, found: ToolSummary) -> SummaryRun:
    """The figures; operations have the tool's labels."""
    return SummaryRun(
        name=str(path),
        kind=found.tool,
        operations=tuple(found.operations),
        overall=found.overall,
        duration_s=found.duration_s,
        resolution_ns=found.resolution_ns,
        precision=found.precision,
    )


def origin_of(path: Path, found: ToolRun | ToolSummary) -> Origin:
    """Where a run came from, with what its tool's file cannot say."""
    remarks = list(found.remarks)
    if isinstance(found, ToolRun):
        began_ns = min(found.start_ns) if found.wall else 0
        if found.torn:
            remarks.insert(0, f"the file is torn, {found.torn}; it was read up to there")
    else:
        began_ns = found.started_wall_ns
        remarks += _errors(found)
    return Origin(str(path), "", found.tool, began_ns, {"tool": "\n".join(remarks)} if remarks else {})


def _errors(found: ToolSummary) -> Sequence[str]:
    if not found.errors:
        return ()
    ranked = sorted(found.errors.items(), key=lambda pair: -pair[1])
    shown = ", ".join(f"{why} ({count:,})" for why, count in ranked[:_MOST_ERRORS])
    rest = len(ranked) - _MOST_ERRORS
    return (f"failures: {shown}" + (f" and {rest} other kinds" if rest > 0 else ""),)


def _column(values: array[int], kind: Any) -> NDArray[Any]:
    return np.frombuffer(values, np.int64).astype(kind)


def _in_flight(start_ns: NDArray[np.int64], total_ns: NDArray[np.int64], step_ns: int) -> NDArray[np.int32]:
    """Others under way when each began, from the overlap; none where starts are too coarse to tell."""
    if step_ns >= NS_PER_S:
        return np.zeros(start_ns.size, np.int32)
    ended = np.searchsorted(np.sort(start_ns + total_ns), start_ns, side="right")
    return np.asarray(np.maximum(np.arange(start_ns.size) - ended, 0), dtype=np.int32)
