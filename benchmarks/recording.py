"""The recorder: what it adds to a call, how much it records, what it holds, and whether its times hold."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.bounds import Bound, judged, no_errors
from benchmarks.measure import Bench, Figures, Measured, Row
from benchmarks.peers import wiremock_command
from benchmarks.processes import NotRunError, Probe, Running, free_port, pinned, running, wait_until_answered
from benchmarks.results import Contestant
from benchmarks.wrk import Wrk
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter

__all__ = ["ROWS"]

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent
_RATE = 500
#: Its worker would else be somebody who may not read our files.
_AS_ROOT = "user root; " if os.geteuid() == 0 else ""
_KILOBYTE = "x" * 1_000
_DOWNLOAD_BYTES = 10**9


@dataclass(frozen=True, slots=True)
class Proxy:
    """`command(port, target, recording)` gives the command line; NotRunError where it is not installed."""

    name: str
    command: Callable[[int, str, Path], list[str]]
    warmth: float = 1.0


def _mockforge(port: int, target: str, file: Path) -> list[str]:
    command = [sys.executable, "-m", "mockforge", "record", "--target", target]
    return [*command, "--port", str(port), "--out", str(file)]


def _bare(port: int, target: str, _: Path) -> list[str]:
    return [sys.executable, str(_HERE / "bare_proxy.py"), "--port", str(port), "--target", target]


def _mitmproxy(port: int, target: str, file: Path) -> list[str]:
    program = shutil.which("mitmdump")
    if program is None:
        raise NotRunError("mitmdump is not installed (pip install mitmproxy)")
    options = ["--quiet", "--listen-host", "127.0.0.1", "--listen-port", str(port)]
    return [program, *options, "--mode", f"reverse:{target}", "--save-stream-file", str(file)]


def _wiremock(port: int, target: str, file: Path) -> list[str]:
    options = ["--port", str(port), "--root-dir", str(file.parent), "--disable-banner"]
    return [*wiremock_command(), *options, f"--proxy-all={target}", "--record-mappings"]


_OURS = Proxy("MockForge", _mockforge)
_PROXIES = (
    _OURS,
    Proxy("bare aiohttp pass-through, records nothing", _bare),
    Proxy("mitmproxy", _mitmproxy),
    Proxy("WireMock", _wiremock, 2.0),
)


@contextlib.contextmanager
def _nginx(bench: Bench, folder: Path) -> Iterator[Running]:
    """nginx on the load's core: `/` gives 1 kB, `/download` a large file."""
    program = shutil.which("nginx")
    if program is None:
        raise NotRunError("nginx is not installed")
    port = free_port()
    root = folder / "root"
    root.mkdir()
    with (root / "download").open("wb") as file:
        file.truncate(_DOWNLOAD_BYTES)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; {_AS_ROOT}worker_processes 1; error_log stderr warn; pid {folder}/nginx.pid;\n"
        "events { worker_connections 4096; }\n"
        "http { access_log off; keepalive_requests 1000000000; sendfile on;\n"
        + "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi"))
        + "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("uwsgi", "scgi"))
        + f"server {{ listen 127.0.0.1:{port} backlog=4096; root {root};\n"
        f"location = /download {{ }} location / {{ return 200 '{_KILOBYTE}'; }} }} }}\n"
    )
    command = pinned(bench.load_core, [program, "-p", str(folder), "-e", "stderr", "-c", str(config)])
    with running(command, port, folder / "nginx.log") as server:
        wait_until_answered(server, Probe("/"), ready_s=20)
        yield server


@contextlib.contextmanager
def _proxied(bench: Bench, proxy: Proxy, target: Running, folder: Path) -> Iterator[Running]:
    """The proxy on the server's core, its recording in `folder`."""
    port = free_port()
    command = pinned(bench.server_core, proxy.command(port, target.url(""), folder / "run.mfrec"))
    folder.mkdir(exist_ok=True)
    with running(command, port, folder / "proxy.log") as process:
        wait_until_answered(process, Probe("/"), ready_s=60)
        yield process


