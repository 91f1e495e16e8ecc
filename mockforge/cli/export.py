"""`mockforge export`: a recording for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from mockforge.cli.console import out, say
from mockforge.interop.writers import WRITERS, export_to, writer_called
from mockforge.recording.store import RecordingReader
from mockforge.report.figures import count

__all__ = ["export"]


def export(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="The recording to export.")],
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            show_default="by the ending of --out",
            help=f"{', '.join(WRITERS)}.",
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            show_default="beside the recording",
            help="The file to write; must not exist yet.",
        ),
    ] = None,
) -> None:
    """Write a recording as HAR, with everything in it, or its timings as CSV or Parquet.

    Example:

        mockforge export recordings/orders-example.mfrec --format har --out orders.har
    """
    writer = writer_called(form, into)
    path = into or recording.with_suffix(writer.ending)
    with (
        RecordingReader(recording) as reader,
        Progress(console=say, transient=True, disable=not say.is_terminal) as progress,
    ):
        number = reader.count
        watched = progress.track(reader.exchanges(), number, description="writing")
        export_to(writer, reader, iter(watched), path)
    out.print(f"{count(number)} exchanges in {path}", markup=False, soft_wrap=True)
