"""`mockforge import`: a recording out of what other tools wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from mockforge.cli.console import out, say, warn
from mockforge.cli.record_arguments import NoRedaction, Rules
from mockforge.cli.recordings_redact import redactor_for
from mockforge.errors import UsageError
from mockforge.interop.readers import READERS, read_source
from mockforge.interop.source import Imported, Source
from mockforge.recording.foreign.instants import UNITS
from mockforge.recording.redaction import Redactor
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.report.figures import count
from mockforge.targets import parse_target

__all__ = ["import_"]

#: Bytes that may wait for the disk, a thousand for each exchange counted in: a source is read faster than
#: a recording is written.
_AHEAD = 32_000_000


_File = Annotated[Path, typer.Argument(metavar="FILE", help="What to import; may be gzipped.")]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        show_default="recordings/NAME.mfrec",
        help="The recording to write; must not exist yet.",
    ),
]
_Form = Annotated[str, typer.Option("--format", metavar="NAME", help=f"auto, {', '.join(READERS)}.")]
_Target = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The backend that answered, where the file does not say; or the one of several to import.",
    ),
]
_LogFormat = Annotated[
    str | None,
    typer.Option(metavar="FORMAT", help="An access log's format: nginx's, Apache's, or a preset's name."),
]
_TimeUnit = Annotated[
    str | None, typer.Option(metavar="UNIT", help="Of a table's start times, where they are numbers.")
]
_DurationUnit = Annotated[
    str | None, typer.Option(metavar="UNIT", help="Of a table's durations, where its columns do not say.")
]


def import_(
    file: _File,
    into: _Out = None,
    form: _Form = "auto",
    target: _Target = None,
    log_format: _LogFormat = None,
    time_unit: _TimeUnit = None,
    duration_unit: _DurationUnit = None,
    redact: Rules = None,
    no_redact: NoRedaction = False,
) -> None:
    """Make a recording of what another tool kept: HAR, WireMock's journal, access logs, tables of timings.

    It can be learned from, replayed and compared like any other. Secrets in it are redacted.

    Example:

        mockforge import browser.har --target https://shop.example.com --out recordings/shop.mfrec
    """
    if redact is not None and no_redact:
        raise UsageError(f"--no-redact and --redact {redact} exclude each other", hint="give one of the two")
    for option, unit in (("--time-unit", time_unit), ("--duration-unit", duration_unit)):
        if unit is not None and unit not in UNITS:
            raise UsageError(f"{option} {unit!r} is no unit", hint="there are s, ms, us, ns")
    path = into or Path("recordings", f"{file.name.split('.')[0]}.mfrec")
    with Progress(console=say, transient=True, disable=not say.is_terminal) as progress:
        reading = progress.add_task("reading", total=1.0)
        source = Source(
            file,
            parse_target(target) if target else None,
            log_format,
            time_unit,
            duration_unit,
            lambda share: progress.update(reading, completed=share),
        )
        name, imported = read_source(source, form)
        progress.update(reading, completed=1.0)
        redactor = None if no_redact else redactor_for(path, redact, None)
        notes = {**imported.notes, "imported_from": file.name, "imported_format": name}
        writer = _write(path, replace(imported, notes=notes), redactor, progress)
    _conclude(writer, imported, redactor)


def _write(path: Path, imported: Imported, redactor: Redactor | None, progress: Progress) -> RecordingWriter:
    meta = RecordingMeta(imported.kind, imported.target, imported.started_wall_ns, notes=imported.notes)
    ahead = 0
    with RecordingWriter(path, meta, redactor=redactor) as writer:
        writer.note("redaction", "off" if redactor is None else lambda: redactor.report().to_json())
        for marker in imported.markers:
            writer.mark(marker)
        for exchange in progress.track(imported.exchanges, imported.count, description="writing"):
            writer.add(exchange)
            ahead += 1_000 + len(exchange.request.body)
            ahead += len(exchange.response.body) if exchange.response is not None else 0
            if ahead > _AHEAD:
                writer.flush()
                ahead = 0
    if writer.failure is not None:
        raise writer.failure
    return writer


def _conclude(writer: RecordingWriter, imported: Imported, redactor: Redactor | None) -> None:
    """What was made, what was not imported, what was redacted, and what to do next."""
    tally = imported.tally
    for remark in imported.remarks:
        warn(remark)
    if tally.bad:
        warn(f"{count(tally.bad)} could not be read; the first is {tally.first_bad}")
    if writer.unredacted:
        warn(f"{count(writer.unredacted)} exchanges could not be redacted, and were not kept")
    for why, number in tally.left_out.items():
        say.print(f"left out: {count(number)} {why}", markup=False)
    if redactor is not None and redactor.report().replaced:
        for line in redactor.report().lines():
            say.print(line, markup=False)
    out.print(
        f"{count(writer.count)} exchanges with {imported.target} in {writer.path}; "
        f"next: mockforge learn {writer.path}",
        markup=False,
        soft_wrap=True,
    )
