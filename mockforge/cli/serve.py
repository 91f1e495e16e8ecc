"""`mockforge serve`: the virtual service."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from mockforge import __version__
from mockforge.cli.console import say, warn
from mockforge.cli.running import run_until_interrupted
from mockforge.engine import Engine
from mockforge.model.event import ServeEvent
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.report.figures import count, milliseconds
from mockforge.server.app import MockApp
from mockforge.server.http import serving
from mockforge.server.reload import follow_edits, load
from mockforge.server.run_record import exchange_of
from mockforge.sockets import listen
from mockforge.state.journal import Journal

__all__ = ["serve"]


def serve(
    stubs: Annotated[Path, typer.Argument(help="A folder of stubs, or one stub file.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8080,
    record_run: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what is served as a recording.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of every random draw, to repeat a run; drawn when not given.")
    ] = None,
) -> None:
    """Serve a virtual service. Edits to its files are picked up. Ctrl-C ends it.

    Example:

        mockforge serve stubs/orders --port 8080 --record-run recordings/orders-mock.mfrec
    """
    compiled = load(stubs)
    drawn = secrets.randbits(32) if seed is None else seed
    engine = Engine(compiled, Random(drawn))
    journal = Journal()
    sock = listen(host, port)

    async def main(stop: asyncio.Event) -> None:
        with _recorded(record_run, stubs, drawn, journal):
            async with serving(MockApp(engine, journal), sock):
                shown = f"http://{host}:{sock.getsockname()[1]}"
                say.print(
                    f"serving {engine.service.name} on {shown}: {len(engine.service.stubs)} stubs, "
                    f"seed {drawn} (Ctrl-C ends it)"
                )
                following = asyncio.create_task(follow_edits(stubs, engine, _tell))
                await stop.wait()
                following.cancel()
        _conclude(journal, record_run)

    run_until_interrupted(main)


def _tell(line: str) -> None:
    if line.startswith("edit not taken"):
        warn(line)
    else:
        say.print(line, markup=False)


@contextlib.contextmanager
def _recorded(file: Path | None, stubs: Path, seed: int, journal: Journal) -> Iterator[None]:
    """Write every event of the block to `file`, where one is given."""
    if file is None:
        yield
        return
    started_ns = time.monotonic_ns()
    meta = RecordingMeta(
        kind="serve",
        target=str(stubs),
        started_wall_ns=time.time_ns(),
        program=f"mockforge {__version__}",
        notes={"seed": str(seed)},
    )
    with RecordingWriter(file, meta) as writer:
        journal.listeners.append(_listener(writer, started_ns))
        yield
    if writer.failure is not None:
        warn(f"{writer.failure}; {count(writer.dropped)} exchanges were not written")


def _listener(writer: RecordingWriter, started_ns: int) -> Callable[[ServeEvent], None]:
    return lambda event: writer.add(exchange_of(event, started_ns))


def _conclude(journal: Journal, record_run: Path | None) -> None:
    line = f"served {count(journal.served)} requests, {count(journal.unmatched)} of them matched no stub"
    if journal.callers_left:
        line += f", {count(journal.callers_left)} callers left before their answer was due"
    say.print(line)
    lateness = journal.lateness_ms
    if lateness.count:
        say.print(
            f"the mock's own lateness: p50 {milliseconds(lateness.quantile(0.5))} ms, "
            f"p99 {milliseconds(lateness.quantile(0.99))} ms, max {milliseconds(lateness.maximum)} ms"
        )
    if record_run is not None:
        say.print(f"the run is in {record_run}; next: mockforge compare REAL {record_run}", markup=False)
