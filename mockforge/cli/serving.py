"""The services of one `mockforge serve`: made, listened for, followed in their files, recorded, told of."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from mockforge import __version__
from mockforge.cli.console import say, warn
from mockforge.cli.proxy_options import Passing, fallback_to
from mockforge.cli.recordings_redact import redactor_for
from mockforge.compiling import CompiledService
from mockforge.engine import Engine
from mockforge.errors import StubFileError
from mockforge.model.event import ServeEvent
from mockforge.project.reader import ProjectService
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.report.figures import count, milliseconds
from mockforge.server.admin import AdminOptions
from mockforge.server.admin.context import ServedService
from mockforge.server.app import MockApp
from mockforge.server.callbacks import Callbacks
from mockforge.server.hosts import Hosts
from mockforge.server.http import Listening
from mockforge.server.lane import Limits
from mockforge.server.loops import OwnAddress
from mockforge.server.reload import follow_edits, load, load_first
from mockforge.server.run_record import exchange_of
from mockforge.sockets import listen
from mockforge.state.journal import Journal
from mockforge.state.lateness import WINDOW, LateWindow

__all__ = ["Ending", "Serving", "ServingOptions"]


class Ending:
    """Ends the command when it is called, once that runs."""

    stop: asyncio.Event | None = None

    async def __call__(self) -> None:
        if self.stop is not None:
            self.stop.set()


@dataclass(frozen=True, slots=True)
class ServingOptions:
    """What holds for every service of the command; `record_run` is a folder where there are several."""

    host: str = "127.0.0.1"
    scheme: str = "http"
    seed: int | None = None
    time_scale: float = 1.0
    max_body: int = 10
    admin_token: str | None = None
    record_run: Path | None = None
    passing: Passing = field(default_factory=Passing)


@dataclass(frozen=True, slots=True)
class _Read:
    """A service whose files were read, and how they are read again."""

    entry: ProjectService
    compiled: CompiledService
    seed: int
    read: Callable[[Path], CompiledService]


@dataclass(frozen=True, slots=True)
class _Running:
    """A service that is served, and the recording of its run."""

    entry: ProjectService
    app: MockApp
    seed: int
    read: Callable[[Path], CompiledService]
    record_run: Path | None
    #: Where what matches no stub goes on to.
    unmatched: str | None


@dataclass(slots=True)
class Serving:
    """Services that share the options, the admin API and the end; `listed` once they listen."""

    options: ServingOptions
    ending: Ending = field(default_factory=Ending)
    _read: list[_Read] = field(default_factory=list)
    _running: list[_Running] = field(default_factory=list)
    listed: list[ServedService] = field(default_factory=list)

    def read(self, entries: Sequence[ProjectService]) -> None:
        """Read and compile every service; raises one StubFileError with the problems of all of them."""
        problems: list[str] = []
        drawn = secrets.randbits(32) if self.options.seed is None else self.options.seed
        for entry in entries:
            try:
                compiled = _of_entry(entry, load_first)(entry.stubs)
            except StubFileError as error:
                problems += error.problems or (str(error),)
                continue
            # Each draws by a seed of its own, which others that come or go do not change; a service that is
            # served alone has no name here, and the seed itself.
            seed = drawn ^ zlib.crc32(entry.name.encode())
            seed = seed if entry.seed is None or self.options.seed is not None else entry.seed
            read = _of_entry(entry, load if compiled.service.stubs else load_first)
            self._read.append(_Read(entry, compiled, seed, read))
        if problems:
            raise StubFileError(problems[0], problems=tuple(problems))

    def listen(self) -> list[Listening]:
        """Every port, with the services that are told apart by host on it; raises AddressError."""
        by_port: dict[int | str, list[_Read]] = {}
        for read in self._read:
            alone = read.entry.port == 0 and read.entry.host is None
            by_port.setdefault(read.entry.name if alone else read.entry.port, []).append(read)
        ports = []
        for port, here in by_port.items():
            sock = listen(self.options.host, port if isinstance(port, int) else 0)
            apps = {read.entry.host: self._run(read, sock) for read in here}
            shared = len(apps) > 1 or None not in apps
            ports.append(Listening(sock, Hosts(apps) if shared else apps[None]))
        return ports

    def announce(self) -> None:
        """A line for each service."""
        for service, running in zip(self.listed, self._running, strict=True):
            named = "" if service.host is None else f" (Host: {service.host})"
            stubs = count(len(service.app.stubs))
            say.print(
                f"serving {service.name} on {service.url}{named}: {stubs} stubs, seed {service.seed} "
                "(Ctrl-C ends it)",
                markup=False,
            )
            if running.unmatched is not None:
                say.print(f"what no stub matches goes on to {running.unmatched}", markup=False)

    @contextlib.contextmanager
    def followed_and_recorded(self) -> Iterator[None]:
        """Take edits of files, and write runs down where that was asked, while the block runs."""
        with contextlib.ExitStack() as stack:
            for running in self._running:
                stack.enter_context(_recorded(running, self.options.time_scale))
                following = asyncio.create_task(
                    follow_edits(
                        running.entry.stubs,
                        running.app.stubs.take_files,
                        self._tell(running),
                        read=running.read,
                    )
                )
                stack.callback(following.cancel)
            yield

    def tell_of_the_end(self) -> None:
        """Say what is waited for, where something is."""
        owed = sum(running.app.lane.in_flight for running in self._running)
        if owed:
            say.print(
                f"{count(owed)} requests are in flight and are finished first (Ctrl-C again ends at once)"
            )

    def conclude(self) -> None:
        """What each service did."""
        for running in self._running:
            _conclude(running.app, running.record_run, running.entry.name if len(self._running) > 1 else None)

    def _run(self, read: _Read, sock: socket.socket) -> MockApp:
        """The service's application, listed among those that are served."""
        entry, options = read.entry, self.options
        own = OwnAddress(options.host, sock.getsockname()[1])
        asked = f"{entry.name}: the upstream" if entry.proxy_unmatched else "--proxy-unmatched"
        unmatched = entry.upstream if entry.proxy_unmatched else options.passing.unmatched
        fallback = fallback_to(unmatched, own, asked)
        engine = Engine(read.compiled, Random(read.seed), time_scale=options.time_scale, fallback=fallback)
        app = self._app(engine, entry)
        app.stubs.stay_away_from(own)
        into = options.record_run
        file = into / f"{entry.name}.mfrec" if into is not None and len(self._read) > 1 else into
        self._running.append(_Running(entry, app, read.seed, read.read, file, unmatched))
        host = f"[{own.host}]" if ":" in own.host else own.host
        url = f"{options.scheme}://{host}:{own.port}"
        self.listed.append(ServedService(engine.service.name, url, entry.host, read.seed, app))
        return app

    def _app(self, engine: Engine, entry: ProjectService) -> MockApp:
        """An application that warns when it is late, and when it is asked for more than was recorded."""
        journal = Journal()
        journal.lateness.on_late = _warn_sometimes()
        admin = AdminOptions(self.options.admin_token, entry.stubs, self.ending, self.listed)
        limits = Limits(body=self.options.max_body * 1024 * 1024)
        app = MockApp(engine, journal, limits=limits, admin=admin, upstream=self.options.passing.pool())
        app.lane.stations.on_beyond = lambda beyond: warn(str(beyond))
        return app

    def _tell(self, running: _Running) -> Callable[[str], None]:
        whose = f"{running.entry.name}: " if len(self._running) > 1 else ""

        def tell(line: str) -> None:
            if line.startswith("edit not taken"):
                warn(f"{whose}{line}")
            else:
                say.print(f"{whose}{line}", markup=False)

        return tell


