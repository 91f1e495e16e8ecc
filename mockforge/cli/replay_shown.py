"""What `mockforge replay` shows: before the start, while it runs, and at its end."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

from rich.live import Live
from rich.text import Text

from mockforge.cli.console import out, say, table, warn
from mockforge.cli.replay_plan import Running
from mockforge.replay.correlation import Link
from mockforge.replay.statistics import OperationStatistics, ReplayStatistics, generator_limit
from mockforge.report.figures import count, milliseconds, percent, rate

__all__ = ["show_correlations", "show_end", "show_progress"]

_REFRESH_S = 0.5
_PLAIN_LINE_S = 10.0
_FAILURES_SHOWN = 5
_LINKS_SHOWN = 20


def show_correlations(links: list[Link], dependent: int) -> None:
    """What carries on what, before anything is sent."""
    if not links:
        say.print("correlate: no request carries what an answer had brought", markup=False)
        return
    rows = [(each.to, each.place, each.source, each.spot, count(each.times)) for each in links]
    columns = ["request", "carries at", "what this brought", "at", "times"]
    say.print(table(f"{count(dependent)} requests depend on an answer", columns, rows[:_LINKS_SHOWN]))
    if len(rows) > _LINKS_SHOWN:
        say.print(f"and {count(len(rows) - _LINKS_SHOWN)} more", markup=False)


async def show_progress(running: Running) -> None:
    """A live line on a terminal, else a plain line now and then, until cancelled."""
    if not say.is_terminal:
        while True:
            await asyncio.sleep(_PLAIN_LINE_S)
            say.print(_progress_line(running), markup=False)
    # Drawn from here and not from rich's own thread: two threads would take the interpreter from the sender.
    with Live(console=say, auto_refresh=False, transient=True) as live:
        while True:
            live.update(Text(_progress_line(running)), refresh=True)
            await asyncio.sleep(_REFRESH_S)


def _progress_line(running: Running) -> str:
    sender, statistics = running.sender, running.statistics
    overall, planned = statistics.overall, running.plan.load.schedule.count
    p50, p95 = (_ms(overall.response_ns.quantile(q)) for q in (0.5, 0.95))
    return (
        f"{count(sender.due)} of {count(planned)} due ({percent(sender.due / planned)})"
        f"  done {count(overall.count)}  in flight {count(sender.in_flight)}  errors {count(overall.errors)}"
        f"  p50 {p50} p95 {p95} ms  send lag p99 {_ms(statistics.lag_ns.quantile(0.99))} ms"
    )


def show_end(running: Running) -> None:
    """The figures, whether they can be trusted, and what comes next."""
    plan, statistics = running.plan, running.statistics
    limit = generator_limit(statistics)
    shown = table(f"{plan.load.source.name} to {plan.load.target}, in ms", _COLUMNS, _rows(statistics))
    if limit:
        shown.caption = f"invalid: generator-limited: {limit}"
        shown.caption_style = "bold red"
        shown.caption_justify = "left"
    out.print(shown)
    _show_sender(running)
    _show_what_went_wrong(running)
    if limit:
        say.print(
            f"warning: invalid: generator-limited, so these figures are not the target's alone: {limit}",
            style="red",
            markup=False,
        )
    _show_next(plan.into)


def _show_sender(running: Running) -> None:
    statistics, transport = running.statistics, running.transport
    lag_ns, seconds = statistics.lag_ns, statistics.duration_ns / 1e9
    per_second = rate(statistics.count / seconds if seconds else math.nan)
    out.print(
        f"{per_second} over {seconds:,.1f} s; response counts from the due time, service from the sending"
    )
    out.print(
        f"send lag: p50 {_ms(lag_ns.quantile(0.5))} ms, p99 {_ms(lag_ns.quantile(0.99))} ms, "
        f"max {_ms(lag_ns.quantile(1))} ms"
    )
    out.print(
        f"connections: {count(transport.opened)} opened, {count(transport.most_open)} at once; "
        f"dropped: {count(statistics.dropped)}"
    )
    if running.correlated is not None:
        out.print(
            f"correlated: {count(running.correlated.dependent)} requests carried what an answer had brought; "
            f"{count(running.correlated.uncorrelated)} were due before it and went out as recorded",
            soft_wrap=True,
        )


def _show_what_went_wrong(running: Running) -> None:
    statistics = running.statistics
    planned, ended = running.plan.load.schedule.count, statistics.count
    if ended < planned:
        warn(f"ended after {count(ended)} of {count(planned)} requests; what was gathered is kept")
    for failure, times in sorted(statistics.failures.items(), key=lambda item: -item[1])[:_FAILURES_SHOWN]:
        warn(f"{count(times)} requests failed: {failure}")


def _show_next(into: Path) -> None:
    out.print(f"wrote {into}", markup=False, soft_wrap=True)
    out.print(
        f"next: mockforge compare REAL.mfrec {into} (REAL: this replay against the real backend)",
        markup=False,
        soft_wrap=True,
    )


_COLUMNS = ["operation", "count", "errors", "response\np50", "\np95", "\np99", "service\np50", "\np99"]


def _rows(statistics: ReplayStatistics) -> list[list[str]]:
    rows = [_row(name, one) for name, one in sorted(statistics.by_operation.items())]
    if len(rows) > 1:
        rows.append(_row("all", statistics.overall))
    return rows


def _row(name: str, one: OperationStatistics) -> list[str]:
    return [
        name,
        count(one.count),
        count(one.errors),
        *(_ms(one.response_ns.quantile(q)) for q in (0.5, 0.95, 0.99)),
        *(_ms(one.service_ns.quantile(q)) for q in (0.5, 0.99)),
    ]


def _ms(nanoseconds: float) -> str:
    return milliseconds(nanoseconds / 1e6)
