"""How well a learned mock performs like its backend, at loads that were recorded and at loads that were not.

Each row takes one backend. It is recorded at two levels of load below saturation, and once more in a ramp
that saturates it; a mock is learned of each. Then real and mock are loaded in turn at every level: real,
mock, real, mock. What both real runs differ by (A/A) is what no model can beat; the naive figure is what
replaying the recorded latencies would have given.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fidelity_backends import BACKENDS
from benchmarks.fidelity_figures import figures_of, recorded_p95_ms
from benchmarks.fidelity_runs import Course, Load, on_course
from benchmarks.measure import Bench, Figures, Measured, Row
from benchmarks.processes import NotRunError
from benchmarks.results import Check, Contestant

__all__ = ["LEVELS", "ROWS", "Level", "allowed", "checks_of"]

_RECORDED = (0.5, 0.7)
_TURNS = 2
#: So many times as long, and so many requests in all, in runs of a level that was recorded, but never more
#: than so many seconds each.
_LONGER, _MANY, _LONGEST_S = 4, 10_000, 40.0
_THROUGHPUT, _ERRORS = 0.05, 0.03
_SLOW_WINDOWS = (0.7, 1.3)
#: So many slow seconds of the real backend are needed: the share of fewer is chance.
_FEWEST_SLOW = 10
#: How often the noise of the real backend a mock may be off.
_NOISE = 1.5


_UNBOUNDED = "more than both real runs differ by, which are too short to tell what chance does"


@dataclass(frozen=True, slots=True)
class Level:
    """A load, as a share of saturation, and what the mock's quantiles may be off there, by their names.

    A bound of 0 leaves 1.5 times the noise. At an `overload` throughput and errors are judged instead, and
    the mock is the one that was learned of the ramp.
    """

    share: float
    bounds: Mapping[str, float]
    overload: bool = False

    @property
    def name(self) -> str:
        return f"{self.share:g} of saturation"


LEVELS = (
    Level(0.3, {"p95": 0.10}),
    Level(0.7, {"p50": 0.0, "p95": 0.0, "p99": 0.0}),
    Level(0.85, {"p95": 0.15}),
    Level(0.95, {"p95": 0.0}),
    Level(1.3, {}, overload=True),
)


def allowed(bound: float, noise: float) -> float:
    """How far a quantile may be off: the level's bound, or 1.5 times the noise of the real backend."""
    return max(bound, _NOISE * noise)


def checks_of(level: Level, figures: Mapping[str, float]) -> Iterator[Check]:
    """What must be reached at a level."""
    for name, bound in level.bounds.items():
        what = f"{name} off at {level.name}, over what is allowed"
        share = abs(figures[f"{name}_off"]) / allowed(bound, figures[f"{name}_noise"])
        if share > 1 and not figures[f"{name}_bounded"]:
            yield Check(what, "at most", 1.0, "×", missing=_UNBOUNDED)
        else:
            yield Check(what, "at most", 1.0, "×", (share,))
    if level.overload:
        rate = abs(figures["mock_per_s"] / figures["real_per_s"] - 1) * 100
        yield Check(f"answers/s off at {level.name}", "at most", _THROUGHPUT * 100, "%", (rate,))
        errors = abs(figures["mock_errors"] - figures["real_errors"]) * 100
        yield Check(f"errors off at {level.name}", "at most", _ERRORS * 100, "points", (errors,))
    if figures.get("slow_seconds", 0.0) >= _FEWEST_SLOW and level.share in _RECORDED:
        ratio = figures["mock_slow"] / figures["real_slow"]
        least, most = _SLOW_WINDOWS
        what = f"share of slow seconds at {level.name}, mock over real"
        yield Check(what, "at least", least, "×", (ratio,))
        yield Check(what, "at most", most, "×", (ratio,))


