"""What `mockforge record` shows: a line while it records, a table at its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.live import Live

from mockforge.cli.console import out, say, table, warn
from mockforge.learning.operations import Operations
from mockforge.proxy.traffic import Traffic
from mockforge.recording.redaction import Redactor
from mockforge.recording.store import Columns, RecordingReader, RecordingWriter
from mockforge.report.figures import count, milliseconds, rate
from mockforge.stats.quantiles import quantiles

__all__ = ["conclude", "shown_live"]

_LIVE_EVERY_S = 0.5
_LINE_EVERY_S = 10.0


@contextlib.asynccontextmanager
async def shown_live(
    writers: Sequence[RecordingWriter], traffic: Traffic, in_flight: Callable[[], int], started_ns: int
) -> AsyncIterator[None]:
    """Show the figures while the block runs: a line that changes, or a line now and then in a log."""

    def line() -> str:
        return _line(traffic, in_flight(), time.monotonic_ns() - started_ns)

    with Live(console=say, auto_refresh=False, transient=True) if say.is_terminal else _Log() as view:
        showing = asyncio.create_task(_show(view, line, writers))
        try:
            yield
        finally:
            showing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await showing


class _Log:
    """Takes the place of a Live where standard error is no terminal."""

    def __enter__(self) -> _Log:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, line: str, *, refresh: bool) -> None:
        say.print(line, markup=False)


async def _show(view: Live | _Log, line: Callable[[], str], writers: Sequence[RecordingWriter]) -> None:
    told: set[str] = set()
    next_line = time.monotonic() + (_LINE_EVERY_S if isinstance(view, _Log) else 0)
    while True:
        await asyncio.sleep(_LIVE_EVERY_S)
        for notice in _notices(writers):
            if notice not in told:
                told.add(notice)
                warn(notice)
        if time.monotonic() >= next_line:
            next_line += _LINE_EVERY_S if isinstance(view, _Log) else _LIVE_EVERY_S
            view.update(line(), refresh=True)


def _notices(writers: Iterable[RecordingWriter]) -> Iterable[str]:
    """What a person should hear of while the traffic passes."""
    for writer in writers:
        yield from (f"{writer.path}: {notice}" for notice in writer.notices)
        if writer.failure is not None:
            yield f"{writer.failure}; traffic goes on unrecorded"


def _line(traffic: Traffic, in_flight: int, run_ns: int) -> str:
    p50, p95, p99 = (milliseconds(traffic.latency_ms.quantile(q)) for q in (0.5, 0.95, 0.99))
    return (
        f"{count(traffic.count)} exchanges, {rate(traffic.rate(run_ns))}, p50 {p50} p95 {p95} p99 {p99} ms, "
        f"{count(traffic.errors)} errors, {in_flight} in flight"
    )


def conclude(writer: RecordingWriter, redactor: Redactor | None) -> None:
    """The table per operation, what was not kept or redacted, and what to do next."""
    path = writer.path
    if writer.failure is not None:
        warn(f"{writer.failure}; {count(writer.dropped)} exchanges were not written")
    elif writer.dropped:
        warn(f"{count(writer.dropped)} exchanges came after the bound of {path} was reached")
    if writer.unredacted:
        warn(f"{count(writer.unredacted)} exchanges could not be redacted, and were not kept")
    with RecordingReader(path) as reader:
        columns, target = reader.columns(), reader.meta.target
    if len(columns):
        heads = ("operation", "count", "errors", "rate", "p50 ms", "p95 ms", "p99 ms")
        out.print(table(f"recorded from {target}", heads, _rows(columns)))
    if redactor is not None and redactor.report().replaced:
        for line in redactor.report().lines():
            out.print(line, markup=False, soft_wrap=True)
    _next_step(path, len(columns))


def _next_step(path: Path, exchanges: int) -> None:
    next_step = f"; next: mockforge learn {path}" if exchanges else "; no traffic came"
    out.print(f"{count(exchanges)} exchanges in {path}{next_step}", markup=False, soft_wrap=True)


def _rows(columns: Columns) -> list[list[str]]:
    requests = list(zip(columns.method, columns.target, strict=True))
    name_of = Operations.find(requests).names(requests)
    names = np.array([name_of[request] for request in requests])
    ends = columns.arrived_ns + columns.total_ns
    duration_s = float(ends.max() - columns.arrived_ns.min()) / 1e9
    rows = []
    for name in np.unique(names):
        of_it = names == name
        levels = quantiles(columns.total_ns[of_it] / 1e6, (0.5, 0.95, 0.99))
        number = int(of_it.sum())
        figures = [count(number), count(int(columns.failed[of_it].sum())), rate(number / duration_s)]
        rows.append([str(name), *figures, *(milliseconds(float(level)) for level in levels)])
    return rows
