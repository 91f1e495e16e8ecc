"""When each request is due: a pure function of the recorded arrivals and the wanted pace.

A schedule is made as it is read, some ten thousand due times at once, so that a long recording that is
looped for hours needs no more memory than the recording. No clock is read here.

The recorded pace keeps the recorded gaps, so that bursts stay bursts, and scales all by one factor. A pace
that is a rate over time is played by its integral: the k-th request is due when the rate has added up to k,
and for `poisson` when it has added up to the k-th sum of exponential gaps of mean 1 (time rescaling;
Lewis & Shedler 1979), so that the arrivals are a Poisson process of that rate, constant or not.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mockforge.errors import UsageError
from mockforge.replay.pace import Loop, Pace, Segment
from mockforge.replay.workload import Workload

__all__ = ["Peak", "Schedule", "make_schedule"]

_AT_ONCE = 65_536
_S = 1_000_000_000

#: Due times are rounded to a nanosecond: so much less than a second apart is still a second apart.
_ROUNDING_NS = 1_000

#: Added up in floating point, the area of ten tenths is as little more than one, in requests.
_HAIR = 1e-6

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Peak:
    """The second of a schedule with the most requests: how many, and when it ends, in ns from the start."""

    requests: int
    at_ns: int


class _Source(Protocol):
    """Gives due times in ns, ascending, in pieces; every call begins anew."""

    def __call__(self) -> Iterator[Times]: ...

    def extent(self) -> tuple[int, int]:
        """How many there are, and the last."""
        ...


def _counted(pieces: Iterator[Times]) -> tuple[int, int]:
    count, last = 0, 0
    for times in pieces:
        count += times.size
        last = int(times[-1])
    return count, last


@dataclass(frozen=True)
class Schedule:
    """Due times in the order in which they are due; the requests are a recording's in its order, over again.

    `size` is the number of requests in the recording, `count` that of the schedule, `span_ns` the last due
    time. `speed` is the factor on the recorded pace, None where the pace is not the recorded one.
    """

    size: int
    source: _Source
    speed: float | None = None

    def __iter__(self) -> Iterator[int]:
        """The due times, in ns from the start; the n-th is that of the request n modulo `size`."""
        for times in self.source():
            yield from times.tolist()

    @property
    def count(self) -> int:
        return self._extent[0]

    @property
    def span_ns(self) -> int:
        return self._extent[1]

    @property
    def rate(self) -> float:
        """Mean requests a second over the span; NaN where all are due at once."""
        return (self.count - 1) / self.span_ns * 1e9 if self.span_ns else math.nan

    def peak(self) -> Peak:
        """The most requests that are due in any one second."""
        best = Peak(0, 0)
        kept: Times = np.empty(0, dtype=np.int64)
        for times in self.source():
            window = np.concatenate((kept, times))
            first = np.searchsorted(window, window - (_S - _ROUNDING_NS), side="right")
            within = np.arange(1, window.size + 1) - first
            most = int(within.argmax())
            if int(within[most]) > best.requests:
                best = Peak(int(within[most]), int(window[most]))
            kept = window[window > window[-1] - _S]
        return best

    def per_second(self) -> list[int]:
        """How many requests are due in each second from the start."""
        counts: NDArray[np.int64] = np.zeros(self.span_ns // _S + 1, dtype=np.int64)
        for times in self.source():
            counts += np.bincount(times // _S, minlength=counts.size)
        return [int(count) for count in counts]

    @functools.cached_property
    def _extent(self) -> tuple[int, int]:
        return self.source.extent()


def make_schedule(workload: Workload, pace: Pace) -> Schedule:
    """The workload at a pace. Raises UsageError where it cannot be had, or leaves nothing to send."""
    size = len(workload)
    if not pace.ramp and not pace.poisson:
        factor = _factor(workload, pace)
        schedule = Schedule(size, _Scaled(workload.arrived_ns, factor, pace.loop), factor)
    else:
        unit = functools.partial(_exponential, pace.seed) if pace.poisson else _evenly
        if pace.ramp:
            schedule = Schedule(size, _Rated(pace.ramp, unit, None))
        else:
            schedule = Schedule(size, _steady(workload, pace, unit))
    if next(schedule.source(), None) is None:
        raise UsageError("nothing is due in that time", hint="make it longer, or the rate higher")
    return schedule


def _factor(workload: Workload, pace: Pace) -> float:
    """What the recorded gaps are divided by."""
    if pace.rate is None:
        return pace.speed or 1.0
    if len(workload) == 1:
        return 1.0
    return pace.rate / _recorded_rate(workload, f"--rate {pace.rate:g}")


def _recorded_rate(workload: Workload, option: str) -> float:
    rate = workload.rate
    if rate is None:
        raise UsageError(
            f"{option} cannot be had: all {len(workload)} requests were recorded at one moment",
            hint="leave it away" if option != "--poisson" else "give a --rate",
        )
    return rate


def _steady(workload: Workload, pace: Pace, unit: _Units) -> _Rated:
    """One rate to the schedule's end: a number of rounds through the recording, or a time."""
    rate = pace.rate or _recorded_rate(workload, "--poisson") * (pace.speed or 1.0)
    if pace.loop.seconds is not None:
        return _Rated((Segment(rate, rate, pace.loop.seconds),), unit, None)
    most = len(workload) * (pace.loop.rounds or 1)
    return _Rated((Segment(rate, rate, math.inf),), unit, most)


