"""`mockforge record`: traffic through a proxy into a recording."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mockforge.cli.console import say
from mockforge.cli.project_options import Only, ProjectFile
from mockforge.cli.record_arguments import (
    AdminPort,
    Authorities,
    CallerCertificate,
    CallerKey,
    ClientCertificate,
    ClientKey,
    Forward,
    Host,
    HostField,
    Insecure,
    KeepBody,
    Most,
    NoRedaction,
    Out,
    Port,
    Rules,
    Silence,
    Targets,
    WhenFull,
)
from mockforge.cli.record_markers import Marking, marked_by_signal, marked_over_http
from mockforge.cli.record_options import Kept, Tapped, kept, size_of, tapped, tapped_services
from mockforge.cli.record_shown import conclude, shown_live
from mockforge.cli.running import run_until_interrupted
from mockforge.clock import SystemClock
from mockforge.errors import UsageError
from mockforge.interop.forward_proxy import ForwardProxyOptions, run_forward_proxy
from mockforge.model.exchange import Exchange, Marker
from mockforge.project.reader import Project, find_project
from mockforge.proxy.progress import RunStart
from mockforge.proxy.recorder import ProxyOptions, RecordingProxy, recording
from mockforge.proxy.traffic import Traffic
from mockforge.recording.redaction import Redactor
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.server.http import TlsFiles
from mockforge.sockets import listen
from mockforge.targets import UpstreamTls, check_target

__all__ = ["record"]

_FORWARD = Path("recordings", "forward.mfrec")


def record(
    target: Targets = None,
    host: Host = "127.0.0.1",
    port: Port = 8080,
    out: Out = None,
    host_header: HostField = "target",
    timeout: Silence = None,
    insecure: Insecure = False,
    ca: Authorities = None,
    client_cert: ClientCertificate = None,
    client_key: ClientKey = None,
    tls_cert: CallerCertificate = None,
    tls_key: CallerKey = None,
    keep_body: KeepBody = "8MB",
    max_size: Most = None,
    when_full: WhenFull = "stop",
    redact: Rules = None,
    no_redact: NoRedaction = False,
    admin_port: AdminPort = None,
    forward_proxy: Forward = False,
    project: ProjectFile = None,
    only: Only = None,
) -> None:
    """Record a backend, or all of a project: pass traffic on untouched, keep every exchange with its times.

    Point the callers at this address in place of the backend's. Secrets give way to pseudonyms before
    anything is written. Ctrl-C ends it and keeps what was recorded; SIGUSR1 marks a phase.

    Example:

        mockforge record --target http://127.0.0.1:9000 --port 8080 --out recordings/orders.mfrec
    """
    keeping = kept(redact, found := find_project(project), off=no_redact, most=max_size, when_full=when_full)
    run = _Run(host, keeping, admin_port)
    size = size_of(keep_body)
    if forward_proxy:
        if target or tls_cert or client_cert:
            raise UsageError("--forward-proxy takes no --target and no certificates of its own")
        asked = ForwardProxyOptions(run.take, host, port, trusted_ca=ca, insecure=insecure, keep_body=size)
        run_until_interrupted(lambda stop: run.forward(asked, out or _FORWARD, stop))
        return
    options = ProxyOptions(
        host=None if host_header == "target" else host_header,
        keep_body=size,
        timeout_s=timeout,
        tls=UpstreamTls(insecure, ca, client_cert, client_key),
        caller_tls=None if (tls := TlsFiles.of(tls_cert, tls_key)) is None else tls.context(),
    )
    backends = _backends(found, target or (), only or (), port, out)
    run_until_interrupted(lambda stop: run.reverse(backends, options, stop))


def _backends(
    project: Project | None, targets: Sequence[str], only: Sequence[str], port: int, out: Path | None
) -> list[Tapped]:
    """Those of the command line, else the project's."""
    if project is not None and not targets:
        return tapped_services(project.only(tuple(only)), out)
    if only:
        raise UsageError("--only goes with a project", hint="leave --target away, or give --project FILE")
    return tapped(targets, port, out)


@dataclass(frozen=True, slots=True)
class _Written:
    """One recording of the run, and what redacts it."""

    writer: RecordingWriter
    redactor: Redactor | None


