"""JMeter: JTL files, CSV or XML."""

from __future__ import annotations

import csv
from pathlib import Path
from xml.etree import ElementTree

from mockforge.report.readers.toolrun import ToolRun, bad_row

__all__ = ["is_csv", "is_xml", "read_csv", "read_xml"]

_NS_PER_MS = 1_000_000


def is_csv(head: bytes) -> bool:
    """Whether a file that begins so is a JTL in CSV with its header."""
    first = head.split(b"\n", 1)[0]
    return b"timeStamp" in first and b"elapsed" in first


def is_xml(head: bytes) -> bool:
    """Whether a file that begins so is a JTL in XML."""
    return b"<testResults" in head


def read_csv(path: Path) -> ToolRun:
    """Every sample, by the names in the header; the delimiter is what the header uses."""
    run = ToolRun("JMeter", _NS_PER_MS, from_urls=False)
    with path.open(encoding="utf-8", newline="", errors="replace") as file:
        header = file.readline()
        file.seek(0)
        delimiter = next((sign for sign in (",", "\t", ";") if sign in header), ",")
        for number, row in enumerate(csv.DictReader(file, delimiter=delimiter), 2):
            try:
                _take(run, {key: value or "" for key, value in row.items() if key})
            except (KeyError, ValueError) as error:
                if row.get("elapsed") in (None, ""):
                    run.torn = f"line {number} ends in its middle"
                    break
                raise bad_row(path, number, row.values(), f"{error}") from error
    return run


def read_xml(path: Path) -> ToolRun:
    """Every sample, those within transactions left to their transaction."""
    run = ToolRun("JMeter", _NS_PER_MS, from_urls=False)
    depth = 0
    try:
        for event, element in ElementTree.iterparse(path, events=("start", "end")):  # noqa: S314 - own results
            if element.tag not in ("httpSample", "sample"):
                continue
            depth += 1 if event == "start" else -1
            if event == "end" and depth == 0:
                of = element.attrib
                _take(
                    run,
                    {
                        "timeStamp": of["ts"],
                        "elapsed": of["t"],
                        "Latency": of.get("lt", ""),
                        "label": of.get("lb", ""),
                        "responseCode": of.get("rc", ""),
                        "success": of.get("s", ""),
                    },
                )
                element.clear()
    except ElementTree.ParseError as error:
        run.torn = f"{error}"
    except (KeyError, ValueError) as error:
        raise bad_row(path, len(run) + 1, [], f"{error}") from error
    return run


def _take(run: ToolRun, row: dict[str, str]) -> None:
    code = row.get("responseCode", "")
    latency = row.get("Latency", "")
    run.add(
        row["label"],
        int(row["timeStamp"]) * _NS_PER_MS,
        int(row["elapsed"]) * _NS_PER_MS,
        int(code) if code.isdigit() else 0,
        failed=row.get("success", "true").lower() != "true",
        ttfb_ns=int(latency) * _NS_PER_MS if latency.isdigit() else -1,
    )
