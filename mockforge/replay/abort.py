"""Ending a replay that does harm: conditions on the last ten seconds of answers.

    error_rate>5%     more than that share of the answers were errors
    p95>2s            the 95th percentile of the response time is above; any percentile, us ms s or m

A replay against an environment that others use too must not go on hammering it once it has broken down.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from mockforge.errors import EXIT_OUTSIDE, MockForgeError, UsageError
from mockforge.model.exchange import Exchange
from mockforge.replay.pace import parse_duration
from mockforge.stats.sketch import QuantileSketch

__all__ = ["FEWEST", "WINDOW_S", "AbortedError", "Condition", "Watch", "parse_condition"]

#: The answers that count, in seconds back, and how many of them it takes to judge.
WINDOW_S = 10
FEWEST = 50

_S = 1_000_000_000
_CHECK_NS = 250_000_000
_ERROR_RATE = re.compile(r"error_rate\s*>\s*(\d+(?:\.\d+)?)\s*%")
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)\s*>\s*(\S+)")


class AbortedError(MockForgeError):
    """A condition of --abort-if came true."""

    exit_code = EXIT_OUTSIDE


@dataclass(frozen=True, slots=True)
class Condition:
    """`text` as given. Above `limit` the run ends: a share of errors, or ns at `probability`."""

    text: str
    limit: float
    probability: float | None = None


def parse_condition(text: str) -> Condition:
    """Raises UsageError for what is no condition."""
    stripped = text.strip()
    if match := _ERROR_RATE.fullmatch(stripped):
        if float(match[1]) < 100:
            return Condition(stripped, float(match[1]) / 100)
    elif match := _PERCENTILE.fullmatch(stripped):
        seconds = parse_duration(match[2])
        if seconds is not None and float(match[1]) > 0:
            return Condition(stripped, seconds * _S, float(match[1]) / 100)
    raise UsageError(
        f"--abort-if is {text!r}, which is no condition",
        hint="for example --abort-if 'error_rate>5%' or --abort-if 'p95>2s'",
    )


@dataclass(slots=True)
class _Second:
    """The answers that came in one second of the run."""

    number: int
    count: int = 0
    errors: int = 0
    response_ns: QuantileSketch = field(default_factory=QuantileSketch)


class Watch:
    """Holds the last ten seconds of answers against conditions; costs about a microsecond an answer.

    Requests that were not sent, or that the replay's own end cut off, are no answers.
    """

    def __init__(self, conditions: tuple[Condition, ...]) -> None:
        self._conditions = conditions
        self._seconds: deque[_Second] = deque()
        self._next_check_ns = 0

    def add(self, exchange: Exchange) -> str | None:
        """Count an exchange that has just ended; the reason to end the run, if there is one."""
        if not self._conditions or exchange.lateness_ns is None:
            return None
        now_ns = exchange.arrived_ns + exchange.total_ns
        number = now_ns // _S
        if not self._seconds or self._seconds[-1].number < number:
            self._seconds.append(_Second(number))
            while self._seconds[0].number <= number - WINDOW_S:
                self._seconds.popleft()
        second = self._seconds[-1]
        second.count += 1
        second.errors += exchange.failed
        second.response_ns.add(exchange.total_ns)
        if now_ns < self._next_check_ns:
            return None
        self._next_check_ns = now_ns + _CHECK_NS
        return self._judge()

    def _judge(self) -> str | None:
        count = sum(second.count for second in self._seconds)
        if count < FEWEST:
            self._next_check_ns = 0
            return None
        for condition in self._conditions:
            if condition.probability is None:
                errors = sum(second.errors for second in self._seconds)
                value, shown = errors / count, f"{errors} of {count} answers were errors"
            else:
                value = self._quantile(condition.probability)
                shown = f"it was {value / _S:.2g} s over {count} answers"
            if value > condition.limit:
                return f"{condition.text}: {shown} in the last {WINDOW_S} s"
        return None

    def _quantile(self, probability: float) -> float:
        merged = QuantileSketch()
        for second in self._seconds:
            merged.merge(second.response_ns)
        return merged.quantile(probability)
