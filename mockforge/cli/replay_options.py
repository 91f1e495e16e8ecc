"""The options of `mockforge replay`, and what they come to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from mockforge.errors import UsageError
from mockforge.replay.export import EXPORTERS
from mockforge.replay.load import Load
from mockforge.replay.pace import ONCE, Pace, parse_loop, parse_ramp
from mockforge.replay.rewriting import Rewriting, Shift, parse_fields
from mockforge.targets import Target, UpstreamTls

__all__ = [
    "AbortIf",
    "AllowHost",
    "Ca",
    "Correlate",
    "Export",
    "Filter",
    "Header",
    "HostHeader",
    "Insecure",
    "LoopFor",
    "MaxInFlight",
    "MaxRate",
    "Out",
    "Poisson",
    "Ramp",
    "Rate",
    "Recording",
    "Seed",
    "ShiftDates",
    "Speed",
    "TargetUrl",
    "Timeout",
    "Unsafe",
    "check_export",
    "notes_of",
    "pace_of",
    "rewriting_of",
    "tls_of",
]

_PACE, _SAFETY, _CHANGES = "Pace", "Safety", "What is sent"

Recording = Annotated[Path, typer.Argument(help="A recording made by `record`, `serve` or `replay`.")]
TargetUrl = Annotated[str, typer.Option("--target", metavar="URL", help="Where the requests go.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Recording to write; default recordings/NAME-replay-TIME. With --export, the script.",
    ),
]
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds that a request may take.", min=0.001)]
MaxInFlight = Annotated[
    int,
    typer.Option(
        "--max-in-flight", metavar="N", help="Requests under way at once; beyond it they are dropped.", min=1
    ),
]
Export = Annotated[
    str | None,
    typer.Option(
        "--export",
        metavar="|".join(EXPORTERS),
        help="Send nothing; write the same workload for that tool to --out.",
    ),
]

Speed = Annotated[
    float | None,
    typer.Option("--speed", help="Scale the recorded pace: 2 is twice as fast.", rich_help_panel=_PACE),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        metavar="N",
        help="Scale the recorded gaps to a mean of N requests/s.",
        rich_help_panel=_PACE,
    ),
]
Poisson = Annotated[
    bool,
    typer.Option(
        "--poisson", help="Exponential gaps at the mean rate, not the recorded ones.", rich_help_panel=_PACE
    ),
]
Ramp = Annotated[
    list[str] | None,
    typer.Option(
        "--ramp",
        metavar="FROM:TO:TIME,…",
        help="A rate over time, as 50:500:60s,500:500:30s.",
        rich_help_panel=_PACE,
    ),
]
LoopFor = Annotated[
    str | None,
    typer.Option(
        "--loop",
        metavar="N|TIME",
        help="Go through the recording N times, or for a time.",
        rich_help_panel=_PACE,
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", help="Of the gaps that --poisson draws.", rich_help_panel=_PACE, min=0)
]

Filter = Annotated[
    str | None,
    typer.Option(
        "--filter",
        metavar="EXPR",
        help="Only these exchanges, as 'method=GET status<400'.",
        rich_help_panel=_CHANGES,
    ),
]
Correlate = Annotated[
    bool,
    typer.Option(
        "--correlate",
        help="Carry ids and tokens of new answers into later requests.",
        rich_help_panel=_CHANGES,
    ),
]
ShiftDates = Annotated[
    bool,
    typer.Option("--shift-dates", help="Move dates in requests from then to now.", rich_help_panel=_CHANGES),
]
Header = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        metavar="'NAME: VALUE'",
        help="Replace or add a header; the value's last word may be env:VARIABLE.",
        rich_help_panel=_CHANGES,
    ),
]
HostHeader = Annotated[
    str | None,
    typer.Option(
        "--host-header",
        metavar="HOST|keep",
        help="The Host header: the target's, this one, or the recorded.",
        rich_help_panel=_CHANGES,
    ),
]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", help="Do not check the target's certificate.", rich_help_panel=_SAFETY),
]
Ca = Annotated[
    Path | None,
    typer.Option("--ca", metavar="FILE", help="Certificates to trust, as PEM.", rich_help_panel=_SAFETY),
]
Unsafe = Annotated[
    bool,
    typer.Option("--unsafe", help="Send POST, PUT, PATCH, DELETE and the like too.", rich_help_panel=_SAFETY),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        metavar="HOST",
        help="A host other than this machine that may be loaded.",
        rich_help_panel=_SAFETY,
    ),
]
MaxRate = Annotated[
    float | None,
    typer.Option(
        "--max-rate",
        metavar="N",
        help="Refuse a schedule with more than N requests in any second.",
        rich_help_panel=_SAFETY,
        min=0,
    ),
]
AbortIf = Annotated[
    list[str] | None,
    typer.Option(
        "--abort-if",
        metavar="CONDITION",
        help="End the run at 'error_rate>5%' or 'p95>2s' over 10 s.",
        rich_help_panel=_SAFETY,
    ),
]


def pace_of(
    speed: float | None,
    rate: float | None,
    ramp: Iterable[str],
    loop: str | None,
    *,
    poisson: bool,
    seed: int,
) -> Pace:
    """The pace that was asked for. Raises UsageError where there is none such."""
    steps = tuple(segment for text in ramp for segment in parse_ramp(text))
    return Pace(speed, rate, steps, ONCE if loop is None else parse_loop(loop), poisson, seed)


def check_export(
    tool: str | None, out: Path | None, headers: Iterable[str], *, correlate: bool
) -> Path | None:
    """Where to export to, if at all; raises UsageError where the tool cannot have what is asked."""
    if tool is None:
        return None
    if tool not in EXPORTERS:
        raise UsageError(f"--export is {tool!r}", hint=f"one of {', '.join(EXPORTERS)}")
    if out is None:
        raise UsageError(f"--export {tool} needs a file to write", hint="add --out FILE")
    if any("env:" in header for header in headers):
        raise UsageError(
            "--header with env: would write the variable's value to the exported file",
            hint="leave it away, and add the header in the script",
        )
    if correlate:
        raise UsageError(
            f"--correlate cannot be exported: {tool} would send what was recorded", hint="leave it away"
        )
    return out


def rewriting_of(headers: Iterable[str], *, shift_dates: bool, recorded_wall_ns: int) -> Rewriting:
    """What is to be changed in the requests of a recording that began at `recorded_wall_ns`."""
    shift = None
    if shift_dates:
        around = datetime.fromtimestamp(recorded_wall_ns / 1e9, UTC)
        seconds = round((datetime.now(UTC) - around).total_seconds())
        shift = Shift(timedelta(seconds=seconds), around)
    return Rewriting(parse_fields(headers, os.environ), shift)


def tls_of(target: Target, ca: Path | None, *, insecure: bool) -> UpstreamTls:
    """How to speak TLS with a target. Raises UsageError where the options do not fit."""
    if not target.tls and (ca is not None or insecure):
        option = "--ca" if ca is not None else "--insecure"
        raise UsageError(f"{option} is for https, and the target is {target}", hint="leave it away")
    if ca is not None and insecure:
        raise UsageError("--ca and --insecure exclude each other", hint="give one of the two")
    return UpstreamTls(insecure, ca)


def notes_of(load: Load, pace: Pace, expression: str | None, *, unsafe: bool) -> dict[str, str]:
    """How the new recording was made, in the words of the command line.

    Where the recorded gaps are scaled that is a `speed`, also of a `rate`.
    """
    notes = {"source": str(load.source)}
    if load.schedule.speed is not None:
        notes["speed"] = f"{load.schedule.speed:g}"
    elif pace.rate is not None:
        notes["rate"] = f"{pace.rate:g}"
    if pace.poisson:
        notes |= {"poisson": "yes", "seed": str(pace.seed)}
    if pace.ramp:
        notes["ramp"] = ",".join(f"{step.start:g}:{step.end:g}:{step.seconds:g}s" for step in pace.ramp)
    if pace.loop != ONCE:
        notes["loop"] = str(pace.loop.rounds or f"{pace.loop.seconds:g}s")
    if expression is not None:
        notes["filter"] = expression
    if unsafe:
        notes["unsafe"] = "yes"
    return notes
