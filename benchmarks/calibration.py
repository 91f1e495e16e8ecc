"""How often the deviation report is right: simulated runs whose truth is known, compared and counted.

`python -m benchmarks.calibration` writes docs/calibration.md; `--million` adds a comparison of a million
requests a run. A report that judges others shows its own error rates.
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from benchmarks.host import machine
from mockforge.model.exchange import Exchange, Request, Response
from mockforge.model.sample import Run
from mockforge.recording.store import RecordingMeta, RecordingWriter
from mockforge.report.comparing import Side, compare_runs, compare_sides
from mockforge.report.verdicts import Verdict
from mockforge.stats.intervals import quantile_interval

__all__ = ["Law", "Rate", "calibrated", "main", "rows"]

PAGE = Path(__file__).parents[1] / "docs" / "calibration.md"
OPERATIONS = ("GET /orders", "GET /orders/{id}", "POST /orders")
#: Medians in ms and sigmas of the operations' lognormal latencies.
_MEDIANS = np.array([20.0, 8.0, 45.0])
_SIGMA = 0.5


@dataclass(frozen=True, slots=True)
class Law:
    """What a run is drawn from: latencies `slower` by a factor, dependent by `phi`, `errors` by chance.

    Requests come at `rate` a second, evenly (`paced`) or Poisson's.
    """

    count: int = 10_000
    operations: int = 3
    phi: float = 0.0
    slower: float = 1.0
    errors: float = 0.01
    rate: float = 200.0
    paced: bool = False

    def draw(self, random: np.random.Generator) -> Run:
        """One run."""
        gaps = np.full(self.count, 1.0) if self.paced else random.exponential(1.0, self.count)
        start_s = np.cumsum(gaps) / self.rate
        operation = random.integers(0, self.operations, self.count).astype(np.int32)
        latency_ms = _MEDIANS[operation] * np.exp(_SIGMA * ar1(random, self.count, self.phi)) * self.slower
        failed = random.random(self.count) < self.errors
        return Run(
            name="simulated",
            kind="recording",
            operations=OPERATIONS[: self.operations],
            operation=operation,
            start_ns=(start_s * 1e9).astype(np.int64),
            total_ns=(latency_ms * 1e6).astype(np.int64),
            ttfb_ns=(latency_ms * 0.9e6).astype(np.int64),
            status=np.where(failed, 503, 200).astype(np.int32),
            failed=failed,
            in_flight=np.zeros(self.count, dtype=np.int32),
            lateness_ns=np.full(self.count, -1, dtype=np.int64),
        )


def ar1(random: np.random.Generator, count: int, phi: float) -> NDArray[np.float64]:
    """A standard normal series, shape (count,), whose neighbours correlate by `phi`."""
    noise = random.normal(size=count)
    if not phi:
        return noise
    values = np.empty(count)
    last, scale = float(noise[0]), math.sqrt(1 - phi * phi)
    for index, step in enumerate(noise.tolist()):
        last = phi * last + scale * step
        values[index] = last
    return values


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something came out, of so many, and what it has to be."""

    what: str
    hits: int
    of: int
    bound: float
    at_least: bool

    @property
    def reached(self) -> bool:
        """Whether the rate is on the right side of its bound."""
        share = self.hits / self.of
        return share >= self.bound if self.at_least else share <= self.bound


def rows(scale: float = 1.0, seed: int = 20_251_127) -> Iterator[Rate]:
    """Every row of the table; `scale` below one for fewer pairs."""
    random = np.random.default_rng(seed)
    yield from _alike(random, _some(200, scale))
    yield from _repeated(random, _some(100, scale))
    yield from _coverage(random, _some(500, scale))
    yield from _found(random, _some(100, scale))
    yield from _on_the_margin(random, _some(200, scale))


def _some(count: int, scale: float) -> int:
    return max(4, round(count * scale))


def _alike(random: np.random.Generator, pairs: int) -> Iterator[Rate]:
    """Pairs of one law, dependent: none is to be called outside, and few intervals miss nought."""
    law = Law(count=6_000, phi=0.9)
    outside = missed = intervals = 0
    for _ in range(pairs):
        report = compare_runs(law.draw(random), law.draw(random))
        outside += report.verdict is Verdict.OUTSIDE
        for operation in report.operations:
            bounded = [
                one for one in operation.metrics if one.bounded and one.family in ("latency", "errors")
            ]
            missed += sum(not one.low <= 0 <= one.high for one in bounded)
            intervals += len(bounded)
    yield Rate("A/A pairs, three operations, φ = 0.9: reports called outside", outside, pairs, 0.05, False)
    yield Rate(
        "the same pairs: intervals of latencies and errors that miss 0", missed, intervals, 0.06, False
    )


def _repeated(random: np.random.Generator, pairs: int) -> Iterator[Rate]:
    """Three runs against three, each run faster or slower by some 5 % for reasons of its own."""
    outside = missed = 0
    for _ in range(pairs):
        real, mock = (
            Side([Law(1_500, 1, slower=float(random.lognormal(0, 0.05))).draw(random) for _ in range(3)])
            for _ in range(2)
        )
        report = compare_sides(real, mock)
        p50 = report.operations[0].metric("p50")
        outside += report.verdict is Verdict.OUTSIDE
        missed += p50 is None or not p50.low <= 0 <= p50.high
    yield Rate("A/A of three runs each that differ by 5 %: called outside", outside, pairs, 0.05, False)
    yield Rate("the same: intervals of p50 that miss 0", missed, pairs, 0.08, False)


