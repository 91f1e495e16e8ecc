"""The options of `mockforge compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "CallerMocked",
    "CallerReal",
    "Expect",
    "File",
    "Floor",
    "Map",
    "Mock",
    "MockedRuns",
    "Real",
    "RealRuns",
    "Show",
    "Tolerance",
    "Verbose",
    "WarmUpCut",
]

Real = Annotated[
    Path | None, typer.Argument(metavar="REAL", help="The real run: a recording, or a load tool's file.")
]
Mock = Annotated[Path | None, typer.Argument(metavar="MOCK", help="The mocked run: likewise.")]
RealRuns = Annotated[
    list[Path] | None,
    typer.Option("--a", metavar="FILE", help="A real run, one of several repetitions; instead of REAL."),
]
MockedRuns = Annotated[
    list[Path] | None,
    typer.Option("--b", metavar="FILE", help="A mocked run, one of several; instead of MOCK."),
]
CallerReal = Annotated[
    list[Path] | None,
    typer.Option(
        "--caller-a",
        metavar="FILE",
        help="What the load tool measured at the service that calls this one, on the real dependency.",
    ),
]
CallerMocked = Annotated[
    list[Path] | None,
    typer.Option("--caller-b", metavar="FILE", help="The same on the mocked dependency."),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="MOCK=REAL",
        help="What an operation of the mocked run is called in the real one, such as "
        "'get order=GET /orders/{id}'; * stands for anything; repeatable.",
    ),
]
Tolerance = Annotated[
    list[str] | None,
    typer.Option(
        "--tolerance",
        metavar="METRIC=BOUND",
        help="What a metric may be off, such as p95=10%, error_rate=1pp or 'GET /orders: p99=25%'; "
        "repeatable. Then the exit code is the verdict: 0, 1 outside, 3 inconclusive.",
    ),
]
Expect = Annotated[
    list[str] | None,
    typer.Option(
        "--assert",
        metavar="EXPRESSION",
        help="What has to hold, such as 'p95.deviation<10%', 'throughput.ratio>0.95' or 'gap<0.1', of all "
        "operations, of one ('GET /orders: gap<0.1') or of each ('*: gap<0.1'); repeatable.",
    ),
]
Floor = Annotated[
    float | None,
    typer.Option(
        min=0, metavar="MS", show_default="1", help="A latency's deviation of less than this is none."
    ),
]
WarmUpCut = Annotated[
    str, typer.Option(metavar="CUT", help="What to leave out at the beginning: auto, none, 10% or 5s.")
]
File = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report in this form.")]
Show = Annotated[bool, typer.Option("--open", help="Show the HTML page in a browser.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print every number.")]
