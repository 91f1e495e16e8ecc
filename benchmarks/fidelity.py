"""How well a learned mock performs like its backend, at loads that were recorded and at loads that were not.

Each row takes one backend. It is recorded at two levels of load below saturation, learned, and then real and
mock are loaded in turn at every level: real, mock, real, mock. The difference between both real runs (A/A) is
what no model can beat; the naive figure is what replaying the recorded latencies would have given.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Bench, Figures, Measured, Row
from benchmarks.processes import NotRunError, Probe, Running, free_port, pinned, running, wait_until_answered
from benchmarks.results import Check, Contestant
from benchmarks.wrk import Wrk
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.store import Columns, RecordingMeta, RecordingReader, RecordingWriter

__all__ = ["ROWS", "Level", "allowed", "off"]

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent
_RECORDED = (0.5, 0.7)
#: What is sent first opens connections and fills caches, and does not count.
_WARM_S = 1.0


@dataclass(frozen=True, slots=True)
class Level:
    """A load, as a share of saturation, and what the mock's p95 may be off there (beside 1.5 × A/A)."""

    share: float
    bound: float

    @property
    def name(self) -> str:
        return f"{self.share:g} of saturation"


_LEVELS = (Level(0.3, 0.10), Level(0.7, 0.10), Level(0.85, 0.15), Level(0.95, 0.0), Level(1.3, 0.0))


@dataclass(frozen=True, slots=True)
class Backend:
    """`command(folder, port)` starts it; `paths` numbers of requests in turn; `callers` saturate it."""

    name: str
    what: str
    command: Callable[[Path, int], list[str]]
    path: str
    callers: int = 32
    #: What it completes a second, where that is set and need not be measured.
    saturation: float | None = None


def _gunicorn(app: str, *options: str) -> Callable[[Path, int], list[str]]:
    def command(_: Path, port: int) -> list[str]:
        start = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--keep-alive", "75"]
        return [*start, "--backlog", "2048", *options, "--chdir", str(_HERE), f"fragile:{app}"]

    return command


def _limited(folder: Path, port: int) -> list[str]:
    program = shutil.which("nginx")
    if program is None:
        raise NotRunError("nginx is not installed")
    config = folder / "nginx.conf"
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"daemon off; worker_processes 1; error_log stderr crit; pid {folder}/nginx.pid;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; keepalive_requests 1000000000; {paths}\n"
        "limit_req_zone $server_name zone=all:1m rate=400r/s; limit_req_status 503;\n"
        f"server {{ listen 127.0.0.1:{port}; root {folder}; limit_req zone=all burst=40;\n"
        "location / { try_files /missing @answer; }\n"
        "location @answer { default_type application/json; return 200 '{\"ok\": true}'; } } }\n"
    )
    return [program, "-p", str(folder), "-e", "stderr", "-c", str(config)]


def _orders(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "examples.orders", "--port", str(port), "--db", str(folder / "orders.db")]


def _stalling(_: Path, port: int) -> list[str]:
    return [sys.executable, str(_HERE / "fragile.py"), "--port", str(port)]


_BACKENDS = {
    "fidelity-orders": Backend(
        "examples/orders", "four threads over SQLite and a carrier", _orders, "/orders/"
    ),
    "fidelity-cpu": Backend(
        "gunicorn, 4 sync workers on one core",
        "SQLite reports, all processor time",
        _gunicorn("cpu", "--workers", "4"),
        "/report/",
        callers=4,
    ),
    "fidelity-waiting": Backend(
        "gunicorn, 8 threads",
        "each waits for a slow dependency",
        _gunicorn("waiting", "--workers", "1", "--threads", "8", "--worker-class", "gthread"),
        "/item/",
    ),
    "fidelity-limited": Backend("nginx with limit_req", "400 a second, 40 waiting", _limited, "/", 8, 400.0),
    "fidelity-stalls": Backend(
        "a service of one thread that stands still every 2 s",
        "as for a garbage collector",
        _stalling,
        "/digest/",
    ),
}


def off(mock: float, real: float) -> float:
    """The mock's figure less the real one, over the real one."""
    return mock / real - 1 if real > 0 else float("nan")


def allowed(level: Level, between_real: float) -> float:
    """How far p95 may be off: the level's bound, or 1.5 times what both real runs differ by."""
    return max(level.bound, 1.5 * abs(between_real))


