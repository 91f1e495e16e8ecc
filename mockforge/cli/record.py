"""`mockforge record`: traffic through a proxy into a recording."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.live import Live

from mockforge.cli.console import out, say, table, warn
from mockforge.cli.running import run_until_interrupted
from mockforge.clock import SystemClock
from mockforge.learning.operations import Operations
from mockforge.model.exchange import Exchange
from mockforge.proxy.progress import RunStart
from mockforge.proxy.recorder import RecordingProxy, recording
from mockforge.proxy.traffic import Traffic
from mockforge.recording.store import Columns, RecordingMeta, RecordingReader, RecordingWriter
from mockforge.report.figures import count, milliseconds, rate
from mockforge.sockets import listen
from mockforge.stats.quantiles import quantiles
from mockforge.targets import Target, check_target, parse_target

__all__ = ["record"]

_LIVE_EVERY_S = 0.5
_LINE_EVERY_S = 10.0


def record(
    target: Annotated[str, typer.Option(metavar="URL", help="The backend to record.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8080,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default="recordings/HOST-PORT-TIME.mfrec",
            help="The recording to write; must not exist yet.",
        ),
    ] = None,
) -> None:
    """Record a backend: pass traffic to it, untouched, and keep every exchange with its times.

    Point the callers at this address in place of the backend's. Ctrl-C ends it and keeps what was recorded.

    Example:

        mockforge record --target http://127.0.0.1:9000 --port 8080 --out recordings/orders.mfrec
    """
    backend = parse_target(target)
    path = out or _default_path(backend)

    async def main(stop: asyncio.Event) -> None:
        await check_target(backend)
        # The address comes before the file, so that a start that fails leaves no file.
        sock = listen(host, port)
        clock = SystemClock()
        start = RunStart.of(clock)
        with contextlib.closing(sock), _writer(path, backend, start) as writer:
            traffic = Traffic()
            async with recording(
                backend, sock, _both(writer.add, traffic.add), clock=clock, start=start
            ) as proxy:
                here = f"http://{_shown(host)}:{sock.getsockname()[1]}"
                say.print(f"recording {here} -> {backend} into {path} (Ctrl-C ends it)", markup=False)
                async with _shown_live(writer, traffic, proxy, start):
                    await stop.wait()
        _conclude(path, writer)

    run_until_interrupted(main)


def _default_path(target: Target) -> Path:
    name = f"{target.host}-{target.port}".replace(":", "_")
    return Path("recordings", f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.mfrec")


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _writer(path: Path, target: Target, start: RunStart) -> RecordingWriter:
    return RecordingWriter(path, RecordingMeta("recording", str(target), start.wall_ns))


def _both(
    first: Callable[[Exchange], None], second: Callable[[Exchange], None]
) -> Callable[[Exchange], None]:
    def sink(exchange: Exchange) -> None:
        first(exchange)
        second(exchange)

    return sink


@contextlib.asynccontextmanager
async def _shown_live(
    writer: RecordingWriter, traffic: Traffic, proxy: RecordingProxy, start: RunStart
) -> AsyncIterator[None]:
    """Show the figures while the block runs: a line that changes, or a line now and then in a log."""

    def line() -> str:
        return _line(traffic, proxy.in_flight, SystemClock.now_ns() - start.now_ns)

    with Live(console=say, auto_refresh=False, transient=True) if say.is_terminal else _Log() as view:
        showing = asyncio.create_task(_show(view, line, writer))
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


async def _show(view: Live | _Log, line: Callable[[], str], writer: RecordingWriter) -> None:
    warned = False
    next_line = time.monotonic() + (_LINE_EVERY_S if isinstance(view, _Log) else 0)
    while True:
        await asyncio.sleep(_LIVE_EVERY_S)
        if writer.failure is not None and not warned:
            warned = True
            warn(f"{writer.failure}; traffic goes on unrecorded")
        if time.monotonic() >= next_line:
            next_line += _LINE_EVERY_S if isinstance(view, _Log) else _LIVE_EVERY_S
            view.update(line(), refresh=True)


def _line(traffic: Traffic, in_flight: int, run_ns: int) -> str:
    p50, p95, p99 = (milliseconds(traffic.latency_ms.quantile(q)) for q in (0.5, 0.95, 0.99))
    return (
        f"{count(traffic.count)} exchanges, {rate(traffic.rate(run_ns))}, p50 {p50} p95 {p95} p99 {p99} ms, "
        f"{count(traffic.errors)} errors, {in_flight} in flight"
    )


def _conclude(path: Path, writer: RecordingWriter) -> None:
    """The table per operation, and what to do next."""
    if writer.failure is not None:
        warn(f"{writer.failure}; {count(writer.dropped)} exchanges were not written")
    with RecordingReader(path) as reader:
        columns = reader.columns()
    if len(columns):
        heads = ("operation", "count", "errors", "rate", "p50 ms", "p95 ms", "p99 ms")
        out.print(table(f"recorded from {reader.meta.target}", heads, _rows(columns)))
    next_step = f"; next: mockforge learn {path}" if len(columns) else "; no traffic came"
    out.print(f"{count(len(columns))} exchanges in {path}{next_step}", markup=False, soft_wrap=True)


def _rows(columns: Columns) -> list[list[str]]:
    requests = list(zip(columns.method, columns.target, strict=True))
    operations = Operations.find(requests)
    names = np.array([operations.name_of(method, target) for method, target in requests])
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
