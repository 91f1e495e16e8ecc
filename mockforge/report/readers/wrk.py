"""wrk and wrk2: what they print (`--latency`)."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary
from mockforge.report.readers.opened import Opened
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, NS_PER_MS, ToolSummary

__all__ = ["READERS"]

_UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3, "h": 3600e3}
_ADDRESS = re.compile(r"^Running \S+ test @ (\S+)", re.M)
_AVERAGE = re.compile(r"^\s+Latency\s+([\d.]+)(us|ms|s|m|h)\s", re.M)
_LEVEL = re.compile(r"^\s+([\d.]+)%\s+([\d.]+)(us|ms|s|m|h)\s*$", re.M)
_UNCORRECTED = re.compile(r"^.*Uncorrected Latency.*$", re.M)
_DETAIL = re.compile(r"^\s+(\d[\d.]*)\s+([01]\.\d+)\s+\d+\s+(?:[\d.]+|inf)\s*$", re.M)
_COUNT = re.compile(r"^\s+(\d+) requests in ([\d.]+)(us|ms|s|m|h)", re.M)
_NOT_2XX = re.compile(r"^\s+Non-2xx or 3xx responses: (\d+)", re.M)
_SOCKET = re.compile(r"^\s+Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", re.M)
_CORRECTED = "wrk2 times from when a request was due; its own clock is 1 ms coarse"
_CLOSED = (
    "wrk waits for an answer before it sends on (coordinated omission): what a stall held back was never "
    "sent, so that its percentiles are better than any caller's"
)
_DIGITS = "wrk prints two decimals of a unit"
_PRECISION = 0.005
_NOT_GOOD = "not 2xx or 3xx"


def _read(path: Path) -> ToolSummary:
    with Opened(path) as opened:
        text = opened.file.read().decode("utf-8", "replace")
    ended, address = _COUNT.search(text), _ADDRESS.search(text)
    if ended is None or address is None:
        raise ComparisonError("wrk was stopped before it had any result", where=str(path))
    corrected = "HdrHistogram - Recorded Latency" in text
    shown = _UNCORRECTED.split(text)[0]
    quantiles = {
        round(float(p) / 100, 9): float(value) * _UNITS_MS[unit] for p, value, unit in _LEVEL.findall(shown)
    }
    quantiles |= {float(p): float(ms) for ms, p in _DETAIL.findall(shown)}
    average = _AVERAGE.search(text)
    errors = _errors(text)
    unanswered = sum(count for name, count in errors.items() if name != _NOT_GOOD)
    answered, seconds = int(ended[1]), float(ended[2]) * _UNITS_MS[ended[3]] / 1e3
    parts = urlsplit(address[1])
    whole = OperationSummary(
        name=f"GET {parts.path or '/'}",
        count=answered + unanswered,
        failed=sum(errors.values()),
        mean_ms=float(average[1]) * _UNITS_MS[average[2]] if average else math.nan,
        quantiles_ms=dict(sorted(quantiles.items())),
        answered_per_s=(answered - errors.get(_NOT_GOOD, 0)) / seconds if seconds else math.nan,
    )
    remarks = [_CORRECTED if corrected else _CLOSED, _DIGITS]
    if not quantiles:
        remarks.append("there are no percentiles in it: run wrk with --latency")
    return ToolSummary(
        tool="wrk2" if corrected else "wrk",
        operations=[whole],
        overall=replace(whole, name=ANY),
        duration_s=seconds,
        resolution_ns=NS_PER_MS if corrected else 0,
        precision=_PRECISION,
        errors=errors,
        remarks=remarks,
    )


def _errors(text: str) -> dict[str, int]:
    bad, socket = _NOT_2XX.search(text), _SOCKET.search(text)
    errors = {_NOT_GOOD: int(bad[1])} if bad else {}
    if socket:
        counts = zip(("connect", "read", "write", "timeout"), socket.groups(), strict=True)
        errors |= {name: int(count) for name, count in counts if count != "0"}
    return errors


READERS = (
    Reader(
        name="wrk text",
        made_by="`wrk --latency > FILE`, `wrk2 --latency > FILE`",
        recognises=lambda head: head.startswith(b"Running ") and b" test @ " in head.split(b"\n", 1)[0],
        read=_read,
        measures="the one address: p50, p75, p90, p99; wrk2: all percentiles, from when a request was due",
        rounding="two decimals of its unit: 0.5 %; wrk2's clock 1 ms",
        defects="wrk: closed loop (coordinated omission); no percentiles without `--latency`",
        summary=True,
    ),
)
