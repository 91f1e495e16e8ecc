"""What stands before a station or stops it: a rate limit, and stalls in which nothing completes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random

from mockforge.delays.distributions import Distribution
from mockforge.delays.station import Job, Refusal, Station

__all__ = ["RateLimit", "Stalls", "drawn_stalls"]

_NS_PER_S = 1_000_000_000
#: The least time between two stalls: without one, nothing would ever complete.
_LEAST_GAP_NS = 1_000_000
#: Stalls that were over for so long before anybody came are not gone through one by one.
_FORGOTTEN_NS = 60 * _NS_PER_S
#: With more stalls than these on the way, the next completion is given too early: who then asks learns more.
_LOOK_AHEAD = 1_000


class RateLimit:
    """A token bucket: `per_second` on average, and up to `burst` at once after a quiet time.

    Kept as the one time at which the bucket will be full again (the generic cell rate algorithm of
    ITU-T I.371, which lets in what a bucket of `burst` tokens does).
    """

    def __init__(self, per_second: float, burst: int) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError(f"a rate of {per_second} a second with bursts of {burst} lets nothing in")
        self._token_ns = _NS_PER_S / per_second
        self._slack_ns = (burst - 1) * self._token_ns
        self._full_ns: float | None = None

    def take(self, now_ns: int) -> Refusal | None:
        """Take a token, or say that there is none and when the next one comes."""
        full_ns = now_ns if self._full_ns is None else max(self._full_ns, now_ns)
        wait_ns = full_ns - self._slack_ns - now_ns
        if wait_ns > 0:
            return Refusal("rate limit", round(wait_ns))
        self._full_ns = full_ns + self._token_ns
        return None


def drawn_stalls(
    gap: Distribution, duration: Distribution, random: Random, *, time_scale: float = 1.0
) -> Iterator[tuple[int, int]]:
    """Gaps and durations of stalls in ns, drawn for ever; durations are multiplied by `time_scale`.

    The first gap is entered somewhere in its middle, as a run does not begin with a backend's own.
    """
    inside = random.random()
    while True:
        gap_ns = gap.at(random.random()) * inside
        yield max(_LEAST_GAP_NS, round(gap_ns)), round(duration.at(random.random()) * time_scale)
        inside = 1.0


class Stalls:
    """A station that stands still now and then: from t until t + d nothing completes, and then it goes on.

    Who arrives meanwhile is let in, and waits. `stalls` are (gap_ns, duration_ns), a gap counted from the end
    of the stall before it, the first from the first moment that the station is told of.
    """

    def __init__(self, station: Station, stalls: Iterator[tuple[int, int]]) -> None:
        self._station = station
        self._stalls = stalls
        #: By how much the station's own clock is behind, for all stalls that are over.
        self._lost_ns = 0
        #: Whether the first of those that are not over has begun, and all before it was taken.
        self._stands = False
        #: Stalls that are not over, as (begin, duration), in order; none before the first moment.
        self._ahead: deque[tuple[int, int]] = deque()
        self._done: list[tuple[int, Job]] = []

    @property
    def in_flight(self) -> int:
        return self._station.in_flight

    @property
    def waiting(self) -> int:
        return self._station.waiting

    def arrive(self, now_ns: int, demand_ns: int, job: Job) -> Refusal | None:
        if not self._ahead or (not self.in_flight and self._ahead[0][0] < now_ns - _FORGOTTEN_NS):
            self._ahead.clear()
            self._stands = False
            self._draw(now_ns)
        return self._station.arrive(self._pass(now_ns), demand_ns, job)

    def leave(self, now_ns: int, job: Job) -> None:
        if self._ahead:
            self._station.leave(self._pass(now_ns), job)

    def next_ns(self) -> int | None:
        if self._done:
            return self._done[0][0]
        own_ns = self._station.next_ns()
        if own_ns is None:
            return None
        at_ns = own_ns + self._lost_ns
        for number in range(_LOOK_AHEAD):
            begin_ns, duration_ns = self._stall(number)
            if begin_ns > at_ns:
                break
            at_ns += duration_ns
        return at_ns

    def advance(self, now_ns: int) -> list[tuple[int, Job]]:
        if self._ahead:
            self._pass(now_ns)
        done = self._done
        self._done = []
        return done

    def _pass(self, now_ns: int) -> int:
        """Let the time pass, stall by stall; gives what the station's own clock then shows."""
        while True:
            begin_ns, duration_ns = self._stall(0)
            if now_ns < begin_ns:
                return self._collect(now_ns)
            if not self._stands:
                self._collect(begin_ns - 1)
                self._stands = True
            if now_ns < begin_ns + duration_ns:
                return begin_ns - self._lost_ns
            self._stall(1)  # drawn while this one's end is known
            self._ahead.popleft()
            self._stands = False
            self._lost_ns += duration_ns

    def _collect(self, now_ns: int) -> int:
        """Take what completes until `now_ns`, a moment at which the station does not stand still."""
        own_ns = now_ns - self._lost_ns
        for at_ns, job in self._station.advance(own_ns):
            self._done.append((at_ns + self._lost_ns, job))
        return own_ns

    def _stall(self, number: int) -> tuple[int, int]:
        """The stall that is so many after the first that is not over."""
        while len(self._ahead) <= number:
            begin_ns, duration_ns = self._ahead[-1]
            self._draw(begin_ns + duration_ns)
        return self._ahead[number]

    def _draw(self, after_ns: int) -> None:
        gap_ns, duration_ns = next(self._stalls)
        self._ahead.append((after_ns + gap_ns, duration_ns))
