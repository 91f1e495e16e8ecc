"""`mockforge recordings`: looking into recordings, and making new ones of them."""

from __future__ import annotations

import contextlib
import csv
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markup import escape

from mockforge.cli.console import out, say, table, warn
from mockforge.cli.recordings_exchange import exchange_in_full
from mockforge.cli.recordings_filter import Names, bind, takes_filter
from mockforge.cli.recordings_redact import redactor_for
from mockforge.cli.recordings_shown import (
    exchange_table,
    marker_table,
    operation_table,
    seconds,
    size_of,
    sizes,
    summary,
    time_of_day,
)
from mockforge.errors import RecordingError, UsageError
from mockforge.recording import derive, mend
from mockforge.recording.salvage import Salvaged
from mockforge.recording.salvage import salvage as salvage_recording
from mockforge.recording.store import SCHEMA_VERSION, Filter, Line, RecordingReader
from mockforge.report.figures import count

__all__ = ["app"]

_SHOWN_ROWS = 50

app = typer.Typer(
    name="recordings",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Look into recordings, cut, merge and mend them.

Example:

    mockforge recordings show recordings/orders.mfrec --slowest 20
""",
)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")]
_Out = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="The recording to write; must not exist yet.")
]


class _Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@app.command("list")
def list_recordings(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where they lie.")] = Path("recordings"),
) -> None:
    """The recordings in a folder.

    Example:

        mockforge recordings list recordings
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=str(folder), hint="`mockforge record` makes one")
    rows, unreadable = [], []
    for path in sorted(folder.glob("*.mfrec")):
        try:
            rows.append(_listed(path))
        except RecordingError as error:
            unreadable.append(f"{path.name}: {error.what}")
    heads = ("recording", "started", "length", "exchanges", "errors", "size")
    if rows:
        out.print(table(escape(str(folder)), heads, rows))
    elif not unreadable:
        out.print(f"no recordings in {folder}", markup=False)
    for line in unreadable:
        warn(line)


@app.command()
@takes_filter
def show(
    file: _File,
    chosen: Filter,
    slowest: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="List the N slowest exchanges.")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--id", metavar="N", help="Show one exchange in full.")
    ] = None,
    markers: Annotated[bool, typer.Option("--markers", help="List the markers.")] = False,
) -> None:
    """What a recording holds: a summary, and a table per operation.

    Example:

        mockforge recordings show recordings/orders.mfrec --slowest 20
    """
    with RecordingReader(file) as reader:
        if number is not None:
            for line in exchange_in_full(number, reader.exchange(number)):
                out.print(line, markup=False, soft_wrap=True)
            return
        selection = bind(chosen, reader, Names(reader))
        if slowest is not None:
            lines = reader.lines(selection, slowest_first=True, limit=slowest)
            out.print(exchange_table(f"slowest in {file}", lines))
            return
        columns, known = reader.columns(selection), reader.markers()
        if markers:
            out.print(marker_table(known, columns))
            return
        for line in summary(reader, columns, known, str(chosen)):
            out.print(line, markup=False, soft_wrap=True)
        for key, value in reader.meta.notes.items():
            out.print(f"note       {key}: {value}", markup=False, soft_wrap=True)
        if len(columns):
            out.print(operation_table(columns))


@app.command()
@takes_filter
def query(
    file: _File,
    chosen: Filter,
    form: Annotated[_Form, typer.Option("--format", help="A table, or a line an exchange.")] = _Form.TABLE,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="At most so many.", show_default="50 in a table, else all"),
    ] = None,
) -> None:
    """The exchanges that the options choose, one a line, by arrival.

    Example:

        mockforge recordings query recordings/orders.mfrec --status 5xx --min-latency 200ms
    """
    with RecordingReader(file) as reader:
        names = Names(reader)
        selection = bind(chosen, reader, names)
        if form is _Form.TABLE:
            most = limit or _SHOWN_ROWS
            lines = list(reader.lines(selection, limit=most + 1))
            out.print(exchange_table(f"exchanges of {file}", lines[:most]))
            if len(lines) > most:
                say.print(f"the first {most}; --limit N shows more, --format json or csv all")
            return
        lines_of = _json_lines if form is _Form.JSON else _csv_lines
        for text in lines_of(reader.lines(selection, limit=limit), names):
            sys.stdout.write(text)


@app.command()
@takes_filter
def cut(file: _File, chosen: Filter, into: _Out) -> None:
    """The exchanges that the options choose, into a new recording; their times stay.

    Example:

        mockforge recordings cut recordings/orders.mfrec --phase peak --out recordings/peak.mfrec
    """
    with RecordingReader(file) as reader:
        selection = bind(chosen, reader, Names(reader))
        number = derive.cut(reader, selection, chosen, into)
        say.print(f"{count(number)} of {count(reader.count)} exchanges in {into}", markup=False)


