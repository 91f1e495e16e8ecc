"""k6: the JSON stream (`--out json=FILE`, also gzipped) and the CSV (`--out csv=FILE`)."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson

from mockforge.report.readers.toolrun import ToolRun, bad_row, name_of

__all__ = ["is_csv", "is_json", "read_csv", "read_json", "when_ns"]

_DURATION = "http_req_duration"
_WAITING = "http_req_waiting"
_FAILED = "http_req_failed"
_NS_PER_MS = 1e6


def is_json(head: bytes) -> bool:
    """Whether a file that begins so is a k6 JSON stream."""
    return b'"type":"Metric"' in head.replace(b" ", b"") or b'"type":"Point"' in head.replace(b" ", b"")


def is_csv(head: bytes) -> bool:
    """Whether a file that begins so is k6's CSV."""
    return head.startswith(b"metric_name,timestamp,metric_value")


def read_json(path: Path) -> ToolRun:
    """Every request; its points follow each other with one time and the same tags."""
    run = ToolRun("k6", 1_000)
    waiting: dict[tuple[str, str], float] = {}
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            try:
                point = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                if not line.endswith("\n"):
                    run.torn = f"line {number} ends in its middle"
                    break
                raise bad_row(path, number, [line.strip()], "not JSON") from error
            if point.get("type") != "Point" or point.get("metric") not in (_DURATION, _WAITING, _FAILED):
                continue
            data = point["data"]
            tags = data.get("tags") or {}
            key = (data["time"], tags.get("url", ""))
            if point["metric"] == _WAITING and run.names and waiting.pop(key, None) is not None:
                run.ttfb_ns[-1] = round(data["value"] * _NS_PER_MS)
            elif point["metric"] == _DURATION:
                waiting = {key: 1.0}
                _take(run, tags, data["value"], when_ns(data["time"]))
    return _from_ends(run)


def read_csv(path: Path) -> ToolRun:
    """Every request, by the names in the header."""
    run = ToolRun("k6", 1_000)
    whole_seconds = True
    with _opened(path) as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            if row.get("metric_name") not in (_DURATION, _WAITING):
                continue
            try:
                value = float(row["metric_value"])
                stamp = row["timestamp"]
                at_ns = when_ns(stamp)
            except (TypeError, ValueError) as error:
                raise bad_row(path, number, row.values(), "no number") from error
            whole_seconds = whole_seconds and stamp.isdigit() and len(stamp) <= 11
            if row["metric_name"] == _WAITING:
                if run.names:
                    run.ttfb_ns[-1] = round(value * _NS_PER_MS)
                continue
            _take(run, row, value, at_ns)
    if whole_seconds and len(run):
        run.remarks.append(
            "k6 wrote whole seconds, so rates within a second are not known (K6_CSV_TIME_FORMAT=unix_nano)"
        )
    return _from_ends(run)


def _take(run: ToolRun, tags: Mapping[str, Any], value_ms: float, at_ns: int) -> None:
    url, name = str(tags.get("url") or ""), str(tags.get("name") or "")
    method = str(tags.get("method") or "GET")
    status = int(tags.get("status") or 0)
    own_label = bool(name) and name != url
    run.from_urls = run.from_urls and not own_label
    expected = str(tags.get("expected_response", "")).lower()
    failed = expected == "false" if expected else status == 0 or status >= 400
    label = f"{method} {name}" if own_label else name_of(method, url)
    run.add(label, at_ns, value_ms * _NS_PER_MS, status, failed=failed)


def _from_ends(run: ToolRun) -> ToolRun:
    """k6 stamps a request when it is over; its start is earlier by its duration."""
    run.start_ns = [end - total for end, total in zip(run.start_ns, run.total_ns, strict=True)]
    return run


def when_ns(stamp: str) -> int:
    """RFC 3339, or a Unix time in s, ms, µs or ns."""
    if stamp.isdigit():
        return int(stamp) * int(10 ** max(0, 19 - len(stamp)))
    whole, _, rest = stamp.partition(".")
    digits = rest.rstrip("Z").partition("+")[0].partition("-")[0]
    zone = rest[len(digits) :] if rest else ""
    moment = datetime.fromisoformat((whole + zone).replace("Z", "+00:00"))
    return round(moment.timestamp()) * 10**9 + int((digits + "0" * 9)[:9] or 0)


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        binary: Any = gzip.GzipFile(fileobj=raw) if zipped else raw
        yield io.TextIOWrapper(binary, encoding="utf-8", newline="")
