"""From recordings and load tools' files to runs that can be compared.

Operations are found over the requests of both files together: a template that only shows in one of them
(`/orders/17` alone could be a page of its own) still names the same operation in both. The names that the
writers of recordings noted are theirs alone and are not used; the labels that people gave in a load tool are.
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
from mockforge.report.readers.registry import read_tool_run

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
    """A file's samples: requests as (method, target), or `labels` where the file has names of its own."""

    run: Run
    requests: Sequence[tuple[str, str]]
    labels: Sequence[str]
    origin: Origin
    ids: NDArray[np.int64] | None = None


def load_all(paths: Sequence[Path]) -> list[Loaded]:
    """The runs in files, with the operations that their requests together have.

    Raises RecordingError or ComparisonError where one cannot be read.
    """
    sources = [_read(path) for path in paths]
    operations = Operations.find({request for source in sources for request in source.requests})
    return [Loaded(_named(source, operations), source.origin, source.ids) for source in sources]


def _read(path: Path) -> _Source:
    return _recording(path) if not path.is_file() or _is_database(path) else _tool(path)


def _is_database(path: Path) -> bool:
    """Whether it is SQLite's, or so short that only the store can say what is wrong with it."""
    with path.open("rb") as file:
        head = file.read(len(_SQLITE))
    return len(head) < len(_SQLITE) or head == _SQLITE or path.suffix == ".mfrec"


def _recording(path: Path) -> _Source:
    with RecordingReader(path) as reader:
        meta, columns = reader.meta, reader.columns()
    run = Run(
        name=str(path),
        kind=meta.kind,
        operations=(),
        operation=np.zeros(len(columns), np.int32),
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
    return _Source(run, list(zip(columns.method, columns.target, strict=True)), (), origin, columns.id)


def _tool(path: Path) -> _Source:
    found = read_tool_run(path)
    start_ns = np.array(found.start_ns, dtype=np.int64)
    order = np.argsort(start_ns, kind="stable")
    start_ns = start_ns[order]
    total_ns = np.array(found.total_ns, dtype=np.int64)[order]
    names = [found.names[index] for index in order]
    run = Run(
        name=str(path),
        kind=found.tool,
        operations=(),
        operation=np.zeros(len(found), np.int32),
        start_ns=start_ns - start_ns[0],
        total_ns=total_ns,
        ttfb_ns=np.array(found.ttfb_ns, dtype=np.int64)[order],
        status=np.array(found.status, dtype=np.int32)[order],
        failed=np.array(found.failed, dtype=np.bool_)[order],
        in_flight=_in_flight(start_ns, total_ns),
        lateness_ns=np.full(len(found), -1, dtype=np.int64),
        resolution_ns=found.resolution_ns,
    )
    remarks = [
        *found.remarks,
        *([f"the file is torn, {found.torn}; it was read up to there"] if found.torn else []),
    ]
    notes = {"tool": "; ".join(remarks)} if remarks else {}
    origin = Origin(str(path), "", found.tool, int(start_ns[0]), notes)
    requests = [_request(name) for name in names] if found.from_urls else ()
    return _Source(run, requests, names, origin)


def _request(name: str) -> tuple[str, str]:
    method, _, target = name.partition(" ")
    return method, target


def _in_flight(start_ns: NDArray[np.int64], total_ns: NDArray[np.int64]) -> NDArray[np.int32]:
    """Others under way when each began, from the overlap."""
    ended = np.searchsorted(np.sort(start_ns + total_ns), start_ns, side="right")
    return np.asarray(np.maximum(np.arange(start_ns.size) - ended, 0), dtype=np.int32)


def _named(source: _Source, operations: Operations) -> Run:
    """The run with its operations: by their templates, or by the labels that the file has."""
    if source.requests:
        name_of = {request: operations.name_of(*request) for request in set(source.requests)}
        shown = [name_of[request] for request in source.requests]
    else:
        shown = list(source.labels)
    names = sorted(set(shown))
    place = {name: index for index, name in enumerate(names)}
    return replace(
        source.run,
        operations=tuple(names),
        operation=np.fromiter((place[name] for name in shown), np.int32, len(shown)),
    )