def _of_entry(
    entry: ProjectService, read: Callable[[Path], CompiledService]
) -> Callable[[Path], CompiledService]:
    """Reads stubs as those of the project's service: with its name, where it gives one, and its upstream."""

    def read_as(path: Path) -> CompiledService:
        compiled = read(path)
        service = compiled.service
        named = replace(service, name=entry.name or service.name, upstream=entry.upstream or service.upstream)
        return replace(compiled, service=named)

    return read_as


def _warn_sometimes() -> Callable[[LateWindow], None]:
    """Warn of late windows: of the first, then of each that is twice as late as any told of."""
    told_ms = 0.0

    def on_late(window: LateWindow) -> None:
        nonlocal told_ms
        if window.p99_ms > 2 * told_ms:
            told_ms = window.p99_ms
            warn(str(window))

    return on_late


@contextlib.contextmanager
def _recorded(running: _Running, time_scale: float) -> Iterator[None]:
    """Write every event of the block, where that was asked."""
    file = running.record_run
    if file is None:
        yield
        return
    started_ns = time.monotonic_ns()
    meta = RecordingMeta(
        kind="serve",
        target=str(running.entry.stubs),
        started_wall_ns=time.time_ns(),
        program=f"mockforge {__version__}",
        notes={"seed": str(running.seed), "time_scale": f"{time_scale:g}"},
    )
    with RecordingWriter(file, meta, redactor=redactor_for(file, None, None)) as writer:
        running.app.lane.journal.listeners.append(_listener(writer, started_ns))
        yield
    if writer.failure is not None:
        warn(f"{writer.failure}; {count(writer.dropped)} exchanges were not written")


