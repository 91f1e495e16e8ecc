"""The serving path over time: ten thousand callers that wait at once, and what millions of requests leave."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.bounds import Bound, judged, no_errors, total
from benchmarks.measure import Bench, Figures, Measured, Row, alone
from benchmarks.peers import mockforge
from benchmarks.processes import NotRunError, Probe, Running, pinned
from benchmarks.stubsets import STATIC_PATH, static_stub
from benchmarks.wrk import Wrk

__all__ = ["ROWS"]

_ROOT = Path(__file__).resolve().parents[1]
_STATIC = Probe(STATIC_PATH)
_OPENED_PER_S = 2000
_BETWEEN_READINGS_S = 5.0


def holding(bench: Bench) -> Measured:
    """Whether ten thousand callers can wait at a time."""
    scale = bench.scale
    contestants = (alone(bench, mockforge(static_stub(1000)), _STATIC, _hold, scale.rounds),)
    return Measured(
        title=f"Fixed delay of 1 s, {scale.many_connections:,} connections",
        how=f"{_OPENED_PER_S:,} connections are opened a second; each sends {scale.requests_each} requests, "
        "one after the other. A request counts as not answered unless it is answered with 200, and as slower "
        f"than all others in the percentiles. Rounds: {scale.rounds}.",
        checks=(
            total(contestants, "requests not answered", "unanswered"),
            judged(contestants, Bound("p99", "p99_ms", "at most", 1050, "ms")),
            judged(contestants, Bound("most RSS", "peak_rss_mib", "at most", 400, "MiB")),
        ),
        contestants=contestants,
    )


def _hold(bench: Bench, server: Running, _: Path) -> Figures:
    scale = bench.scale
    opening_s = scale.many_connections / _OPENED_PER_S
    options = {
        "port": server.port,
        "path": STATIC_PATH,
        "connections": scale.many_connections,
        "requests": scale.requests_each,
        "over": opening_s,
        # A second an answer at best; three times that, and a minute, before it is given up.
        "patience": opening_s + 3 * scale.requests_each + 60,
    }
    command = [sys.executable, "-m", "benchmarks.holding"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    done = subprocess.run(
        pinned(bench.load_core, command), cwd=_ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NotRunError(f"the load client: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    found = json.loads(done.stdout)
    if found["unanswered"] == found["asked"]:
        raise NotRunError(f"nothing was answered: {found['problem']}")
    shown = ", ".join(f"{name} {value}" for name, value in found.items() if value not in ("", None))
    bench.say(f"  MockForge: {shown}")
    figures = {key: found[key] for key in ("asked", "unanswered", "p50_ms", "p99_ms")}
    answered = {key: float(value) for key, value in figures.items() if value is not None}
    return {**answered, "peak_rss_mib": server.peak_rss_mib()}


def memory(bench: Bench) -> Measured:
    """Whether anything is kept of a request that is over."""
    scale = bench.scale
    contestants = (alone(bench, mockforge(static_stub()), _STATIC, _grow, rounds=1),)
    return Measured(
        title=f"{scale.growth_requests:,} requests",
        how="Static stub, GET, 64 connections, in one run. RSS is read every "
        f"{_between_readings_s(bench):g} s; the growth is from the first reading after "
        f"{scale.growth_after:,} requests to the highest of those that follow.",
        checks=(
            judged(contestants, Bound("RSS grown by", "grown_mib", "less than", 10, "MiB")),
            no_errors(contestants),
        ),
        contestants=contestants,
    )


def _between_readings_s(bench: Bench) -> float:
    return min(_BETWEEN_READINGS_S, bench.scale.seconds)


def _grow(bench: Bench, server: Running, folder: Path) -> Figures:
    wrk = Wrk([_STATIC], 64, bench.load_core, folder)
    sent = errors = 0
    readings: list[float] = []
    while sent < bench.scale.growth_requests:
        load = wrk.run(server.url(""), _between_readings_s(bench))
        sent += load.requests
        errors += load.errors
        rss_mib = server.rss_mib()
        if sent >= bench.scale.growth_after:
            readings.append(rss_mib)
        bench.say(f"  MockForge: {sent:,} requests, {rss_mib:.1f} MiB")
    grown_mib = max(readings) - readings[0]
    return {"asked": sent, "errors": errors, "base_rss_mib": readings[0], "grown_mib": grown_mib}


#: By the names that `--rows` takes, in the order in which they are run.
ROWS: dict[str, Row] = {"holding": holding, "memory": memory}