def _coverage(random: np.random.Generator, runs: int) -> Iterator[Rate]:
    """Runs of 3,000 requests: how often the interval of a quantile holds the law's."""
    drawn = [ar1(random, 3_000, 0.9) for _ in range(runs)]
    for name, probability in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        truth = NormalDist().inv_cdf(probability)
        found = [quantile_interval(values, probability) for values in drawn]
        held = sum(one.low <= truth <= one.high for one in found)
        yield Rate(f"95 % intervals of {name} that hold, φ = 0.9, n = 3,000", held, runs, 0.90, True)


def _found(random: np.random.Generator, pairs: int) -> Iterator[Rate]:
    """Mocks that are off: how often the default tolerances find it."""
    one = Law(operations=1)
    paced, long = Law(operations=1, paced=True), Law(operations=1, count=40_000)
    changed = (
        ("+15 % at p50, n = 10,000", "p50", one, Law(operations=1, slower=1.15)),
        ("error rate +2 points, n = 10,000", "error_rate", one, Law(operations=1, errors=0.03)),
        ("throughput -5 %, even arrivals, n = 10,000", "throughput", paced, replace(paced, rate=190)),
        ("throughput -5 %, Poisson arrivals, n = 40,000", "throughput", long, replace(long, rate=190)),
    )
    for what, metric, real, mock in changed:
        hits = _verdicts(random, pairs, metric, real, mock).count(Verdict.OUTSIDE)
        yield Rate(f"found: {what}", hits, pairs, 0.95, True)


def _on_the_margin(random: np.random.Generator, pairs: int) -> Iterator[Rate]:
    """Mocks that are off by just what is allowed: within would be wrong."""
    one = Law(operations=1, count=4_000)
    on_it = (
        ("p50", one, Law(operations=1, count=4_000, slower=1.05)),
        ("p95", one, Law(operations=1, count=4_000, slower=1.10)),
        ("error_rate", one, Law(operations=1, count=4_000, errors=0.02)),
        ("throughput", one, Law(operations=1, count=4_000, rate=196)),
        ("gap", one, Law(operations=1, count=4_000, slower=1.15)),
    )
    for metric, real, mock in on_it:
        hits = _verdicts(random, pairs, metric, real, mock).count(Verdict.WITHIN)
        yield Rate(f"exactly on the margin of {metric}, called within", hits, pairs, 0.05, False)


def _verdicts(
    random: np.random.Generator, pairs: int, metric: str, real: Law, mock: Law
) -> list[Verdict | None]:
    found = []
    for _ in range(pairs):
        one = compare_runs(real.draw(random), mock.draw(random)).operations[0].metric(metric)
        found.append(one.verdict if one else None)
    return found


def calibrated(found: list[Rate], took_s: float, million: str = "") -> str:
    """The page."""
    lines = [
        "# Calibration: how often the report is right",
        "",
        "Written by `make bench-calibration`: simulated runs whose truth is known are judged by the default",
        "tolerances and counted. Latencies are lognormal (sigma 0.5); φ ties each to the next.",
        "",
        "| what | of | rate | must be | |",
        "|---|---:|---:|---:|---|",
    ]
    for one in found:
        bound = f"{'≥' if one.at_least else '≤'} {one.bound:.0%}".replace("%", " %")
        reached = "reached" if one.reached else "**missed**"
        lines.append(f"| {one.what} | {one.of:,} | {one.hits / one.of * 100:.1f} % | {bound} | {reached} |")
    host = "; ".join(value for _, value in machine())
    lines += ["", f"Took {took_s:.0f} s on {host}.", *([million] if million else [])]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run every row and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="fewer pairs where below one")
    parser.add_argument("--million", action="store_true", help="compare a million requests a run, too")
    chosen = parser.parse_args()
    began = time.monotonic()
    found = []
    for one in rows(chosen.scale):
        found.append(one)
        print(f"{one.what}: {one.hits} of {one.of:,}{'' if one.reached else '  MISSED'}", flush=True)
    took_s = time.monotonic() - began
    PAGE.write_text(calibrated(found, took_s, _million() if chosen.million else ""), encoding="utf-8")
    print(f"wrote {PAGE}")


def _million(count: int = 1_000_000, operations: int = 50) -> str:
    """A whole `mockforge compare` of two recordings of a million exchanges, as a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        files = [
            _recorded(Path(folder) / f"{name}.mfrec", seed, count, operations)
            for seed, name in enumerate(("real", "mock"))
        ]
        before, began = _cpu_s(), time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "mockforge", "compare", *map(str, files)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        took_s = time.monotonic() - began
    mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    what = f"`mockforge compare` of {count:,} requests a run, {operations} operations"
    return f"\n{what}: {took_s:.1f} s ({_cpu_s() - before:.1f} s of CPU), {mib:,.0f} MiB."


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _recorded(path: Path, seed: int, count: int, operations: int) -> Path:
    random = np.random.default_rng(seed)
    targets = [f"/service-{number}/orders" for number in random.integers(0, operations, count).tolist()]
    response, latency_ns = Response(200, body=b"{}"), (random.lognormal(2, 0.5, count) * 1e6).astype(np.int64)
    with RecordingWriter(path, RecordingMeta("recording", "http://backend", 0)) as writer:
        for index, (target, took) in enumerate(zip(targets, latency_ns.tolist(), strict=True)):
            writer.add(Exchange(index, index * 500_000, Request("GET", target), response, took, took))
    return path


if __name__ == "__main__":
    main()
