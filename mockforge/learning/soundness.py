"""Times that cannot be: what of a recording says something of answers, and nothing of when they came."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mockforge.model.exchange import Exchange

__all__ = ["Soundness", "has_possible_times", "possible_times"]

#: No answer takes longer: what does is a clock's fault (and no stub file may hold it).
_LONGEST_NS = 10 * 86_400 * 1_000_000_000
#: The two clocks of a recording may drift apart by so much before it is said.
_DRIFT_NS = 1_000_000_000


def possible_times(
    arrived_ns: NDArray[np.int64], total_ns: NDArray[np.int64], ttfb_ns: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which exchanges, of n, have times that can be; `ttfb_ns` is -1 where it is not known."""
    ends_after = (total_ns >= 0) & (total_ns <= _LONGEST_NS) & (arrived_ns >= 0)
    return np.asarray(ends_after & (ttfb_ns >= -1) & (ttfb_ns <= total_ns))


def has_possible_times(exchange: Exchange) -> bool:
    """The same of one exchange."""
    ttfb_ns = -1 if exchange.ttfb_ns is None else exchange.ttfb_ns
    ends_after = 0 <= exchange.total_ns <= _LONGEST_NS and exchange.arrived_ns >= 0
    return ends_after and -1 <= ttfb_ns <= exchange.total_ns


class Soundness:
    """Looks at the exchanges as they come, and says in the end what of their times does not fit together."""

    def __init__(self) -> None:
        self._impossible = 0
        self._least_offset_ns: int | None = None
        self._most_offset_ns: int | None = None
        self._in_flight_at_first: int | None = None

    def add(self, exchange: Exchange) -> None:
        """Look at one exchange, in the order of arrival."""
        self._impossible += not has_possible_times(exchange)
        offset_ns = exchange.wall_ns - exchange.arrived_ns
        if self._least_offset_ns is None or self._most_offset_ns is None:
            self._least_offset_ns = self._most_offset_ns = offset_ns
            self._in_flight_at_first = exchange.in_flight
        self._least_offset_ns = min(self._least_offset_ns, offset_ns)
        self._most_offset_ns = max(self._most_offset_ns, offset_ns)

    def sentences(self) -> Iterator[str]:
        """What people must know of the recording's times."""
        if self._impossible:
            have = "exchanges have" if self._impossible > 1 else "exchange has"
            yield (
                f"{self._impossible:,} {have} times that cannot be (negative, above ten days, or the first "
                "byte after the last): learned is what they answer, not when"
            )
        drift_ns = (self._most_offset_ns or 0) - (self._least_offset_ns or 0)
        if drift_ns > _DRIFT_NS:
            yield (
                f"the wall clock stepped by {drift_ns / 1e9:,.0f} s during the recording: delays rest on the "
                "steady clock, but which fields hold the time of their exchange is less certain"
            )
        if self._in_flight_at_first:
            yield (
                f"the recording starts mid-load, with {self._in_flight_at_first:,} in flight: "
                "its first answers waited for requests that it does not hold"
            )
