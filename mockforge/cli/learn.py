"""`mockforge learn`: stubs and a performance model from a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from mockforge.cli.console import out, say, table, warn
from mockforge.errors import RecordingError
from mockforge.learning.learn import Learned, LearnedOutcome, Learner
from mockforge.recording.store import RecordingReader
from mockforge.report.figures import count, milliseconds, percent
from mockforge.stubfiles.writer import write_service

__all__ = ["learn"]


def learn(
    recording: Annotated[Path, typer.Argument(help="A recording made by `mockforge record`.")],
    into: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder to write; default stubs/NAME.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the stubs that the folder holds.")] = False,
) -> None:
    """Learn a virtual service from a recording: stub files to read, review, edit and serve.

    Example:

        mockforge learn recordings/orders.mfrec --out stubs/orders
    """
    folder = into or Path("stubs") / recording.stem
    with RecordingReader(recording) as reader:
        if not reader.count:
            raise RecordingError(
                "no exchanges to learn from", where=str(recording), hint="record some traffic"
            )
        columns = reader.columns()
        learner = Learner(list(zip(columns.method, columns.target, strict=True)))
        for exchange in track(
            reader.exchanges(), "learning", total=reader.count, console=say, transient=True
        ):
            learner.add(exchange)
        learned = learner.learn(folder.name, reader.meta.target or None, recording.name)
    if not learned.service.stubs:
        raise RecordingError("no exchange has a complete answer", where=str(recording), hint="record again")
    write_service(learned.service, folder, comments=learned.comments, overwrite=overwrite)
    _show(learned)
    say.print(f"wrote {folder}; next: mockforge serve {folder}", markup=False)


def _show(learned: Learned) -> None:
    out.print(
        table(
            f"{learned.service.name}: what was learned (latencies in ms)",
            ["operation: outcome", "n", "p50", "p95", "p99", "fit error"],
            [_row(outcome) for outcome in learned.outcomes],
        )
    )
    out.print("fit error: how far the written table is from the recorded latencies (W1 over the mean)")
    for outcome in learned.outcomes:
        for remark in (*_variants(outcome), *outcome.remarks):
            out.print(f"{outcome.operation}, {outcome.outcome}: {remark}", markup=False)
    for error, times in learned.incomplete.items():
        warn(f"{count(times)} exchanges were left out: {error}")


def _row(outcome: LearnedOutcome) -> list[str]:
    fit = outcome.fit
    statuses = ", ".join(map(str, outcome.statuses))
    return [
        f"{outcome.operation}: {statuses}, {percent(outcome.share)}",
        count(fit.count),
        milliseconds(fit.p50_ms),
        milliseconds(fit.p95_ms),
        milliseconds(fit.p99_ms),
        percent(fit.error),
    ]


def _variants(outcome: LearnedOutcome) -> list[str]:
    if outcome.variants == 1:
        return []
    chosen = f"chosen by {', '.join(outcome.by)}, else in turn" if outcome.by else "given in turn"
    return [f"{count(outcome.variants)} variants, {chosen}"]
