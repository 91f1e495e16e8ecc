"""hey, oha and ab: tables of requests without names of their own."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

from mockforge.report.readers.toolrun import ToolRun, bad_row

__all__ = ["is_ab", "is_hey", "is_oha", "read_ab", "read_hey", "read_oha"]

_NS_PER_S = 1e9
_NS_PER_MS = 1e6
_HEY_MOST = 1_000_000
_ANY = "GET /"


def is_hey(head: bytes) -> bool:
    """Whether a file that begins so is hey's CSV (`-o csv`)."""
    return head.startswith(b"response-time,DNS+dialup,DNS,Request-write")


def is_oha(head: bytes) -> bool:
    """Whether a file that begins so is oha's CSV."""
    return head.startswith(b"request-start,DNS,DNS+dialup,Response-delay")


def is_ab(head: bytes) -> bool:
    """Whether a file that begins so is ApacheBench's table (`-g`)."""
    return head.startswith(b"starttime\tseconds\tctime\tdtime\tttime\twait")


def read_hey(path: Path) -> ToolRun:
    """Every request that was answered: hey leaves failed connections out, and rounds to 0.1 ms."""
    run = ToolRun("hey", 100_000)
    run.remarks.append("hey writes only requests that were answered, and rounds to 0.1 ms")

    def take(row: Mapping[str, str]) -> None:
        status = int(row["status-code"])
        run.add(
            _ANY,
            float(row["offset"]) * _NS_PER_S,
            float(row["response-time"]) * _NS_PER_S,
            status,
            failed=status >= 400,
            ttfb_ns=(float(row["response-time"]) - float(row["Response-read"])) * _NS_PER_S,
        )

    _each(path, ",", run, take)
    if len(run) >= _HEY_MOST:
        run.remarks.append("hey keeps only the first 1,000,000 requests")
    return run


def read_oha(path: Path) -> ToolRun:
    """Every request that was answered: oha leaves errors out."""
    run = ToolRun("oha", 1_000)
    run.remarks.append("oha writes only requests that were answered; errors are missing")

    def take(row: Mapping[str, str]) -> None:
        status = int(row["status"])
        run.add(
            _ANY,
            float(row["request-start"]) * _NS_PER_S,
            float(row["request-duration"]) * _NS_PER_S,
            status,
            failed=status >= 400,
            ttfb_ns=float(row["Response-delay"]) * _NS_PER_S,
        )

    _each(path, ",", run, take)
    return run


def read_ab(path: Path) -> ToolRun:
    """Every request: whole seconds of start, whole milliseconds of duration, no status."""
    run = ToolRun("ab", 1_000_000)
    run.remarks.append("ab writes no status, whole seconds of start, and whole milliseconds of duration")

    def take(row: Mapping[str, str]) -> None:
        total_ns = float(row["ttime"]) * _NS_PER_MS
        run.add(_ANY, int(row["seconds"]) * _NS_PER_S, total_ns, 200, failed=False)

    _each(path, "\t", run, take)
    return run


def _each(path: Path, delimiter: str, run: ToolRun, take: Callable[[Mapping[str, str]], None]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter=delimiter), 2):
            if None in row.values():
                run.torn = f"line {number} ends in its middle"
                return
            try:
                take(row)
            except (KeyError, ValueError) as error:
                raise bad_row(path, number, row.values(), f"{error}") from error
