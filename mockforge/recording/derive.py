"""New recordings made of old ones: cut, merged, redacted.

A new file comes to be under another name and gets its own once it is whole, so that an end halfway leaves
nothing that looks like a recording.
"""

from __future__ import annotations

import contextlib
import dataclasses
import heapq
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mockforge.errors import RecordingError
from mockforge.model.exchange import Exchange, Marker
from mockforge.recording.reader import RecordingReader
from mockforge.recording.schema import RecordingMeta
from mockforge.recording.selection import Filter, Selection
from mockforge.recording.writer import RecordingWriter, Redacts

__all__ = ["aside", "cut", "merge", "redact", "write_recording"]

#: What may wait for the writer's thread: bounds the memory, not the speed.
_EXCHANGES_AHEAD = 20_000
_BYTES_AHEAD = 64_000_000


def write_recording(
    path: Path,
    meta: RecordingMeta,
    exchanges: Iterable[Exchange],
    *,
    markers: Iterable[Marker] = (),
    redactor: Redacts | None = None,
    notes: Mapping[str, Callable[[], str]] | None = None,
) -> int:
    """Write a whole recording at once; the number of its exchanges.

    `notes` are asked for at the end. Raises RecordingError where `path` exists or cannot be written, or an
    exchange could not be redacted; nothing is left behind then.
    """
    with aside(path) as unfinished:
        with RecordingWriter(unfinished, meta, redactor=redactor) as writer:
            for key, value in (notes or {}).items():
                writer.note(key, value)
            for marker in markers:
                writer.mark(marker)
            _add_all(writer, exchanges)
        if writer.failure is not None:
            raise RecordingError(writer.failure.what, where=str(path), hint="make room and try again")
        if writer.unredacted:
            raise RecordingError(
                f"{writer.unredacted} exchanges could not be redacted",
                where=str(path),
                hint=writer.notices[0],
            )
    return writer.count


@contextlib.contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Another name for a new file in the block; it becomes `path` at its end, and is removed on an error.

    Raises RecordingError where `path` exists.
    """
    if path.exists():
        raise RecordingError("the file exists already", where=str(path), hint="choose another name")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            unfinished.with_name(unfinished.name + suffix).unlink(missing_ok=True)


def cut(reader: RecordingReader, selection: Selection, chosen: Filter, out: Path) -> int:
    """The exchanges that `chosen` selects into a new recording, their times kept; how many they are.

    `selection` is `chosen`, bound to the recording. Raises RecordingError, also where none is selected.
    """
    if next(iter(reader.lines(selection, limit=1)), None) is None:
        raise RecordingError(
            "no exchange is selected", where=str(reader.path), hint=f"the filter is {str(chosen)!r}"
        )
    note = f"{reader.path.name}: {chosen}" if chosen.terms else reader.path.name
    meta = _noted(reader.meta, {"cut-from": note})
    return write_recording(out, meta, reader.exchanges(selection), markers=reader.markers())


def merge(readers: Sequence[RecordingReader], out: Path, *, mixed: bool = False) -> int:
    """Several recordings into one, by wall time; the number of its exchanges.

    Times count from the earliest start. Connections keep apart. Raises RecordingError where they are of
    several kinds or targets and not `mixed`.
    """
    metas = [reader.meta for reader in readers]
    if not mixed:
        for what, values in (("kinds", [m.kind for m in metas]), ("targets", [m.target for m in metas])):
            _refuse_different(what, values, readers)
    started_ns = min(meta.started_wall_ns for meta in metas)
    common = dict.fromkeys(dict(metas[0].notes).items())
    notes = {key: value for key, value in common if all(meta.notes.get(key) == value for meta in metas)}
    meta = dataclasses.replace(
        metas[0],
        kind=" + ".join(dict.fromkeys(meta.kind for meta in metas)),
        target=" + ".join(dict.fromkeys(meta.target for meta in metas)),
        started_wall_ns=started_ns,
        notes=notes | {"merged-from": ", ".join(reader.path.name for reader in readers)},
    )
    streams, markers = [], []
    connections = 0
    for reader in readers:
        later_ns = reader.meta.started_wall_ns - started_ns
        streams.append(_moved(reader, later_ns, connections))
        markers += [dataclasses.replace(each, at_ns=each.at_ns + later_ns) for each in reader.markers()]
        connections += reader.connections()
    together = heapq.merge(*streams, key=lambda exchange: exchange.arrived_ns)
    return write_recording(out, meta, together, markers=markers)


def redact(
    reader: RecordingReader, out: Path, redactor: Redacts, notes: Mapping[str, Callable[[], str]]
) -> int:
    """The whole recording without its secrets into a new one; how many exchanges they are.

    `notes` say what was redacted, and are asked for at the end. Raises RecordingError.
    """
    meta = _noted(reader.meta, {"redacted-from": reader.path.name})
    return write_recording(
        out, meta, reader.exchanges(), markers=reader.markers(), redactor=redactor, notes=notes
    )


def _add_all(writer: RecordingWriter, exchanges: Iterable[Exchange]) -> None:
    ahead, ahead_bytes = 0, 0
    for exchange in exchanges:
        writer.add(exchange)
        ahead += 1
        ahead_bytes += len(exchange.request.body) + (len(exchange.response.body) if exchange.response else 0)
        if ahead >= _EXCHANGES_AHEAD or ahead_bytes >= _BYTES_AHEAD:
            writer.flush()
            ahead, ahead_bytes = 0, 0
            if writer.failure is not None:
                return


def _moved(reader: RecordingReader, later_ns: int, connections: int) -> Iterator[Exchange]:
    for exchange in reader.exchanges():
        yield dataclasses.replace(
            exchange,
            arrived_ns=exchange.arrived_ns + later_ns,
            connection_id=exchange.connection_id + connections,
        )


def _noted(meta: RecordingMeta, notes: Mapping[str, str]) -> RecordingMeta:
    return dataclasses.replace(meta, notes={**meta.notes, **notes})


def _refuse_different(what: str, values: Sequence[str], readers: Sequence[RecordingReader]) -> None:
    for value, reader in zip(values, readers, strict=True):
        if value != values[0]:
            raise RecordingError(
                f"the recordings are of different {what}: {values[0]} and {value}",
                where=str(reader.path),
                hint="--mixed merges them all the same",
            )
