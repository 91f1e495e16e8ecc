"""k6: the JSON stream (`--out json=FILE`, also gzipped) and the CSV (`--out csv=FILE`).

One request is several points in a row, of one time: that of its end. `url` is the `name` tag wherever a
script gave one, so that only the name says whether somebody named the request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mockforge.model.sample import FailureKind
from mockforge.recording.foreign.failures import kind_of
from mockforge.recording.foreign.instants import epoch_ns, iso_ns
from mockforge.report.readers.opened import read_json_lines, read_rows
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import NS_PER_MS, NS_PER_S, Sample, ToolRun

__all__ = ["READERS"]

_DURATION = "http_req_duration"
_SENDING = "http_req_sending"
_WAITING = "http_req_waiting"
_DROPPED = "dropped_iterations"
_FROM_SEND = "k6 times from the actual send: what a request waited for a free VU is not in its latency"
_POINT = re.compile(rb'"type": ?"(?:Metric|Point)"')
_LONGEST_SECONDS = 11
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|/|\$\{\})\S*")
#: What the points that count have in them: all others, and most lines are others, are not even parsed.
_WANTED = re.compile(rb'"(?:http_req_(?:duration|sending|waiting)|dropped_iterations)"')
_HEADER = b"metric_name,timestamp,metric_value"


def _is_json(head: bytes) -> bool:
    first = head.split(b"\n", 1)[0]
    return first.startswith(b"{") and b'"metric"' in first and _POINT.search(first) is not None


def _read_json(path: Path) -> ToolRun:
    points = _Points()

    def take(point: Any) -> None:
        if point.get("type") == "Point":
            data = point["data"]
            points.take(point["metric"], data["time"], float(data["value"]), data.get("tags") or {})

    read_json_lines(path, points.run, take, _WANTED)
    return points.ended()


def _read_csv(path: Path) -> ToolRun:
    points = _Points()

    def take(row: Mapping[str, str]) -> None:
        points.take(row["metric_name"], row["timestamp"], float(row["metric_value"]), row)

    read_rows(path, points.run, take)
    return points.ended()


class _Points:
    """k6's points, a request's duration first, put together into samples."""

    def __init__(self) -> None:
        self.run = ToolRun("k6", 1, remarks=[_FROM_SEND])
        self._dropped = 0
        self._whole_seconds = True
        self._last: str = ""
        self._sending_ns = 0

    def take(self, metric: str, time: str, value: float, tags: Mapping[str, str]) -> None:
        """One point, its value in ms where it is a time."""
        if metric == _DURATION:
            self._last, self._sending_ns = time, 0
            self._add(time, round(value * NS_PER_MS), tags)
        elif metric == _SENDING and time == self._last:
            self._sending_ns = round(value * NS_PER_MS)
        elif metric == _WAITING and time == self._last:
            self.run.ttfb_ns[-1] = self._sending_ns + round(value * NS_PER_MS)
        elif metric == _DROPPED:
            self._dropped += int(value)

    def _add(self, time: str, total_ns: int, tags: Mapping[str, str]) -> None:
        self._whole_seconds &= not ("." in time or (time.isdigit() and len(time) > _LONGEST_SECONDS))
        ended_ns = epoch_ns(time, None) if time.isdigit() else iso_ns(time)
        status = int(tags.get("status") or 0)
        expected = tags.get("expected_response") or ""
        name, method = tags.get("name") or tags.get("url") or "", tags.get("method") or "GET"
        self.run.add(
            Sample(
                label=f"{method} {name}" if _ADDRESS.fullmatch(name) else name,
                start_ns=ended_ns - total_ns,
                total_ns=total_ns,
                status=status,
                failed=expected == "false" if expected else not 0 < status < 400,
                failure=kind_of(tags.get("error") or "") if not status else FailureKind.NONE,
            )
        )

    def ended(self) -> ToolRun:
        """The run, with what is to be said of it."""
        run = self.run
        if self._dropped:
            run.remarks.append(
                f"k6 dropped {self._dropped} iterations (dropped_iterations): they were due, and never sent"
            )
        if self._whole_seconds and len(run):
            run.start_step_ns = NS_PER_S
            run.remarks.append(
                "k6 wrote whole seconds, so rates and order within a second are not known "
                "(K6_CSV_TIME_FORMAT=unix_nano)"
            )
        return run


READERS = (
    Reader(
        name="k6 JSON stream",
        made_by="`k6 run --out json=FILE`, also `.gz`",
        recognises=_is_json,
        read=_read_json,
        measures="actual send to last byte; first byte; failures by `expected_response`",
        rounding="none",
        defects="waiting for a free VU is not in it; `dropped_iterations` are counted and said",
    ),
    Reader(
        name="k6 CSV",
        made_by="`k6 run --out csv=FILE`",
        recognises=lambda head: head.startswith(_HEADER),
        read=_read_csv,
        measures="as the JSON stream",
        rounding="1 ns; starts to whole seconds unless `K6_CSV_TIME_FORMAT=unix_nano`",
        defects="as the JSON stream; whole seconds hide order and rates within a second",
    ),
)