@app.command()
def merge(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Two recordings or more.")],
    into: _Out,
    mixed: Annotated[bool, typer.Option(help="Also of different kinds or targets.")] = False,
) -> None:
    """Several recordings of one target into one, by the time of day.

    Example:

        mockforge recordings merge recordings/a.mfrec recordings/b.mfrec --out recordings/both.mfrec
    """
    if len(files) < 2:
        raise UsageError("one recording is nothing to merge", hint="name two or more")
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(RecordingReader(file)) for file in files]
        number = derive.merge(readers, into, mixed=mixed)
    say.print(f"{count(number)} exchanges in {into}", markup=False)


@app.command()
def redact(
    file: _File,
    into: _Out,
    rules: Annotated[
        Path | None, typer.Option(metavar="YAML", help="Own rules; else the defaults alone.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default="$MOCKFORGE_REDACTION_KEY, or .mockforge/redaction.key beside the recording",
            help="The key of the pseudonyms.",
        ),
    ] = None,
) -> None:
    """A recording without its secrets, into a new one.

    Example:

        mockforge recordings redact recordings/orders.mfrec --out recordings/orders-clean.mfrec
    """
    with RecordingReader(file) as reader:
        redactor = redactor_for(file, rules, key)
        notes = {"redaction": lambda: redactor.report().to_json()}
        number = derive.redact(reader, into, redactor, notes)
    for line in redactor.report().lines():
        out.print(line, markup=False, soft_wrap=True)
    say.print(f"{count(number)} exchanges in {into}", markup=False)


@app.command()
def vacuum(file: _File) -> None:
    """Remove bodies that nothing refers to, and give back the room.

    Example:

        mockforge recordings vacuum recordings/orders.mfrec
    """
    done = mend.vacuum(file)
    out.print(f"{sizes(done.before)} before, {sizes(done.after)} after; {count(done.bodies)} bodies removed")


@app.command()
def upgrade(file: _File) -> None:
    """Bring a recording of an older schema to the one of today, in place.

    Example:

        mockforge recordings upgrade recordings/old.mfrec
    """
    before = mend.upgrade(file)
    done = f"upgraded from schema version {before} to" if before < SCHEMA_VERSION else "is of schema version"
    out.print(f"{file}: {done} {SCHEMA_VERSION}", markup=False, soft_wrap=True)


@app.command()
def salvage(file: _File, into: _Out) -> None:
    """What can still be read of a damaged recording, into a new one.

    Example:

        mockforge recordings salvage recordings/torn.mfrec --out recordings/saved.mfrec
    """
    for line in _told(salvage_recording(file, into)):
        out.print(line, markup=False)
    say.print(f"wrote {into}", markup=False)


def _listed(path: Path) -> list[str]:
    with RecordingReader(path) as reader:
        totals, meta = reader.totals(), reader.meta
    what = escape(f"{path.name}\n{meta.kind} of {meta.target or 'no one target'}")
    length = seconds((totals.ended_ns - totals.started_ns) / 1e9)
    figures = [length, count(totals.count), count(totals.failed), sizes(size_of(path))]
    return [what, time_of_day(meta.started_wall_ns), *figures]


def _json_lines(lines: Iterator[Line], names: Names) -> Iterator[str]:
    for line in lines:
        fields = line._asdict() | {"operation": names(line.method, line.target)}
        yield orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE).decode()


def _csv_lines(lines: Iterator[Line], names: Names) -> Iterator[str]:
    made: list[str] = []
    writer = csv.writer(_Collecting(made), lineterminator="\n")
    writer.writerow([*Line._fields, "operation"])
    for line in lines:
        writer.writerow([*line, names(line.method, line.target)])
        yield from made
        made.clear()
    yield from made


class _Collecting:
    """Takes what a csv.writer writes."""

    def __init__(self, made: list[str]) -> None:
        self.write = made.append


def _told(salvaged: Salvaged) -> Iterator[str]:
    lost = salvaged.exchanges_lost
    yield f"{count(salvaged.exchanges)} exchanges saved, " + (
        "how many are lost cannot be told" if lost is None else f"{count(lost)} lost"
    )
    if salvaged.bodies_lost:
        yield f"{count(salvaged.bodies_lost)} bodies lost; their sizes are kept where the file had them"
    if salvaged.timelines_lost:
        yield f"up to {count(salvaged.timelines_lost)} timelines of pieces lost"
    if salvaged.meta_lost:
        yield "what the recording is of is lost: its target is now called unknown"
    if salvaged.markers_lost:
        yield "markers are lost"