def _row(key: str) -> Row:
    def measure(bench: Bench) -> Measured:
        backend = _BACKENDS[key]
        missing, contestants, checks = "", [], []
        try:
            with tempfile.TemporaryDirectory(prefix="mockforge-bench-") as name:
                for level, figures in _levels(bench, backend, Path(name)):
                    contestants.append(Contestant(level.name, (figures,)))
                    checks.append(_check(level, figures))
        except NotRunError as error:
            missing = str(error)
            bench.say(f"  not run: {error}")
            contestants.append(Contestant(backend.name, missing=missing))
        return Measured(
            title=f"Fidelity: {backend.name}",
            how=f"{backend.what[0].upper()}{backend.what[1:]}. Recorded at "
            f"{' and '.join(f'{share:g}' for share in _RECORDED)} of saturation; then real and mock in turn, "
            f"twice, {_seconds(bench):g} s each, open loop, exponential gaps. Latencies from when a request "
            "was due, in ms, over both runs of each. Off: the mock's p95 over the real one. A/A: "
            "the second real run's over the first's. Naive: the recorded latencies' over the real one.",
            checks=tuple(checks),
            contestants=tuple(contestants),
        )

    return measure


def _check(level: Level, figures: Mapping[str, float]) -> Check:
    share = abs(figures["p95_off"]) / allowed(level, figures["p95_aa"])
    return Check(f"p95 off at {level.name}, over what is allowed", "at most", 1.0, "×", (share,))


def _seconds(bench: Bench) -> float:
    return bench.scale.seconds * 1.5


def _levels(bench: Bench, backend: Backend, folder: Path) -> Iterator[tuple[Level, Figures]]:
    with _serving(bench, backend.command, folder, "real", Probe(f"{backend.path}1")) as real:
        saturation = backend.saturation or _saturation(bench, backend, real, folder)
        bench.say(f"  {backend.name}: {saturation:,.0f} requests/s at saturation")
        recording = _record(bench, backend, real, folder, saturation)
        stubs = _learn(bench, recording, folder)
        with RecordingReader(recording) as reader:
            recorded_ms = reader.columns().total_ns / 1e6

        def mock(_: Path, port: int) -> list[str]:
            return [sys.executable, "-m", "mockforge", "serve", str(stubs), "--port", str(port)]

        for level in _LEVELS:
            workload = folder / f"load-{level.share:g}.mfrec"
            _write_workload(workload, backend.path, level.share * saturation, _seconds(bench))
            runs: dict[str, list[Columns]] = {"real": [], "mock": []}
            for turn in range(2):
                runs["real"].append(_replay(bench, workload, real, folder))
                with _serving(bench, mock, folder, f"mock-{level.share:g}-{turn}", None) as server:
                    runs["mock"].append(_replay(bench, workload, server, folder))
            figures = _figures(runs["real"], runs["mock"], recorded_ms)
            bench.say(
                f"  {level.name}: " + ", ".join(f"{key} {value:,.2f}" for key, value in figures.items())
            )
            yield level, figures


@contextlib.contextmanager
def _serving(
    bench: Bench, command: Callable[[Path, int], list[str]], folder: Path, name: str, probe: Probe | None
) -> Iterator[Running]:
    own = folder / name
    own.mkdir()
    port = free_port()
    start = ["env", f"PYTHONPATH={_ROOT}", *command(own, port)]
    with running(pinned(bench.server_core, start), port, own / "output.log") as server:
        wait_until_answered(server, probe or Probe("/__admin/health"), ready_s=30)
        yield server


def _saturation(bench: Bench, backend: Backend, real: Running, folder: Path) -> float:
    """What it completes a second when there are always callers waiting."""
    probes = [Probe(f"{backend.path}{number}") for number in range(1, 200)]
    wrk = Wrk(probes, backend.callers, bench.load_core, folder)
    wrk.run(real.url(""), 2)
    return wrk.run(real.url(""), max(4, bench.scale.seconds / 2)).requests_per_s


