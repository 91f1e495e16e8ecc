"""The replay's sender: how many requests a second it sends on time."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.bounds import Bound, judged, no_errors
from benchmarks.measure import Bench, Figures, Measured, Row, alone
from benchmarks.peers import Server, nginx
from benchmarks.processes import NotRunError, Probe, Running, pinned
from benchmarks.stubsets import STATIC_PATH
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.headers import Headers
from mockforge.recording.store import RecordingMeta, RecordingReader, RecordingWriter

__all__ = ["ROWS"]

_ROOT = Path(__file__).resolve().parents[1]
_RATE = 8_000


def replay(bench: Bench) -> Measured:
    """Whether a recording of 8,000 requests a second is sent at that rate, and written down."""
    # The backend is what `alone` starts, on the first core; the sender takes the other.
    backend = Server("MockForge", nginx().command)
    contestants = (alone(bench, backend, Probe(STATIC_PATH), _replay, bench.scale.rounds),)
    return Measured(
        title=f"Replay of {_RATE:,} requests/s",
        how="A recording with exponential gaps at that rate is replayed against nginx, and the run is "
        "recorded. The sender has a core of its own. The send lag is the time from when a request was due "
        "to when it was sent; requests/s are those that were answered.",
        checks=(
            judged(contestants, Bound("requests/s", "requests_per_s", "at least", 0.99 * _RATE)),
            judged(contestants, Bound("send lag at p99", "lag_p99_ms", "less than", 2.0, "ms")),
            no_errors(contestants),
        ),
        contestants=contestants,
    )


def _replay(bench: Bench, backend: Running, folder: Path) -> Figures:
    source, into = folder / "load.mfrec", folder / "sent.mfrec"
    _write_load(source, int(_RATE * (bench.scale.seconds + bench.scale.warm_seconds)))
    command = [sys.executable, "-m", "mockforge", "replay", str(source), "--target", backend.url("")]
    done = subprocess.run(
        pinned(bench.load_core, [*command, "--out", str(into)]),
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotRunError(f"the replay: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    with RecordingReader(into) as reader:
        columns = reader.columns()
    steady = columns.arrived_ns > bench.scale.warm_seconds * 1e9
    lag_ms = columns.lateness_ns[steady] / 1e6
    arrived_s = columns.arrived_ns[steady] / 1e9
    figures = {
        "requests_per_s": float(steady.sum() / (arrived_s.max() - arrived_s.min())),
        "p50_ms": float(np.percentile(columns.total_ns[steady], 50) / 1e6),
        "lag_p50_ms": float(np.percentile(lag_ms, 50)),
        "lag_p99_ms": float(np.percentile(lag_ms, 99)),
        "errors": float(columns.failed.sum()),
    }
    bench.say("  " + ", ".join(f"{key} {value:,.3f}" for key, value in figures.items()))
    return figures


def _write_load(file: Path, number: int) -> None:
    headers = Headers((("Host", "backend.example"), ("Accept", "application/json")))
    gaps_ns = np.random.default_rng(1).exponential(1e9 / _RATE, number)
    meta = RecordingMeta("recording", "http://backend.example", time.time_ns())
    with RecordingWriter(file, meta) as writer:
        for arrived_ns in np.cumsum(gaps_ns).astype(np.int64).tolist():
            writer.add(
                Exchange(
                    wall_ns=arrived_ns,
                    arrived_ns=arrived_ns,
                    request=Request("GET", STATIC_PATH, headers),
                    response=Response(200, headers, b"{}"),
                    total_ns=1_000_000,
                )
            )


#: By the names that `--rows` takes, in the order in which they are run.
ROWS: dict[str, Row] = {"replay": replay}
