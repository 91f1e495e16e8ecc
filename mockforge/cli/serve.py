"""`mockforge serve`: the virtual service."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from mockforge import __version__
from mockforge.cli.admin_access import AdminOpen, AdminToken, check_admin_access
from mockforge.cli.console import say, warn
from mockforge.cli.proxy_options import (
    ProxyCa,
    ProxyInsecure,
    ProxyTimeout,
    ProxyUnmatched,
    fallback_to,
    upstream_pool,
)
from mockforge.cli.recordings_redact import redactor_for
from mockforge.cli.running import run_until_interrupted
from mockforge.engine import Engine
from mockforge.model.event import ServeEvent
from mockforge.process import room_for_connections
from mockforge.proxy.upstream import SILENCE_S, UpstreamPool
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.report.figures import count, milliseconds
from mockforge.server.admin import AdminOptions
from mockforge.server.app import MockApp
from mockforge.server.callbacks import Callbacks
from mockforge.server.http import TlsFiles, serving
from mockforge.server.lane import Lane, Limits
from mockforge.server.loops import OwnAddress
from mockforge.server.reload import follow_edits, load, load_first
from mockforge.server.run_record import exchange_of
from mockforge.sockets import listen
from mockforge.state.journal import Journal
from mockforge.state.lateness import WINDOW, LateWindow

__all__ = ["serve"]

_MOST_CONNECTIONS = 65_536

_Stubs = Annotated[Path, typer.Argument(help="A folder of stubs, or one stub file.")]
_Host = Annotated[str, typer.Option(help="Address to listen on.")]
_Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")]
_RecordRun = Annotated[Path | None, typer.Option(metavar="FILE", help="Write what is served as a recording.")]
_Seed = Annotated[
    int | None, typer.Option(help="Seed of every random draw, to repeat a run; drawn when not given.")
]
_TimeScale = Annotated[float, typer.Option(min=0, help="Multiply every delay: 0.5 for half, 0 for none.")]
_MaxBody = Annotated[
    int, typer.Option(min=1, metavar="MIB", help="Largest request body; beyond it the answer is 413.")
]
_TlsCertificate = Annotated[
    Path | None, typer.Option(metavar="PEM", help="Serve HTTPS with this certificate chain.")
]
_TlsKey = Annotated[Path | None, typer.Option(metavar="PEM", help="The certificate's private key.")]


def serve(
    stubs: _Stubs,
    host: _Host = "127.0.0.1",
    port: _Port = 8080,
    record_run: _RecordRun = None,
    seed: _Seed = None,
    time_scale: _TimeScale = 1.0,
    max_body: _MaxBody = 10,
    proxy_unmatched: ProxyUnmatched = None,
    proxy_timeout: ProxyTimeout = SILENCE_S,
    proxy_insecure: ProxyInsecure = False,
    proxy_ca: ProxyCa = None,
    tls_cert: _TlsCertificate = None,
    tls_key: _TlsKey = None,
    admin_token: AdminToken = None,
    admin_open: AdminOpen = False,
) -> None:
    """Serve a virtual service. Edits to its files are picked up. Ctrl-C ends it.

    Example:

        mockforge serve stubs/orders --port 8080 --record-run recordings/orders-mock.mfrec
    """
    check_admin_access(host, admin_token, admin_open)
    tls = TlsFiles.of(tls_cert, tls_key)
    compiled = load_first(stubs)
    read = load if compiled.service.stubs else load_first
    drawn = secrets.randbits(32) if seed is None else seed
    admin = AdminOptions(admin_token, stubs, ending := _Ending())
    upstream = upstream_pool(proxy_timeout, proxy_ca, insecure=proxy_insecure)
    room_for_connections(_MOST_CONNECTIONS)
    own = OwnAddress(host, (sock := listen(host, port)).getsockname()[1])
    fallback = fallback_to(proxy_unmatched, own)
    engine = Engine(compiled, Random(drawn), time_scale=time_scale, fallback=fallback)
    app = _app(engine, max_body, admin, upstream)
    app.stubs.stay_away_from(own)

    async def main(stop: asyncio.Event) -> None:
        ending.stop = stop
        notes = {"seed": str(drawn), "time_scale": f"{time_scale:g}"}
        with _recorded(record_run, stubs, notes, app.lane.journal):
            async with serving(app, sock, tls):
                url = f"{'https' if tls else 'http'}://{host}:{sock.getsockname()[1]}"
                _announce(app.lane.engine, url, drawn, proxy_unmatched)
                following = asyncio.create_task(follow_edits(stubs, app.stubs.take_files, _tell, read=read))
                await stop.wait()
                following.cancel()
        _conclude(app.lane, record_run)

    run_until_interrupted(main)


class _Ending:
    """Ends the command when it is called, once that runs."""

    stop: asyncio.Event | None = None

    async def __call__(self) -> None:
        if self.stop is not None:
            self.stop.set()


def _app(engine: Engine, max_body: int, admin: AdminOptions, upstream: UpstreamPool) -> MockApp:
    """The application, which warns when the mock is late, and when it is asked for more than was recorded."""
    journal = Journal()
    journal.lateness.on_late = _warn_sometimes()
    limits = Limits(body=max_body * 1024 * 1024)
    app = MockApp(engine, journal, limits=limits, admin=admin, upstream=upstream)
    app.lane.stations.on_beyond = lambda beyond: warn(str(beyond))
    return app


def _announce(engine: Engine, url: str, seed: int, fallback: str | None) -> None:
    stubs = count(len(engine.service.stubs))
    say.print(f"serving {engine.service.name} on {url}: {stubs} stubs, seed {seed} (Ctrl-C ends it)")
    if fallback is not None:
        say.print(f"what no stub matches goes on to {fallback}", markup=False)


def _warn_sometimes() -> Callable[[LateWindow], None]:
    """Warn of late windows: of the first, then of each that is twice as late as any told of."""
    told_ms = 0.0

    def on_late(window: LateWindow) -> None:
        nonlocal told_ms
        if window.p99_ms > 2 * told_ms:
            told_ms = window.p99_ms
            warn(str(window))

    return on_late


def _tell(line: str) -> None:
    if line.startswith("edit not taken"):
        warn(line)
    else:
        say.print(line, markup=False)


@contextlib.contextmanager
def _recorded(file: Path | None, stubs: Path, notes: Mapping[str, str], journal: Journal) -> Iterator[None]:
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
        notes=notes,
    )
    with RecordingWriter(file, meta, redactor=redactor_for(file, None, None)) as writer:
        journal.listeners.append(_listener(writer, started_ns))
        yield
    if writer.failure is not None:
        warn(f"{writer.failure}; {count(writer.dropped)} exchanges were not written")


def _listener(writer: RecordingWriter, started_ns: int) -> Callable[[ServeEvent], None]:
    return lambda event: writer.add(exchange_of(event, started_ns))


def _conclude_callbacks(callbacks: Callbacks) -> None:
    made, failed, dropped = callbacks.made, callbacks.failed, callbacks.dropped
    if made or failed or dropped:
        line = f"callbacks: {count(made)} made, {count(failed)} failed, {count(dropped)} dropped"
        (warn if dropped else say.print)(line)


def _conclude(lane: Lane, record_run: Path | None) -> None:
    journal = lane.journal
    line = f"served {count(journal.served)} requests, {count(journal.unmatched)} of them matched no stub"
    if journal.callers_left:
        line += f", {count(journal.callers_left)} callers left before their answer was due"
    say.print(line)
    for pool in lane.stations.figures():
        refused = count(pool.counts.queue_full), count(pool.counts.rate_limited)
        line = f"pool {pool.name}: {refused[0]} refused by a full queue, {refused[1]} by the rate limit"
        if pool.counts.beyond_recorded:
            line += f", {count(pool.counts.beyond_recorded)} served beyond what was recorded"
        say.print(line, markup=False)
    _conclude_callbacks(lane.callbacks)
    lateness = journal.lateness.total_ms
    if lateness.count:
        say.print(
            f"the mock's own lateness: p50 {milliseconds(lateness.quantile(0.5))} ms, "
            f"p99 {milliseconds(lateness.quantile(0.99))} ms, max {milliseconds(lateness.maximum)} ms"
        )
    if journal.lateness.late_windows:
        warn(
            f"the mock was late in {count(journal.lateness.late_windows)} of "
            f"{count(lateness.count // WINDOW)} windows of {count(WINDOW)} answers: there it, and not the "
            "model, was measured"
        )
    if record_run is not None:
        say.print(f"the run is in {record_run}; next: mockforge compare REAL {record_run}", markup=False)