@dataclass(frozen=True, slots=True)
class _Scaled:
    """The recorded arrivals, each gap divided by `factor`, over again as `loop` has it.

    Between two rounds lies the mean recorded gap.
    """

    arrived_ns: Times
    factor: float
    loop: Loop

    def __call__(self) -> Iterator[Times]:
        return self._from_round(0)

    def extent(self) -> tuple[int, int]:
        if self.loop.seconds is None:
            whole = (self.loop.rounds or 1) - 1
        else:
            whole = max(0, int(self.loop.seconds * _S / self._round_ns()) - 1)
        count, last = _counted(self._from_round(whole))
        return whole * self.arrived_ns.size + count, last

    def _from_round(self, first: int) -> Iterator[Times]:
        end_ns = None if self.loop.seconds is None else round(self.loop.seconds * _S)
        for times in self._pieces(first):
            within = times if end_ns is None else times[: np.searchsorted(times, end_ns)]
            if within.size:
                yield within
            if within.size < times.size:
                return

    def _pieces(self, number: int) -> Iterator[Times]:
        """As many rounds at once as make a piece of fair size, or a round in several pieces."""
        round_ns = self._round_ns()
        base = self.arrived_ns / self.factor
        while self.loop.rounds is None or number < self.loop.rounds:
            at_once = max(1, _AT_ONCE // base.size)
            if self.loop.rounds is not None:
                at_once = min(at_once, self.loop.rounds - number)
            begins = np.arange(number, number + at_once, dtype=np.float64) * round_ns
            for first in range(0, base.size, _AT_ONCE):
                exact = begins[:, np.newaxis] + base[first : first + _AT_ONCE]
                yield np.rint(exact).astype(np.int64).ravel()
            number += at_once

    def _round_ns(self) -> float:
        """From one round's begin to the next's, not rounded, so that nothing adds up."""
        size = self.arrived_ns.size
        span_ns = float(self.arrived_ns[-1]) / self.factor
        # One request, or all at one moment, have no gap of their own: a round a second.
        return span_ns * size / (size - 1) if span_ns else float(_S)


class _Units(Protocol):
    """Gives ever larger values at which requests are due, in requests since the start, in pieces."""

    def __call__(self) -> Iterator[NDArray[np.float64]]: ...


def _evenly() -> Iterator[NDArray[np.float64]]:
    """0, 1, 2, …"""
    first = 0
    while True:
        yield np.arange(first, first + _AT_ONCE, dtype=np.float64)
        first += _AT_ONCE


def _exponential(seed: int) -> Iterator[NDArray[np.float64]]:
    """Sums of exponential gaps of mean 1; the first is at 0, as in every schedule."""
    random = np.random.default_rng(seed)
    last = 0.0
    gaps = random.exponential(size=_AT_ONCE)
    gaps[0] = 0.0
    while True:
        sums = last + np.cumsum(gaps)
        last = float(sums[-1])
        yield sums
        gaps = random.exponential(size=_AT_ONCE)


@dataclass(frozen=True, slots=True)
class _Rated:
    """A rate over time; `units` says at which values of its integral requests are due, `most` how many."""

    segments: tuple[Segment, ...]
    units: _Units
    most: int | None

    def __call__(self) -> Iterator[Times]:
        areas, starts = self._marks()
        left = self.most
        for units in self.units():
            within = units[: np.searchsorted(units, areas[-1] - _HAIR)]
            if left is not None:
                within = within[:left]
                left -= within.size
            if within.size:
                yield self._due(within, areas, starts)
            if within.size < units.size or left == 0:
                return

    def extent(self) -> tuple[int, int]:
        if self.units is not _evenly:
            return _counted(self())
        areas, starts = self._marks()
        count = math.ceil(areas[-1] - _HAIR) if self.most is None else self.most
        last = self._due(np.array([count - 1.0]), areas, starts)
        return count, int(last[0])

    def _marks(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the rate has added up to at each segment's start, and when that is; and at the end."""
        areas = np.cumsum([0.0, *(segment.requests for segment in self.segments)])
        starts = np.cumsum([0.0, *(segment.seconds for segment in self.segments)])
        return areas, starts

    def _due(
        self, units: NDArray[np.float64], areas: NDArray[np.float64], starts: NDArray[np.float64]
    ) -> Times:
        which = np.clip(np.searchsorted(areas, units, side="right") - 1, 0, len(self.segments) - 1)
        seconds = np.empty(units.size)
        for number, segment in enumerate(self.segments):
            mine = which == number
            if mine.any():
                seconds[mine] = starts[number] + _reached(segment, units[mine] - areas[number])
        return np.rint(seconds * _S).astype(np.int64)


def _reached(segment: Segment, area: NDArray[np.float64]) -> NDArray[np.float64]:
    """When, in seconds from its start, the segment's rate has added up to `area` requests.

    The rate a + g t adds up to a t + g t² / 2; of the quadratic's solutions, the form without a difference
    of nearly equal numbers.
    """
    a, g = segment.start, segment.slope
    if g == 0:
        return area / a
    root = np.sqrt(np.maximum(a * a + 2 * g * area, 0.0))
    divisor = a + root
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(divisor > 0, 2 * area / divisor, 0.0)
