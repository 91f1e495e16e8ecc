"""`mockforge replay`: send the recorded load to a target, open loop."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.text import Text

from mockforge.cli.console import out, say, table, warn
from mockforge.cli.running import run_until_interrupted
from mockforge.clock import DeadlineTimer, SystemClock
from mockforge.errors import RecordingError, UsageError
from mockforge.learning.operations import Operations
from mockforge.model.exchange import Exchange
from mockforge.process import quiet, room_for_connections
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter
from mockforge.replay.schedule import Schedule, check_pace, make_schedule
from mockforge.replay.sender import DEFAULT_CAP, Limits, Sender, Wiring
from mockforge.replay.statistics import OperationStatistics, ReplayStatistics, generator_limit
from mockforge.replay.transport import HttpTransport, prepare
from mockforge.report.figures import count, milliseconds, percent, rate
from mockforge.targets import Target, check_target, parse_target

__all__ = ["replay"]

_REFRESH_S = 0.5
_PLAIN_LINE_S = 10.0
_FAILURES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done, read and checked before anything is sent."""

    source: Path
    target: Target
    schedule: Schedule
    into: Path
    timeout_s: float
    cap: int


def replay(
    recording: Annotated[Path, typer.Argument(help="A recording made by `record`, `serve` or `replay`.")],
    target: Annotated[str, typer.Option(metavar="URL", help="Where the requests go.")],
    speed: Annotated[float | None, typer.Option(help="Scale the recorded pace: 2 is twice as fast.")] = None,
    per_second: Annotated[
        float | None,
        typer.Option("--rate", metavar="N", help="Scale the recorded gaps to a mean of N requests/s."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Recording to write; default recordings/NAME-replay-TIME."
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds that a request may take.", min=0.001)] = 60.0,
    max_in_flight: Annotated[
        int, typer.Option(metavar="N", help="Requests under way at once; beyond it they are dropped.", min=1)
    ] = DEFAULT_CAP,
) -> None:
    """Send the recorded requests to a target on schedule, whatever the answers do (open loop).

    Latencies count from when a request was due, so that none is hidden by waiting for another.

    Example:

        mockforge replay recordings/orders.mfrec --target http://127.0.0.1:9000 --speed 1.5
    """
    check_pace(speed, per_second)
    where = parse_target(target)
    with RecordingReader(recording) as reader:
        exchanges = list(reader.exchanges())
    if not exchanges:
        raise RecordingError("no exchanges to replay", where=str(recording), hint="record some traffic")
    plan = _Plan(
        source=recording,
        target=where,
        schedule=make_schedule(exchanges, speed=speed, rate=per_second),
        into=into or Path("recordings") / f"{recording.stem}-replay-{time.strftime('%Y%m%d-%H%M%S')}.mfrec",
        timeout_s=timeout,
        cap=_cap(max_in_flight),
    )
    run_until_interrupted(lambda stop: _replay(plan, stop))


def _cap(wanted: int) -> int:
    room = room_for_connections(wanted)
    if room < 1:
        raise UsageError(
            "this process may open too few files to connect at all", hint="raise `ulimit -n` to 256 or more"
        )
    if room < wanted:
        warn(f"this process may open few files, so {room} requests can be under way at once (ulimit -n)")
    return room


async def _replay(plan: _Plan, stop: asyncio.Event) -> None:
    await check_target(plan.target)
    if stop.is_set():
        return
    statistics = ReplayStatistics()
    notes = {"source": str(plan.source), "speed": f"{plan.schedule.speed:g}"}
    meta = RecordingMeta("replay", str(plan.target), time.time_ns(), notes=notes)
    with RecordingWriter(plan.into, meta) as writer:
        try:
            await _send(plan, writer, statistics, stop)
        finally:
            _note_the_end(plan, writer, statistics)
    _show_end(plan, statistics)
    if writer.failure is not None:
        raise writer.failure


async def _send(
    plan: _Plan, writer: RecordingWriter, statistics: ReplayStatistics, stop: asyncio.Event
) -> None:
    """Send the schedule; every exchange goes to `writer` and `statistics`."""
    schedule = plan.schedule
    operations = Operations.find((one.request.method, one.request.target) for one in schedule.requests)
    prepared = [prepare(one.request, plan.target) for one in schedule.requests]

    def on_exchange(exchange: Exchange) -> None:
        writer.add(exchange)
        request = exchange.request
        statistics.add(exchange, exchange.operation or operations.name_of(request.method, request.target))
        if writer.failure is not None:
            stop.set()

    with contextlib.closing(DeadlineTimer(asyncio.get_running_loop())) as timer:
        async with HttpTransport(plan.timeout_s) as transport:
            wiring = Wiring(transport, SystemClock(), timer)
            sender = Sender(schedule, prepared, wiring, on_exchange, Limits(plan.cap))
            progress = asyncio.create_task(_show_progress(plan, sender, statistics))
            try:
                with quiet():
                    await sender.run(stop)
            finally:
                progress.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await progress


def _note_the_end(plan: _Plan, writer: RecordingWriter, statistics: ReplayStatistics) -> None:
    if limit := generator_limit(statistics):
        writer.note("generator_limited", limit)
    if statistics.overall.count < len(plan.schedule):
        writer.note("interrupted", f"after {statistics.overall.count} of {len(plan.schedule)} requests")


async def _show_progress(plan: _Plan, sender: Sender, statistics: ReplayStatistics) -> None:
    """A live line on a terminal, else a plain line now and then, until cancelled."""
    if not say.is_terminal:
        while True:
            await asyncio.sleep(_PLAIN_LINE_S)
            say.print(_progress_line(plan, sender, statistics), markup=False)
    # Drawn from here and not from rich's own thread: two threads would take the interpreter from the sender.
    with Live(console=say, auto_refresh=False, transient=True) as live:
        while True:
            live.update(Text(_progress_line(plan, sender, statistics)), refresh=True)
            await asyncio.sleep(_REFRESH_S)


def _progress_line(plan: _Plan, sender: Sender, statistics: ReplayStatistics) -> str:
    overall, planned = statistics.overall, len(plan.schedule)
    p50, p95 = (_ms(overall.response_ns.quantile(q)) for q in (0.5, 0.95))
    return (
        f"{count(sender.due)} of {count(planned)} due ({percent(sender.due / planned)})"
        f"  done {count(overall.count)}  in flight {count(sender.in_flight)}  errors {count(overall.errors)}"
        f"  p50 {p50} p95 {p95} ms  send lag p99 {_ms(statistics.lag_ns.quantile(0.99))} ms"
    )


def _show_end(plan: _Plan, statistics: ReplayStatistics) -> None:
    duration_s = statistics.duration_ns / 1e9
    rows = [_row(name, one, duration_s) for name, one in sorted(statistics.by_operation.items())]
    if len(rows) > 1:
        rows.append(_row("all", statistics.overall, duration_s))
    columns = ["operation", "count", "errors", "rate", "p50", "p95", "p99", "service p50"]
    title = f"{plan.source.name} to {plan.target}: ms from the due time"
    out.print(table(title, columns, rows))
    lag_ns = statistics.lag_ns
    out.print(
        f"send lag: p50 {_ms(lag_ns.quantile(0.5))} ms, p99 {_ms(lag_ns.quantile(0.99))} ms, "
        f"max {_ms(lag_ns.quantile(1))} ms"
    )
    planned, ended = len(plan.schedule), statistics.overall.count
    if ended < planned:
        warn(f"ended after {count(ended)} of {count(planned)} requests; what was gathered is kept")
    for failure, times in sorted(statistics.failures.items(), key=lambda item: -item[1])[:_FAILURES_SHOWN]:
        warn(f"{count(times)} requests failed: {failure}")
    if limit := generator_limit(statistics):
        warn(f"generator-limited, so these figures are not the target's alone: {limit}")
    out.print(f"wrote {plan.into}", markup=False)
    out.print(
        f"next: mockforge compare REAL.mfrec {plan.into} (REAL: this replay against the real backend)",
        markup=False,
        soft_wrap=True,
    )


def _row(name: str, one: OperationStatistics, duration_s: float) -> list[str]:
    return [
        name,
        count(one.count),
        count(one.errors),
        rate(one.count / duration_s) if duration_s else rate(math.nan),
        *(_ms(one.response_ns.quantile(q)) for q in (0.5, 0.95, 0.99)),
        _ms(one.service_ns.quantile(0.5)),
    ]


def _ms(nanoseconds: float) -> str:
    return milliseconds(nanoseconds / 1e6)