def _write_workload(file: Path, path: str, rate: float, seconds: float, more: float | None = None) -> None:
    """Requests with exponential gaps at `rate` a second, and then for as long at `more` a second."""
    random = np.random.default_rng(round(rate))
    gaps_s = [random.exponential(1 / each, round(each * seconds)) for each in (rate, more) if each]
    headers = Headers((("Host", "backend.example"), ("Accept", "application/json")))
    with RecordingWriter(
        file, RecordingMeta("recording", "http://backend.example", time.time_ns())
    ) as writer:
        for number, at_s in enumerate(np.cumsum(np.concatenate(gaps_s)).tolist()):
            at_ns = round(at_s * 1e9)
            request = Request("GET", f"{path}{number % 199 + 1}", headers)
            writer.add(Exchange(at_ns, at_ns, request, Response(200, headers, b"{}"), 1_000_000))


def _record(bench: Bench, backend: Backend, real: Running, folder: Path, saturation: float) -> Path:
    """Both recorded levels one after the other, through the recorder."""
    workload, recording = folder / "load.mfrec", folder / "recorded.mfrec"
    low, high = (share * saturation for share in _RECORDED)
    _write_workload(workload, backend.path, low, bench.scale.seconds * 2, high)
    port = free_port()
    command = [sys.executable, "-m", "mockforge", "record", "--target", real.url(""), "--port", str(port)]
    command += ["--out", str(recording)]
    with running(pinned(bench.load_core, command), port, folder / "record.log") as recorder:
        wait_until_answered(recorder, Probe(f"{backend.path}1"), ready_s=30)
        _replay(bench, workload, recorder, folder)
    return recording


def _learn(bench: Bench, recording: Path, folder: Path) -> Path:
    stubs = folder / "stubs"
    _run(bench, ["learn", str(recording), "--out", str(stubs)], "learn")
    return stubs


def _replay(bench: Bench, workload: Path, server: Running, folder: Path) -> Columns:
    into = folder / f"run-{time.monotonic_ns()}.mfrec"
    _run(bench, ["replay", str(workload), "--target", server.url(""), "--out", str(into)], "replay")
    with RecordingReader(into) as reader:
        return reader.columns()


def _run(bench: Bench, arguments: list[str], what: str) -> None:
    command = pinned(bench.load_core, [sys.executable, "-m", "mockforge", *arguments])
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotRunError(f"{what}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")


def _figures(real: list[Columns], mock: list[Columns], recorded_ms: NDArray[np.float64]) -> Figures:
    reals, mocks = [_answered_ms(run) for run in real], [_answered_ms(run) for run in mock]
    both, mocked = np.concatenate(reals), np.concatenate(mocks)
    p95 = float(np.quantile(both, 0.95))
    return {
        "real_p50_ms": float(np.quantile(both, 0.5)),
        "mock_p50_ms": float(np.quantile(mocked, 0.5)),
        "real_p95_ms": p95,
        "mock_p95_ms": float(np.quantile(mocked, 0.95)),
        "p95_off": off(float(np.quantile(mocked, 0.95)), p95),
        "p95_aa": off(float(np.quantile(reals[1], 0.95)), float(np.quantile(reals[0], 0.95))),
        "p95_naive": off(float(np.quantile(recorded_ms, 0.95)), p95),
        "real_errors": _errors(real),
        "mock_errors": _errors(mock),
        "real_per_s": _completed(real),
        "mock_per_s": _completed(mock),
    }


def _steady(run: Columns) -> NDArray[np.bool_]:
    return np.asarray(run.arrived_ns > run.arrived_ns[0] + _WARM_S * 1e9)


def _answered_ms(run: Columns) -> NDArray[np.float64]:
    answered = _steady(run) & ~run.failed
    return np.asarray(run.total_ns[answered] / 1e6) if answered.any() else np.array([np.nan])


def _errors(runs: list[Columns]) -> float:
    return float(np.mean([run.failed[_steady(run)].mean() for run in runs]))


def _completed(runs: list[Columns]) -> float:
    """Good answers a second, over the time in which they came."""
    rates = []
    for run in runs:
        good = _steady(run) & ~run.failed
        ends = (run.arrived_ns + run.total_ns)[good]
        rates.append(
            float(good.sum() / max(1e-9, (ends.max() - ends.min()) / 1e9)) if good.sum() > 1 else 0.0
        )
    return float(np.mean(rates))


#: By the names that `--rows` takes, in the order in which they are run.
ROWS: dict[str, Row] = {key: _row(key) for key in _BACKENDS}
