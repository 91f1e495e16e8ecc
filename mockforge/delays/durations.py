"""Durations as people write them: `12ms`, `1.5s`, `2m`; a number alone is milliseconds."""

from __future__ import annotations

import re

__all__ = ["milliseconds_of"]

_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ns|us|µs|ms|s|m|min|h)")
_IN_MS = {
    "ns": 1e-6,
    "us": 1e-3,
    "µs": 1e-3,
    "ms": 1.0,
    "s": 1e3,
    "m": 60e3,
    "min": 60e3,
    "h": 3600e3,
}


def milliseconds_of(text: str) -> float | None:
    """The duration in milliseconds; None for what is none."""
    found = _DURATION.fullmatch(text.strip())
    return None if found is None else float(found[1]) * _IN_MS[found[2]]