def _row(key: str) -> Row:
    def measure(bench: Bench) -> Measured:
        backend = BACKENDS[key]
        contestants: list[Contestant] = []
        checks: list[Check] = []
        kept_up_with: list[float] = []
        try:
            with tempfile.TemporaryDirectory(prefix="mockforge-bench-") as name:
                for level, figures in _levels(bench, key, Path(name), kept_up_with):
                    contestants.append(Contestant(level.name, (figures,)))
                    checks += checks_of(level, figures)
        except NotRunError as error:
            bench.say(f"  not run: {error}")
            contestants.append(Contestant(backend.name, missing=str(error)))
        return Measured(
            title=f"Fidelity: {backend.name}",
            how=f"{backend.what[0].upper()}{backend.what[1:]}. {_HOW}{_drift(kept_up_with)}",
            checks=tuple(checks),
            contestants=tuple(contestants),
        )

    return measure


_HOW = (
    f"Recorded at {' and '.join(f'{share:g}' for share in _RECORDED)} of saturation, and for the overload in "
    f"a ramp by `mockforge profile`; then real and mock in turn, {_TURNS} times, open loop, exponential "
    "gaps, other ones each time. Both cores are kept awake. Real runs go through the recorder, as the "
    "recordings did. Latencies in ms from when a request was due, of all runs together. Off: the mock's "
    "quantile over the real one. A/A: the second real run's over the first's. Noise: that, or what two "
    "samples of such a size differ by in 19 of 20 cases, whichever is more. Slow seconds are judged where "
    "the real runs have 10 or more. Naive: the p95 of the recorded latencies over the real one."
)


def _drift(kept_up_with: Sequence[float]) -> str:
    """What became of the backend's saturation while it was measured: no model knows of that."""
    if len(set(kept_up_with)) < 2:
        return ""
    before, after = kept_up_with
    return f" It kept up with {before:,.0f} requests/s before all this, and with {after:,.0f} after it."


def _levels(
    bench: Bench, key: str, folder: Path, kept_up_with: list[float]
) -> Iterator[tuple[Level, Figures]]:
    """Figures of each level; what the backend kept up with, before and after, goes to the list."""
    backend = BACKENDS[key]
    with on_course(bench, backend, folder) as course:
        saturation = course.saturation()
        kept_up_with.append(saturation)
        bench.say(f"  {backend.name}: {saturation:,.0f} requests/s at saturation")
        seconds = bench.scale.seconds
        recording = course.recorded(
            "recorded", [Load(share * saturation, seconds * 1.5) for share in _RECORDED]
        )
        ramp = course.profiled(recording, 0.5 * saturation, 1.5 * saturation, seconds * 3)
        stubs, ramp_stubs = course.learned(recording), course.learned(ramp)
        naive_ms = recorded_p95_ms(recording)
        for level in LEVELS:
            figures = _at(course, level, saturation, ramp_stubs if level.overload else stubs)
            figures["p95_naive"] = naive_ms / figures["real_p95_ms"] - 1
            shown = ", ".join(f"{name} {value:,.3g}" for name, value in figures.items())
            bench.say(f"  {level.name}: {shown}")
            yield level, figures
        kept_up_with.append(course.saturation())
        bench.say(f"  {backend.name}: {kept_up_with[-1]:,.0f} requests/s at saturation, after all")


def _at(course: Course, level: Level, saturation: float, stubs: Path) -> Figures:
    rate = level.share * saturation
    seconds = course.bench.scale.seconds * 1.5
    if level.share in _RECORDED:
        wanted = max(_LONGER * course.bench.scale.seconds, math.ceil(_MANY / rate / _TURNS))
        seconds = max(seconds, min(_LONGEST_S, wanted))
    real, mock = [], []
    for turn in range(_TURNS):
        real.append(course.load(course.real, [Load(rate, seconds)], seed=turn + 2))
        mock.append(course.load_mock(stubs, [Load(rate, seconds)], seed=turn + 2))
    return figures_of(real, mock)


#: By the names that `--rows` takes, in the order in which they are run.
ROWS: dict[str, Row] = {key: _row(key) for key in BACKENDS}
