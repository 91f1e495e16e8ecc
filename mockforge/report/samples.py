"""From recordings to runs that can be compared.

Operations are found over the requests of both files together: a template that only shows in one of them
(`/orders/17` alone could be a page of its own) still names the same operation in both. The names that the
writers noted are theirs alone and are not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mockforge.learning.operations import Operations
from mockforge.model.sample import Run
from mockforge.recording.store import Columns, RecordingMeta, RecordingReader
from mockforge.report.deviation import DeviationReport, Origin, compare_runs
from mockforge.report.tolerances import Tolerances

__all__ = ["compare_recordings", "load_run", "load_runs"]


@dataclass(frozen=True, slots=True)
class _Recorded:
    path: Path
    meta: RecordingMeta
    columns: Columns


def load_run(path: Path, operations: Operations) -> Run:
    """The run in a recording, its requests named by `operations`. Raises RecordingError."""
    return _run(_read(path), operations)


def load_runs(a: Path, b: Path) -> tuple[Run, Run]:
    """Both runs, with the operations that their requests together have. Raises RecordingError."""
    recorded_a, recorded_b = _read(a), _read(b)
    operations = _operations_of(recorded_a, recorded_b)
    return _run(recorded_a, operations), _run(recorded_b, operations)


def compare_recordings(real: Path, mock: Path, tolerances: Tolerances | None = None) -> DeviationReport:
    """The deviation report of two recordings, judged by `tolerances` or the defaults.

    Raises RecordingError where one cannot be read, ComparisonError where they cannot be compared.
    """
    a, b = _read(real), _read(mock)
    operations = _operations_of(a, b)
    return compare_runs(_run(a, operations), _run(b, operations), _origin(a), _origin(b), tolerances)


def _read(path: Path) -> _Recorded:
    with RecordingReader(path) as reader:
        return _Recorded(path, reader.meta, reader.columns())


def _operations_of(a: _Recorded, b: _Recorded) -> Operations:
    return Operations.find({*_requests(a.columns), *_requests(b.columns)})


def _requests(columns: Columns) -> Iterator[tuple[str, str]]:
    return zip(columns.method, columns.target, strict=True)


def _run(recorded: _Recorded, operations: Operations) -> Run:
    columns = recorded.columns
    name_of = {request: operations.name_of(*request) for request in set(_requests(columns))}
    names = sorted(set(name_of.values()))
    place = {name: index for index, name in enumerate(names)}
    place_of = {request: place[name] for request, name in name_of.items()}
    return Run(
        name=str(recorded.path),
        kind=recorded.meta.kind,
        operations=tuple(names),
        operation=np.fromiter((place_of[request] for request in _requests(columns)), np.int32, len(columns)),
        start_ns=columns.arrived_ns,
        total_ns=columns.total_ns,
        ttfb_ns=columns.ttfb_ns,
        status=columns.status,
        failed=columns.failed,
        in_flight=columns.in_flight,
        lateness_ns=columns.lateness_ns,
    )


def _origin(recorded: _Recorded) -> Origin:
    meta = recorded.meta
    return Origin(str(recorded.path), meta.target, meta.program, meta.started_wall_ns, dict(meta.notes))
