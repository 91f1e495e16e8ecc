"""One backend and its mocks, loaded in turn: where it saturates, what is recorded of it, and how both answer.

The real backend is always reached through the recorder, as it was when it was recorded: the recorder shares
the sender's processor, and a busy processor slows its neighbour, so that a backend without it is another one.
The way from the sender to the recorder is as long as the way from the sender to a mock.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.fidelity_backends import REQUESTS, Backend
from benchmarks.measure import Bench
from benchmarks.processes import (
    NotRunError,
    Probe,
    Running,
    awake,
    free_port,
    pinned,
    running,
    wait_until_answered,
)
from benchmarks.wrk import Wrk
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.store import Columns, RecordingMeta, RecordingReader, RecordingWriter

__all__ = ["Course", "Load", "on_course"]

#: For so long a rate is tried, and so much of what comes is to be answered meanwhile.
_PROBED_S, _KEPT_UP = 8.0, 0.97

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Load:
    """Requests `per_second` with exponential gaps, for `seconds`."""

    per_second: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Course:
    """A backend that is served behind the recorder at `real`, and the folder in which all is kept."""

    bench: Bench
    backend: Backend
    real: Running
    folder: Path

    def saturation(self) -> float:
        """The highest rate, within 5 %, that it keeps up with, of requests that come when they will.

        Callers that wait for each other's answers show more: they keep it busy without a gap.
        """
        if self.backend.saturation is not None:
            return self.backend.saturation
        probes = [Probe(self.backend.path(number)) for number in range(REQUESTS * len(self.backend.paths))]
        wrk = Wrk(probes, self.backend.callers, self.bench.load_core, self.folder)
        wrk.run(self.real.url(""), 2)
        most = wrk.run(self.real.url(""), 4).requests_per_s
        rates = [share / 100 * most for share in range(100, 50, -5)]
        return next((rate for rate in rates if self._keeps_up_with(rate)), rates[-1])

    def _keeps_up_with(self, rate: float) -> bool:
        run = self.load(self.real, [Load(rate, _PROBED_S)], seed=1)
        arrived_s = (run.arrived_ns - run.arrived_ns[0]) / 1e9
        ended_s = arrived_s + run.total_ns / 1e9
        came = (arrived_s > 1).sum()
        answered = ((ended_s > 1) & (ended_s < arrived_s[-1]) & ~run.failed).sum()
        return bool(answered >= _KEPT_UP * came)

    def recorded(self, name: str, loads: Sequence[Load]) -> Path:
        """A recording of the backend under these loads, one after the other."""
        with self._recorder(name) as (recorder, recording):
            self.load(recorder, loads, seed=1)
        return recording

    def profiled(self, recording: Path, low: float, high: float, seconds: float) -> Path:
        """What `mockforge profile` records of a ramp between two rates a second."""
        into = recording.with_name("ramp.mfrec")
        ramp = f"{low:g}:{high:g}:{seconds:g}s"
        options = ["--target", self.real.url(""), "--ramp", ramp, "--unsafe", "--out", str(into)]
        self._command(["profile", str(recording), *options])
        return into

    def learned(self, recording: Path) -> Path:
        """The stubs that are learned of a recording."""
        stubs = recording.with_suffix(".stubs")
        self._command(["learn", str(recording), "--out", str(stubs)])
        return stubs

    def load(self, server: Running, loads: Sequence[Load], seed: int) -> Columns:
        """What came back, as the sender saw it. The same seed sends the same requests at the same times."""
        workload = self.folder / "load.mfrec"
        workload.unlink(missing_ok=True)
        _write(workload, self.backend, loads, seed)
        into = self.folder / f"run-{time.monotonic_ns()}.mfrec"
        self._command(["replay", str(workload), "--target", server.url(""), "--out", str(into)])
        with RecordingReader(into) as reader:
            columns = reader.columns()
        into.unlink()
        return columns

    def load_mock(self, stubs: Path, loads: Sequence[Load], seed: int) -> Columns:
        """The same for a mock of `stubs`, started for it alone."""

        def command(_: Path, port: int) -> list[str]:
            start = [sys.executable, "-m", "mockforge", "serve", str(stubs), "--port", str(port)]
            return [*start, "--seed", str(seed)]

        name = f"mock-{time.monotonic_ns()}"
        with _serving(self.bench, command, self.folder / name, Probe("/__admin/health")) as server:
            return self.load(server, loads, seed)

    @contextlib.contextmanager
    def _recorder(self, name: str) -> Iterator[tuple[Running, Path]]:
        recording = self.folder / f"{name}.mfrec"
        port = free_port()
        upstream = (self.folder / "upstream").read_text()
        with _recording(self.bench, upstream, port, recording) as recorder:
            wait_until_answered(recorder, Probe(self.backend.path(0)), ready_s=30)
            yield recorder, recording

    def _command(self, arguments: list[str]) -> None:
        command = pinned(self.bench.load_core, [sys.executable, "-m", "mockforge", *arguments])
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
            raise NotRunError(f"{arguments[0]}: {said[-1]}")


@contextlib.contextmanager
def on_course(bench: Bench, backend: Backend, folder: Path) -> Iterator[Course]:
    """The backend, started, and a recorder before it whose recording nobody reads."""
    probe = Probe(backend.path(0))
    with (
        awake(bench.server_core, bench.load_core),
        _serving(bench, backend.command, folder / "real", probe) as upstream,
    ):
        (folder / "upstream").write_text(upstream.url(""))
        with _recording(bench, upstream.url(""), free_port(), folder / "passed.mfrec") as recorder:
            wait_until_answered(recorder, probe, ready_s=30)
            yield Course(bench, backend, recorder, folder)


@contextlib.contextmanager
def _recording(bench: Bench, target: str, port: int, into: Path) -> Iterator[Running]:
    command = [sys.executable, "-m", "mockforge", "record", "--target", target, "--port", str(port)]
    with running(
        pinned(bench.load_core, [*command, "--out", str(into)]), port, into.with_suffix(".log")
    ) as recorder:
        yield recorder


@contextlib.contextmanager
def _serving(
    bench: Bench, command: Callable[[Path, int], list[str]], own: Path, probe: Probe
) -> Iterator[Running]:
    own.mkdir()
    port = free_port()
    start = ["env", f"PYTHONPATH={_ROOT}", *command(own, port)]
    with running(pinned(bench.server_core, start), port, own / "output.log") as server:
        wait_until_answered(server, probe, ready_s=30)
        yield server


def _write(file: Path, backend: Backend, loads: Sequence[Load], seed: int) -> None:
    """A recording whose requests are these loads'."""
    random = np.random.default_rng([seed, *(round(load.per_second) for load in loads)])
    gaps_s = [
        random.exponential(1 / load.per_second, round(load.per_second * load.seconds)) for load in loads
    ]
    headers = Headers((("Host", "backend.example"), ("Accept", "application/json")))
    meta = RecordingMeta("recording", "http://backend.example", time.time_ns())
    with RecordingWriter(file, meta) as writer:
        for number, at_s in enumerate(np.cumsum(np.concatenate(gaps_s)).tolist()):
            at_ns = round(at_s * 1e9)
            request = Request("GET", backend.path(number), headers)
            writer.add(Exchange(at_ns, at_ns, request, Response(200, headers, b"{}"), 1_000_000))