class _Run:
    """One run of the command: its recordings, and what is shown and marked while it lasts."""

    def __init__(self, host: str, keeping: Kept, admin_port: int | None) -> None:
        self._host = host
        self._keeping = keeping
        self._admin_port = admin_port
        self._clock = SystemClock()
        self._start = RunStart.of(self._clock)
        self._traffic = Traffic()
        self._written: list[_Written] = []
        self._proxies: list[RecordingProxy] = []

    async def reverse(self, backends: list[Tapped], options: ProxyOptions, stop: asyncio.Event) -> None:
        """Tap every backend until `stop` is set."""
        for backend in backends:
            await check_target(backend.target, tls=options.tls)
        async with contextlib.AsyncExitStack() as stack:
            # The addresses come before the files, so that a start that fails leaves no file.
            socks = [self._listen(stack, backend.port) for backend in backends]
            admin = None if self._admin_port is None else self._listen(stack, self._admin_port)
            scheme = "https" if options.caller_tls else "http"
            for backend, sock in zip(backends, socks, strict=True):
                writer = self._open(stack, backend.path, str(backend.target))
                sink = self._into(writer)
                self._proxies.append(
                    await stack.enter_async_context(
                        recording(
                            backend.target, sock, sink, clock=self._clock, start=self._start, options=options
                        )
                    )
                )
                here = f"{scheme}://{self._address(sock)}"
                say.print(
                    f"recording {here} -> {backend.target} into {backend.path} (Ctrl-C ends it)", markup=False
                )
            await self._until(stop, admin)
        self._conclude()

    async def forward(self, asked: ForwardProxyOptions, path: Path, stop: asyncio.Event) -> None:
        """Be a forward proxy until `stop` is set."""
        async with contextlib.AsyncExitStack() as stack:
            admin = None if self._admin_port is None else self._listen(stack, self._admin_port)
            self._open(stack, path, "")

            def listening(_: object, address: str) -> None:
                say.print(f"forward proxy on {address} into {path} (Ctrl-C ends it)", markup=False)

            told = replace(asked, started_wall_ns=self._start.wall_ns, listening=listening)
            proxying = asyncio.create_task(run_forward_proxy(told, stop))
            proxying.add_done_callback(lambda _: stop.set())
            await self._until(stop, admin)
            await proxying
        self._conclude()

    def take(self, exchange: Exchange) -> None:
        """The sink of a run with one recording."""
        self._written[0].writer.add(exchange)
        self._traffic.add(exchange)

    def _into(self, writer: RecordingWriter) -> Callable[[Exchange], None]:
        def sink(exchange: Exchange) -> None:
            writer.add(exchange)
            self._traffic.add(exchange)

        return sink

    def _listen(self, stack: contextlib.AsyncExitStack, port: int) -> socket.socket:
        return stack.enter_context(contextlib.closing(listen(self._host, port)))

    def _open(self, stack: contextlib.AsyncExitStack, path: Path, target: str) -> RecordingWriter:
        """A recording that is closed with the stack; what was redacted stands in its notes then."""
        redactor = self._keeping.redactor(path)
        meta = RecordingMeta("recording", target, self._start.wall_ns)
        writer = RecordingWriter(path, meta, redactor=redactor, bounds=self._keeping.bounds)
        stack.callback(writer.close)
        writer.note("redaction", "off" if redactor is None else lambda: redactor.report().to_json())
        self._written.append(_Written(writer, redactor))
        return writer

    async def _until(self, stop: asyncio.Event, admin: socket.socket | None) -> None:
        """Show figures, take markers, and wait."""
        writers = [one.writer for one in self._written]

        def mark(marker: Marker) -> None:
            for writer in writers:
                writer.mark(marker)

        marking = Marking(self._clock, self._start, mark)
        if admin is not None:
            say.print(f"markers: http://{self._address(admin)}/__admin/markers", markup=False)
        async with (
            marked_over_http(marking, admin),
            shown_live(writers, self._traffic, self._in_flight, self._start.now_ns),
        ):
            with marked_by_signal(marking, lambda label: say.print(f"marked: {label}", markup=False)):
                await stop.wait()

    def _in_flight(self) -> int:
        return sum(proxy.in_flight for proxy in self._proxies)

    def _address(self, sock: socket.socket) -> str:
        shown = f"[{self._host}]" if ":" in self._host else self._host
        return f"{shown}:{sock.getsockname()[1]}"

    def _conclude(self) -> None:
        for one in self._written:
            conclude(one.writer, one.redactor)
