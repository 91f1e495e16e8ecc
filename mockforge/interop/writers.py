"""The formats that a recording can be exported to: a name, the files' ending, and the function that writes.

To add one, write its function and enter it here; what `mockforge export` offers follows from the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mockforge.interop.har_writing import write_har
from mockforge.interop.source import SourceError
from mockforge.interop.timing_export import write_csv, write_parquet
from mockforge.model.exchange import Exchange
from mockforge.recording.store import RecordingReader

__all__ = ["WRITERS", "Writer", "export_to", "writer_called"]


@dataclass(frozen=True, slots=True)
class Writer:
    """A format. `write` is given the recording, its exchanges (watched by someone), and a new file's path."""

    name: str
    ending: str
    write: Callable[[RecordingReader, Iterator[Exchange], Path], None]


WRITERS = {
    writer.name: writer
    for writer in (
        Writer("har", ".har", write_har),
        Writer("parquet", ".parquet", write_parquet),
        Writer("csv", ".csv", write_csv),
    )
}


def writer_called(name: str | None, path: Path | None) -> Writer:
    """The writer of that name, or of the ending of `path`. Raises SourceError where there is none."""
    if name is None:
        ending = path.suffix.lower() if path is not None else ""
        for writer in WRITERS.values():
            if writer.ending == ending:
                return writer
        raise SourceError(
            f"the format to export to is not given by the ending {ending!r}"
            if ending
            else "no format is given",
            hint=f"say it with --format ({', '.join(WRITERS)})",
        )
    if name not in WRITERS:
        near = get_close_matches(name, WRITERS, 1)
        raise SourceError(
            f"there is no format {name!r} to export to",
            hint=f"did you mean {near[0]}?" if near else f"there are {', '.join(WRITERS)}",
        )
    return WRITERS[name]


def export_to(writer: Writer, reader: RecordingReader, exchanges: Iterator[Exchange], path: Path) -> None:
    """Write a new file, whole or not at all. Raises SourceError where it exists or cannot be written."""
    where = str(path)
    if path.exists():
        raise SourceError(
            "the file exists already", where=where, hint="choose another name or remove it first"
        )
    unfinished = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer.write(reader, exchanges, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise SourceError(f"the file cannot be written: {error.strerror or error}", where=where) from error
    finally:
        unfinished.unlink(missing_ok=True)