def _each(
    bench: Bench, proxies: tuple[Proxy, ...], measure: Callable[[Proxy, Path], Figures]
) -> tuple[Contestant, ...]:
    """Every round measures each proxy; one that cannot be run is left out from then on."""
    figures: dict[str, list[Figures]] = {proxy.name: [] for proxy in proxies}
    missing: dict[str, str] = {}
    for number in range(1, bench.scale.rounds + 1):
        for proxy in proxies:
            if proxy.name in missing:
                continue
            try:
                with tempfile.TemporaryDirectory(prefix="mockforge-bench-") as folder:
                    found = measure(proxy, Path(folder))
            except NotRunError as error:
                missing[proxy.name] = str(error)
                bench.say(f"  round {number}: {proxy.name}: not run: {error}")
                continue
            figures[proxy.name].append(found)
            shown = ", ".join(f"{key} {value:,.3f}" for key, value in found.items())
            bench.say(f"  round {number}: {proxy.name}: {shown}")
    return tuple(
        Contestant(name, missing=missing[name]) if name in missing else Contestant(name, tuple(each))
        for name, each in figures.items()
    )


def _paced(bench: Bench, direct: Running, through: Running, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.pacing", "--direct", str(direct.port)]
    command += ["--through", str(through.port), "--rate", str(_RATE), "--seconds", str(seconds)]
    done = subprocess.run(
        pinned(bench.load_core, command), cwd=_ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NotRunError(f"the load client: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def latency(bench: Bench) -> Measured:
    """What recording adds to a call at a steady 500 requests/s."""

    def measure(proxy: Proxy, folder: Path) -> Figures:
        with _nginx(bench, folder) as target, _proxied(bench, proxy, target, folder / "out") as process:
            _paced(bench, target, process, bench.scale.warm_seconds * proxy.warmth)
            found = _paced(bench, target, process, bench.scale.seconds * 2)
        return {
            "direct_p50_ms": found["direct_p50_ms"],
            "added_p50_ms": found["through_p50_ms"] - found["direct_p50_ms"],
            "added_p99_ms": found["through_p99_ms"] - found["direct_p99_ms"],
            "errors": found["problems"],
        }

    contestants = _each(bench, _PROXIES, measure)
    return Measured(
        title=f"Latency added by the recorder, {_RATE} requests/s",
        how="nginx gives 1 kB; a client sends every other request directly and every other one through the "
        f"proxy, at {_RATE} requests/s each way, whatever the answers do. Added: the percentile through the "
        "proxy less the direct one. The proxy has a core of its own; the client and nginx share the other.",
        checks=(
            judged(contestants, Bound("added at p50", "added_p50_ms", "at most", 0.3, "ms")),
            judged(contestants, Bound("added at p99", "added_p99_ms", "at most", 1.0, "ms")),
            no_errors(contestants),
        ),
        contestants=contestants,
    )


def throughput(bench: Bench) -> Measured:
    """How many exchanges a second are recorded, and that none is lost."""

    def measure(proxy: Proxy, folder: Path) -> Figures:
        out = folder / "out"
        with _nginx(bench, folder) as target:
            wrk = Wrk([Probe("/")], 64, bench.load_core, folder)
            with _proxied(bench, proxy, target, out) as process:
                warm = wrk.run(process.url(""), bench.scale.warm_seconds * proxy.warmth)
                before_s = process.cpu_s()
                load = wrk.run(process.url(""), bench.scale.seconds)
                figures = {
                    "requests_per_s": load.requests_per_s,
                    "cpu_us": (process.cpu_s() - before_s) / load.requests * 1e6,
                    "p99_ms": load.p99_ms,
                    "errors": float(load.errors),
                    "rss_mib": process.rss_mib(),
                }
        if proxy is _OURS:
            figures["lost"] = float(max(0, warm.requests + load.requests - _complete(out / "run.mfrec")))
        return figures

    contestants = _each(bench, _PROXIES, measure)
    return Measured(
        title="Exchanges recorded, 1 kB bodies, 64 connections",
        how="nginx gives 1 kB; wrk loads the proxy, which has a core of its own. Lost: requests that wrk "
        f"saw answered and that are not in the recording. {bench.scale}",
        checks=(
            judged(contestants, Bound("exchanges/s", "requests_per_s", "at least", 6_000)),
            judged(contestants, Bound("exchanges lost", "lost", "at most", 0)),
            no_errors(contestants),
        ),
        contestants=contestants,
    )


def _complete(file: Path) -> int:
    with RecordingReader(file) as reader:
        return int((reader.columns().status == 200).sum())


def download(bench: Bench) -> Measured:
    """Whether a large answer passes without being held."""

    def measure(proxy: Proxy, folder: Path) -> Figures:
        with _nginx(bench, folder) as target, _proxied(bench, proxy, target, folder / "out") as process:
            before_mib = process.rss_mib()
            began = time.monotonic()
            size = _read_all(process.port, "/download")
            took_s = time.monotonic() - began
            return {
                "base_rss_mib": before_mib,
                "grown_mib": process.peak_rss_mib() - before_mib,
                "seconds": took_s,
                "errors": float(size < _DOWNLOAD_BYTES),
            }

    contestants = _each(bench, (_OURS,), measure)
    return Measured(
        title=f"Download of {_DOWNLOAD_BYTES / 1e9:g} GB through the recorder",
        how="nginx sends a file; the client reads as fast as it can. The growth is of the most "
        "resident memory over that before the download.",
        checks=(
            judged(contestants, Bound("RSS grown by", "grown_mib", "less than", 32, "MiB")),
            no_errors(contestants),
        ),
        contestants=contestants,
    )


def _read_all(port: int, path: str) -> int:
    """The bytes of the whole answer, its head with them."""
    size = 0
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        buffer = bytearray(2**20)
        while count := connection.recv_into(buffer):
            size += count
    return size


def times(bench: Bench) -> Measured:
    """Whether the recorded times are the backend's."""

    def measure(proxy: Proxy, folder: Path) -> Figures:
        port, log, out = free_port(), folder / "backend.log", folder / "out"
        command = [sys.executable, str(_HERE / "logging_backend.py"), "--port", str(port), "--log", str(log)]
        with running(pinned(bench.load_core, command), port, folder / "output.log") as target:
            wait_until_answered(target, Probe("/"), ready_s=20)
            with _proxied(bench, proxy, target, out) as process:
                found = _paced(bench, target, process, bench.scale.seconds * 2)
        return {"ttfb_off_ms": _off_ms(out / "run.mfrec", log), "errors": found["problems"]}

    contestants = _each(bench, (_OURS,), measure)
    return Measured(
        title=f"Recorded time to the first byte against the backend's own log, {_RATE} requests/s",
        how="A backend that takes 2 to 6 ms logs, for every request, the time from the request's last byte "
        "received to its answer's first byte written. The figure is the median, over all requests, of the "
        "recorded ttfb less that.",
        checks=(
            judged(contestants, Bound("ttfb off at p50", "ttfb_off_ms", "at most", 0.3, "ms")),
            no_errors(contestants),
        ),
        contestants=contestants,
    )


def _off_ms(recording: Path, log: Path) -> float:
    logged = dict(line.split() for line in log.read_text().splitlines())
    with RecordingReader(recording) as reader:
        columns = reader.columns()
    pairs = zip(columns.target, columns.ttfb_ns.tolist(), strict=True)
    return float(
        np.median([(ttfb_ns - int(logged[target])) / 1e6 for target, ttfb_ns in pairs if target in logged])
    )


def million(bench: Bench) -> Measured:
    """How long a long recording takes to open."""

    def measure(_: Proxy, folder: Path) -> Figures:
        file = folder / "many.mfrec"
        _write_many(file, bench.scale.recorded)
        command = [sys.executable, "-m", "mockforge", "recordings", "show", str(file)]
        began = time.monotonic()
        done = subprocess.run(
            pinned(bench.server_core, command), cwd=_ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NotRunError((done.stderr or done.stdout).strip().splitlines()[-1])
        return {"seconds": time.monotonic() - began, "file_mib": file.stat().st_size / 2**20}

    contestants = _each(bench, (_OURS,), measure)
    return Measured(
        title=f"A recording of {bench.scale.recorded:,} exchanges",
        how="`mockforge recordings show`, from start to end of the process.",
        checks=(judged(contestants, Bound("opened and summarised in", "seconds", "at most", 10, "s")),),
        contestants=contestants,
    )


def _write_many(file: Path, number: int) -> None:
    """Small exchanges of ten operations, one every 0.5 ms."""
    headers = Headers((("Content-Type", "application/json"), ("Host", "backend.example")))
    with RecordingWriter(
        file, RecordingMeta("recording", "http://backend.example", time.time_ns())
    ) as writer:
        for each in range(number):
            target = f"/resource-{each % 10}/{each % 50_000}"
            writer.add(
                Exchange(
                    wall_ns=each * 500_000,
                    arrived_ns=each * 500_000,
                    request=Request("GET", target, headers),
                    response=Response(200, headers, b'{"id": %d}' % (each % 1_000)),
                    total_ns=5_000_000 + each * 7919 % 3_000_000,
                    ttfb_ns=5_000_000,
                    in_flight=each % 7,
                    connection_id=each % 32,
                )
            )


#: By the names that `--rows` takes, in the order in which they are run.
ROWS: dict[str, Row] = {
    "record-latency": latency,
    "record-throughput": throughput,
    "record-download": download,
    "record-times": times,
    "record-million": million,
}
