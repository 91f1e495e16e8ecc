"""Servers measured in turn, round by round, so that what disturbs the machine disturbs all of them alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers import JVM_WARMTH, NODE_WARMTH, Server
from benchmarks.processes import NotRunError, Probe, Running, free_port, pinned, running, wait_until_answered
from benchmarks.results import Check, Contestant
from benchmarks.wrk import Wrk

__all__ = ["Bench", "Figures", "Measured", "Row", "Run", "Scale", "Work", "alone", "in_turn"]

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done. `seconds` is one measurement; `warm_seconds` of load before it do not count."""

    rounds: int = 3
    seconds: float = 8.0
    warm_seconds: float = 3.0
    many_stubs: int = 10_000
    many_connections: int = 10_000
    requests_each: int = 15
    growth_after: int = 1_000_000
    growth_requests: int = 10_000_000
    recorded: int = 1_000_000

    def __str__(self) -> str:
        """The sentence for rows that are measured in turn."""
        rounds = f"{self.rounds} round{'s' if self.rounds > 1 else ''}"
        return (
            f"{rounds} of {self.seconds:g} s, each after {self.warm_seconds:g} s of load that do not count "
            f"(WireMock {JVM_WARMTH:g} times, mountebank {NODE_WARMTH:g} times as long)."
        )


@dataclass(frozen=True, slots=True)
class Bench:
    """What a row needs: its scale, a core for the server and one for the load, and a line for progress."""

    scale: Scale
    server_core: int
    load_core: int
    say: Callable[[str], None] = field(default=print)


@dataclass(frozen=True, slots=True)
class Run:
    """A server under a load. `base` names the server whose CPU a request its own is divided by."""

    server: Server
    requests: Sequence[Probe]
    connections: int
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the results without the conditions that it was measured under."""

    title: str
    how: str
    checks: tuple[Check, ...]
    contestants: tuple[Contestant, ...]
    ratio: str = ""


Row = Callable[[Bench], Measured]

#: Loads a server, and may use a folder that goes with it.
Work = Callable[[Bench, Running, Path], Figures]


def in_turn(bench: Bench, runs: Sequence[Run]) -> tuple[Contestant, ...]:
    """Every round starts, loads and ends each server. One that fails is left out from then on."""
    measured: dict[str, list[Figures]] = {run.server.name: [] for run in runs}
    missing: dict[str, str] = {}
    for number in range(1, bench.scale.rounds + 1):
        for run in runs:
            name = run.server.name
            if name in missing:
                continue
            try:
                figures = _measure(bench, run)
            except NotRunError as error:
                missing[name] = str(error)
                bench.say(f"  round {number}: {name}: not run: {error}")
                continue
            measured[name].append(figures)
            bench.say(f"  round {number}: {name}: {_shown(figures)}")
        _add_ratios(runs, {name: each[-1] for name, each in measured.items() if len(each) == number})
    return tuple(
        Contestant(name, missing=missing[name])
        if name in missing
        else Contestant(name, tuple(measured[name]))
        for name in measured
    )


def _measure(bench: Bench, run: Run) -> Figures:
    scale = bench.scale
    with _started(bench, run.server, run.requests[0]) as (server, folder):
        wrk = Wrk(run.requests, run.connections, bench.load_core, folder)
        wrk.run(server.url(""), scale.warm_seconds * run.server.warmth)
        before_s = server.cpu_s()
        load = wrk.run(server.url(""), scale.seconds)
        spent_s = server.cpu_s() - before_s
        return {
            "requests_per_s": load.requests_per_s,
            "cpu_us": spent_s / load.requests * 1e6,
            "p50_ms": load.p50_ms,
            "p99_ms": load.p99_ms,
            "errors": load.errors,
            "rss_mib": server.rss_mib(),
        }


def alone(bench: Bench, server: Server, probe: Probe, work: Work, rounds: int) -> Contestant:
    """One server, started for each round, with work of another kind than wrk's."""
    measured: list[Figures] = []
    for number in range(1, rounds + 1):
        bench.say(f"  round {number} of {rounds}: {server.name}")
        try:
            with _started(bench, server, probe) as (process, folder):
                measured.append(work(bench, process, folder))
        except NotRunError as error:
            bench.say(f"  {server.name}: not run: {error}")
            return Contestant(server.name, missing=str(error))
    return Contestant(server.name, tuple(measured))


@contextmanager
def _started(bench: Bench, server: Server, probe: Probe) -> Iterator[tuple[Running, Path]]:
    """The server on its core for the time of a block, once it answers; and a folder that goes with it.

    Raises NotRunError when it cannot be started, or ends by itself.
    """
    with tempfile.TemporaryDirectory(prefix="mockforge-bench-") as name:
        folder = Path(name)
        port = free_port()
        command = pinned(bench.server_core, server.command(folder, port))
        with running(command, port, folder / "output.log") as process:
            wait_until_answered(process, probe)
            yield process, folder


def _add_ratios(runs: Sequence[Run], of_round: Mapping[str, Figures]) -> None:
    for run in runs:
        if run.base is not None and run.base in of_round and run.server.name in of_round:
            own, base = of_round[run.server.name], of_round[run.base]
            if base["cpu_us"] > 0:
                own["ratio"] = own["cpu_us"] / base["cpu_us"]


def _shown(figures: Mapping[str, float]) -> str:
    return (
        f"{figures['requests_per_s']:,.0f} requests/s, {figures['cpu_us']:.2f} µs CPU a request, "
        f"p50 {figures['p50_ms']:.2f} ms, p99 {figures['p99_ms']:.2f} ms, {figures['errors']:.0f} errors"
    )