def _listener(writer: RecordingWriter, started_ns: int) -> Callable[[ServeEvent], None]:
    return lambda event: writer.add(exchange_of(event, started_ns))


def _conclude(app: MockApp, record_run: Path | None, name: str | None) -> None:
    """What a service did; where there are several, each line begins with its `name`."""
    whose = "" if name is None else f"{name}: "
    journal, stations = app.lane.journal, app.lane.stations
    line = f"served {count(journal.served)} requests, {count(journal.unmatched)} of them matched no stub"
    if journal.faults:
        line += f", {count(journal.faults.total())} got a fault"
    if journal.callers_left:
        line += f", {count(journal.callers_left)} callers left before their answer was due"
    say.print(f"{whose}{line}", markup=False)
    for pool in stations.figures():
        refused = count(pool.counts.queue_full), count(pool.counts.rate_limited)
        line = f"pool {pool.name}: {refused[0]} refused by a full queue, {refused[1]} by the rate limit"
        if pool.counts.timed_out:
            line += f", {count(pool.counts.timed_out)} not served in time"
        if pool.counts.beyond_recorded:
            line += f", {count(pool.counts.beyond_recorded)} served beyond what was recorded"
        say.print(f"{whose}{line}", markup=False)
    _conclude_callbacks(app.lane.callbacks, whose)
    lateness = journal.lateness.total_ms
    if lateness.count:
        say.print(
            f"{whose}the mock's own lateness: p50 {milliseconds(lateness.quantile(0.5))} ms, "
            f"p99 {milliseconds(lateness.quantile(0.99))} ms, max {milliseconds(lateness.maximum)} ms",
            markup=False,
        )
    if journal.lateness.late_windows:
        warn(
            f"{whose}the mock was late in {count(journal.lateness.late_windows)} of "
            f"{count(lateness.count // WINDOW)} windows of {count(WINDOW)} answers: there it, and not the "
            "model, was measured"
        )
    if record_run is not None:
        line = f"the run is in {record_run}; next: mockforge compare REAL {record_run}"
        say.print(f"{whose}{line}", markup=False)


def _conclude_callbacks(callbacks: Callbacks, whose: str) -> None:
    made, failed, dropped = callbacks.made, callbacks.failed, callbacks.dropped
    if made or failed or dropped:
        line = f"{whose}callbacks: {count(made)} made, {count(failed)} failed, {count(dropped)} dropped"
        (warn if dropped else say.print)(line)
