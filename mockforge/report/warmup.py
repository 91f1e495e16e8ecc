"""The warm-up of a run: what is left out at its beginning.

The rule `auto` looks for a change: latencies, each over its operation's median, on the logarithm, are
averaged over fifty blocks of requests; the beginning that makes the rest steadiest (MSER, White 1997) is a
warm-up where it lies within the first fifth and differs from the rest by a tenth or more and by five standard
errors.
Most runs have none, and lose nothing.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mockforge.errors import UsageError
from mockforge.model.sample import Run

__all__ = ["WarmUp"]

_BLOCKS = 50
_MOST_BLOCKS = 10
_FEWEST_A_BLOCK = 20
_LEAST = math.log(1.1)
_ERRORS = 5.0
#: The first cut that leaves a rest hardly less steady than the steadiest is taken.
_NEARLY = 1.15
_WRITTEN = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>%|s|ms)")


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What to leave out: so many seconds, a share of the run's length, or (both None) what a change shows."""

    seconds: float | None = None
    share: float | None = None

    @classmethod
    def parse(cls, text: str) -> WarmUp:
        """From `auto`, `none`, `10%`, `5s` or `500ms`; raises UsageError for anything else."""
        if text in ("auto", "none"):
            return cls() if text == "auto" else cls(seconds=0.0)
        found = _WRITTEN.fullmatch(text.strip())
        if found:
            number = float(found["number"])
            if found["unit"] != "%":
                return cls(seconds=number / (1000 if found["unit"] == "ms" else 1))
            if number < 100:
                return cls(share=number / 100)
        raise UsageError(f"warm-up {text!r} cannot be read", hint="auto, none, 10% or 5s")

    def of(self, run: Run) -> float:
        """The seconds that the run's warm-up takes."""
        if not len(run):
            return 0.0
        if self.seconds is not None:
            return self.seconds
        span_s = float(run.start_ns[-1] - run.start_ns[0]) / 1e9
        return span_s * self.share if self.share is not None else _found(run)


def _found(run: Run) -> float:
    """Seconds until latencies are what they then remain; 0 where they are so from the beginning."""
    size = len(run) // _BLOCKS
    if size < _FEWEST_A_BLOCK:
        return 0.0
    means = _levels(run)[: size * _BLOCKS].reshape(_BLOCKS, size).mean(axis=1)
    rest = [means[cut:] for cut in range(_MOST_BLOCKS + 1)]
    unsteady = np.array([one.var() / one.size for one in rest])
    cut = int(np.argmax(unsteady <= _NEARLY * unsteady.min()))
    if not cut:
        return 0.0
    apart = abs(float(means[:cut].mean() - rest[cut].mean()))
    error = float(rest[cut].std(ddof=1)) / math.sqrt(cut)
    if apart < max(_LEAST, _ERRORS * error):
        return 0.0
    return float(run.start_ns[cut * size] - run.start_ns[0]) / 1e9


def _levels(run: Run) -> NDArray[np.float64]:
    """Each latency over its operation's median, on the logarithm."""
    logs = np.log(np.maximum(run.total_ns, 1).astype(np.float64))
    order = np.argsort(run.operation, kind="stable")
    bounds = np.searchsorted(run.operation[order], np.arange(len(run.operations) + 1))
    for begin, end in itertools.pairwise(bounds):
        if end > begin:
            chosen = order[begin:end]
            logs[chosen] -= np.median(logs[chosen])
    return np.asarray(logs, dtype=np.float64)
