"""How figures are written for people, the same everywhere."""

from __future__ import annotations

import math

__all__ = [
    "count",
    "milliseconds",
    "percent",
    "points",
    "rate",
    "signed_milliseconds",
    "signed_percent",
    "size",
]

_NONE = "–"


def milliseconds(value: float) -> str:
    """`0.42`, `9.81`, `61.4`, `1,204`: three digits that mean something; a dash for NaN."""
    if math.isnan(value):
        return _NONE
    if abs(value) < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if abs(value) < 1000 else f"{value:,.0f}"


def signed_milliseconds(value: float) -> str:
    """A difference of latencies: `+0.42 ms`, `-61.4 ms`."""
    return (
        _NONE if math.isnan(value) else f"{'-' if round(value, 2) < 0 else '+'}{milliseconds(abs(value))} ms"
    )


def size(number: float) -> str:
    """`812 B`, `1.2 kB`, `3.4 MB`."""
    if math.isnan(number):
        return _NONE
    for unit, scale in (("MB", 1e6), ("kB", 1e3)):
        if abs(number) >= scale:
            return f"{number / scale:,.1f} {unit}"
    return f"{number:.0f} B"


def percent(share: float) -> str:
    """`0.134` as `13.4 %`."""
    return _NONE if math.isnan(share) else f"{share * 100:.1f} %"


def signed_percent(share: float) -> str:
    """`-0.05` as `-5.0 %`, `0.05` as `+5.0 %`; what rounds to nothing is `+0.0 %` from either side."""
    return _NONE if math.isnan(share) else f"{_tenths(share * 100):+.1f} %"


def points(difference: float) -> str:
    """A difference of shares in percentage points: `+0.4 pp`."""
    return _NONE if math.isnan(difference) else f"{_tenths(difference * 100):+.1f} pp"


def rate(per_second: float) -> str:
    """`81.2/s`."""
    return _NONE if math.isnan(per_second) else f"{per_second:,.1f}/s"


def count(number: float) -> str:
    """`12,345`."""
    return f"{number:,.0f}"


def _tenths(value: float) -> float:
    """Rounded as it is shown, without the sign of a vanished negative."""
    return round(value, 1) + 0.0
