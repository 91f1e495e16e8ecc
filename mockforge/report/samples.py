"""From recordings and load tools' files to runs that can be compared.

Operations are found over the requests of all files together: a template that only shows in one of them
(`/orders/17` alone could be a page of its own) still names the same operation in each. The names that the
writers of recordings noted are theirs alone and are not used; the labels that people gave in a load tool are,
unless they name a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mockforge.learning.operations import Operations
from mockforge.model.sample import Run, SummaryRun
from mockforge.recording.store import RecordingReader
from mockforge.report.deviation import Origin
from mockforge.report.naming import operations_of, renamed, request_of
from mockforge.report.readers.registry import is_tool_database, read_tool_run
from mockforge.report.readers.toolrun import ToolRun
from mockforge.report.tool_runs import origin_of, run_of, summary_of

__all__ = ["Loaded", "load_all"]

_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds: its samples, or only their percentiles; and where it came from.

    `ids` are those of the run's exchanges in a recording, shape (n,); None where the file is none.
    """

    run: Run | SummaryRun
    origin: Origin
    ids: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """A file's run, its operations called as in the file; `requests` are what each of them names, if any."""

    loaded: Loaded
    requests: Sequence[tuple[str, str] | None]


def load_all(paths: Sequence[Path]) -> list[Loaded]:
    """The runs in files, with the operations that their requests together have.

    Raises RecordingError or ComparisonError where one cannot be read.
    """
    sources = [_read(path) for path in paths]
    operations = Operations.find({request for source in sources for request in source.requests if request})
    return [_named(source, operations) for source in sources]


def _read(path: Path) -> _Source:
    return _recording(path) if not path.is_file() or _is_recording(path) else _tool(path)


def _is_recording(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(len(_SQLITE))
    return path.suffix == ".mfrec" or (head == _SQLITE and not is_tool_database(path))


def _recording(path: Path) -> _Source:
    with RecordingReader(path) as reader:
        meta, columns = reader.meta, reader.columns()
    places: dict[tuple[str, str], int] = {}
    pairs = zip(columns.method, columns.target, strict=True)
    operation = np.fromiter((places.setdefault(pair, len(places)) for pair in pairs), np.int32, len(columns))
    run = Run(
        name=str(path),
        kind=meta.kind,
        operations=tuple(f"{method} {target}" for method, target in places),
        operation=operation,
        start_ns=columns.arrived_ns,
        total_ns=columns.total_ns,
        ttfb_ns=columns.ttfb_ns,
        status=columns.status,
        failed=columns.failed,
        in_flight=columns.in_flight,
        lateness_ns=columns.lateness_ns,
        size=columns.response_size,
        failure=columns.failure,
    )
    origin = Origin(str(path), meta.target, meta.program, meta.started_wall_ns, dict(meta.notes))
    return _Source(Loaded(run, origin, columns.id), list(places))


def _tool(path: Path) -> _Source:
    found = read_tool_run(path)
    run = run_of(path, found) if isinstance(found, ToolRun) else summary_of(path, found)
    return _Source(Loaded(run, origin_of(path, found)), [request_of(label) for label in operations_of(run)])


def _named(source: _Source, operations: Operations) -> Loaded:
    """The run with its operations: by their templates, or by the labels that name no request."""
    labels = operations_of(source.loaded.run)
    names = {
        label: operations.name_of(*request) if request else label
        for label, request in zip(labels, source.requests, strict=True)
    }
    return replace(source.loaded, run=renamed(source.loaded.run, names))
