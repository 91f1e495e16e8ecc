"""The wanted pace, as the command line says it: `--speed`, `--rate`, `--poisson`, `--ramp`, `--loop`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mockforge.errors import UsageError
from mockforge.recording.selection import duration_ns

__all__ = ["ONCE", "Loop", "Pace", "Segment", "parse_duration", "parse_loop", "parse_ramp"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A rate that goes evenly from `start` to `end`, in requests/s, over `seconds`."""

    start: float
    end: float
    seconds: float

    @property
    def slope(self) -> float:
        """By how much the rate grows in a second."""
        return (self.end - self.start) / self.seconds

    @property
    def requests(self) -> float:
        """How many requests the rate adds up to."""
        return (self.start + self.end) / 2 * self.seconds


@dataclass(frozen=True, slots=True)
class Loop:
    """How long to go on: so many `rounds` through the recording, or `seconds`, whichever is not None."""

    rounds: int | None = 1
    seconds: float | None = None


ONCE = Loop()


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to send; raises UsageError for what excludes each other or cannot be.

    `speed` scales the recorded gaps, `rate` scales them to a mean (requests/s), `ramp` replaces them by a
    rate over time. With `poisson` gaps are exponential, drawn from `seed`.
    """

    speed: float | None = None
    rate: float | None = None
    ramp: tuple[Segment, ...] = ()
    loop: Loop = ONCE
    poisson: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.speed is not None and self.rate is not None:
            raise UsageError(
                f"--speed {self.speed:g} and --rate {self.rate:g} exclude each other",
                hint="give one of the two",
            )
        for option, value in (("--speed", self.speed), ("--rate", self.rate)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise UsageError(
                    f"{option} is {value:g}, and must be above zero", hint=f"for example {option} 1.5"
                )
            if value is not None and self.ramp:
                raise UsageError(
                    f"--ramp and {option} {value:g} exclude each other", hint="--ramp says the rate itself"
                )
        if self.ramp and self.loop != ONCE:
            raise UsageError(
                "--ramp and --loop exclude each other",
                hint="--ramp says how long; the recording is begun again as often as that needs",
            )


def parse_duration(text: str) -> float | None:
    """`90s`, `1.5m`, `250ms` in seconds; None where it is no duration."""
    try:
        return duration_ns(text) / 1e9
    except UsageError:
        return None


def parse_loop(text: str) -> Loop:
    """`3` is three rounds, `10m` is ten minutes. Raises UsageError."""
    if text.isdecimal() and int(text) > 0:
        return Loop(rounds=int(text))
    seconds = parse_duration(text)
    if not seconds:
        raise UsageError(
            f"--loop is {text!r}, and is a number of rounds or a time",
            hint="for example --loop 3 or --loop 10m",
        )
    return Loop(rounds=None, seconds=seconds)


def parse_ramp(text: str) -> tuple[Segment, ...]:
    """`50:500:60s,500:500:30s`: from 50/s to 500/s in a minute, then so for 30 s. Raises UsageError."""
    segments = tuple(_segment(part.strip()) for part in text.split(","))
    if not any(segment.requests for segment in segments):
        raise UsageError(f"--ramp {text!r} sends nothing", hint="for example --ramp 50:500:60s")
    return segments


def _segment(part: str) -> Segment:
    words = part.split(":")
    try:
        start, end = float(words[0]), float(words[1])
        seconds = parse_duration(words[2]) if len(words) == 3 else None
    except (ValueError, IndexError):
        seconds = None
    if not seconds or not (math.isfinite(start + end) and start >= 0 and end >= 0):
        raise UsageError(
            f"--ramp has {part!r}, and each step is FROM:TO:TIME in requests/s",
            hint="for example --ramp 50:500:60s,500:500:30s",
        )
    return Segment(start, end, seconds)
