"""vegeta: results as `vegeta encode` writes them, JSON lines or CSV; its binary form has to be encoded."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson

from mockforge.report.readers.k6 import when_ns
from mockforge.report.readers.toolrun import ToolRun, bad_row, name_of

__all__ = ["is_csv", "is_json", "read_csv", "read_json"]

_COLUMNS = 12


def is_json(head: bytes) -> bool:
    """Whether a file that begins so is vegeta's JSON."""
    return b'"attack"' in head and b'"latency"' in head


def is_csv(head: bytes) -> bool:
    """Whether a file that begins so is vegeta's CSV: it has twelve columns and no header."""
    first = head.split(b"\n", 1)[0].split(b",")
    return len(first) == _COLUMNS and first[0].isdigit() and len(first[0]) >= 18 and first[1].isdigit()


def read_json(path: Path) -> ToolRun:
    """Every request. Latency counts from the actual send, as vegeta has it."""
    run = ToolRun("vegeta", 1)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                hit = orjson.loads(line)
                start_ns = when_ns(hit["timestamp"])
                _take(
                    run, hit.get("method", "GET"), hit.get("url", "/"), start_ns, hit["latency"], hit["code"]
                )
            except (orjson.JSONDecodeError, KeyError, ValueError) as error:
                if not line.endswith(b"\n"):
                    run.torn = f"line {number} ends in its middle"
                    break
                raise bad_row(path, number, [line.decode(errors="replace")], f"{error}") from error
    return run


def read_csv(path: Path) -> ToolRun:
    """Every request of the CSV: timestamp, code, latency, bytes out and in, error, body, attack, …"""
    run = ToolRun("vegeta", 1)
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file), 1):
            if len(row) < _COLUMNS:
                run.torn = f"line {number} ends in its middle"
                break
            try:
                _take(run, row[9], row[10], int(row[0]), int(row[2]), int(row[1]))
            except ValueError as error:
                raise bad_row(path, number, row, f"{error}") from error
    return run


def _take(run: ToolRun, method: str, url: str, start_ns: int, latency_ns: int, code: int) -> None:
    run.add(name_of(method, url), start_ns, latency_ns, code, failed=code == 0 or code >= 400)
