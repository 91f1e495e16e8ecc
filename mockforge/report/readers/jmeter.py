"""JMeter: JTL files, CSV (with or without their header, any delimiter) or XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from mockforge.model.sample import FailureKind
from mockforge.recording.foreign.failures import kind_of
from mockforge.report.readers.opened import Opened, bad_row, head_of, read_rows
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import NS_PER_MS, NS_PER_S, Sample, ToolRun

__all__ = ["READERS"]

#: The columns that JMeter writes unless it is told otherwise.
_COLUMNS = (
    "timeStamp",
    "elapsed",
    "label",
    "responseCode",
    "responseMessage",
    "threadName",
    "dataType",
    "success",
    "failureMessage",
    "bytes",
    "sentBytes",
    "grpThreads",
    "allThreads",
    "URL",
    "Latency",
    "IdleTime",
    "Connect",
)
#: The CSV's columns, by the attributes that are shorter.
_COLUMN_OF = {
    "ts": "timeStamp",
    "t": "elapsed",
    "lt": "Latency",
    "lb": "label",
    "rc": "responseCode",
    "rm": "responseMessage",
    "s": "success",
}
_HEADER = re.compile(rb'"?[A-Za-z]+"?(?P<delimiter>[^A-Za-z"])')
_BARE = re.compile(
    rb"\d{13}(?P<delimiter>[,;|\t])\d+(?P=delimiter)[^\n]*(?P=delimiter)(?:true|false)(?P=delimiter)"
)
_ROUNDING = "JMeter rounds to whole milliseconds"
_CONNECT = "JMeter's times include connecting where a connection was new"
_TRANSACTION = "Number of samples in transaction"
#: The forms that JMeter itself reads timestamps in.
_FORMS = ("%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%m/%d/%y %H:%M:%S")


def _is_csv(head: bytes) -> bool:
    first = head.split(b"\n", 1)[0]
    return (b"timeStamp" in first and b"elapsed" in first) or _BARE.match(first) is not None


def _read_csv(path: Path) -> ToolRun:
    runs = _Runs()
    first = head_of(path).split(b"\n", 1)[0]
    bare = _BARE.match(first)
    found = bare or _HEADER.match(first)
    delimiter = found["delimiter"].decode("latin-1") if found else ","
    read_rows(path, runs.requests, runs.take, delimiter=delimiter, columns=_COLUMNS if bare else ())
    return runs.ended()


def _read_xml(path: Path) -> ToolRun:
    runs = _Runs()
    with Opened(path) as opened:
        try:
            for element in _outermost(opened):
                row = {_COLUMN_OF.get(name, name): value for name, value in element.items()}
                if len(element) and element.find("*[@ts]") is not None:  # its requests are in it, not beside
                    row["responseMessage"] = ""
                runs.take(row)
        except ElementTree.ParseError as error:
            runs.requests.torn = opened.torn or f"its XML ends or breaks at line {error.position[0]}"
        except (KeyError, ValueError, OverflowError) as error:
            raise bad_row(path, len(runs.requests) + 1, "sample", error) from error
    return runs.ended()


def _outermost(opened: Opened) -> Iterator[ElementTree.Element]:
    """The samples, each with its parts in it, forgotten once they were looked at."""
    depth, root = 0, None
    for event, element in ElementTree.iterparse(opened.file, events=("start", "end")):  # noqa: S314 - own results
        if root is None:
            root = element
        if element.tag not in ("httpSample", "sample"):
            continue
        depth += 1 if event == "start" else -1
        if event == "end" and depth == 0:
            yield element
            root.clear()


class _Runs:
    """Requests, and the transactions that stand beside their own requests."""

    def __init__(self) -> None:
        self.requests = _run()
        self._transactions = _run()
        self._whole_seconds = True

    def take(self, row: Mapping[str, str]) -> None:
        code, said, latency = (row.get(name, "") for name in ("responseCode", "responseMessage", "Latency"))
        failed = row.get("success", "true").lower() != "true"
        stamp = row["timeStamp"].strip()
        self._whole_seconds &= not (stamp.isdigit() or "." in stamp)
        total_ms, ttfb_ms = int(row["elapsed"]), int(latency) if latency.isdigit() else 0
        status = int(code) if code.isdigit() else 0
        into = self._transactions if said.startswith(_TRANSACTION) else self.requests
        into.add(
            Sample(
                label=row["label"],
                start_ns=_when_ns(stamp),
                total_ns=total_ms * NS_PER_MS,
                status=status,
                failed=failed,
                ttfb_ns=ttfb_ms * NS_PER_MS if ttfb_ms or not total_ms else -1,
                failure=kind_of(f"{code} {said}") if failed and not status else FailureKind.NONE,
            )
        )

    def ended(self) -> ToolRun:
        """The requests; the transactions where a file has nothing else."""
        run, left_out = self.requests, len(self._transactions)
        if left_out and not len(run):
            self._transactions.torn = run.torn
            run, left_out = self._transactions, 0
        if left_out:
            run.remarks.append(f"{left_out:,} transactions, which sum up other requests, are left out")
        if self._whole_seconds and len(run):
            run.start_step_ns = NS_PER_S
            run.remarks.append("JMeter wrote whole seconds of start: rates within a second are not known")
        return run


def _run() -> ToolRun:
    return ToolRun("JMeter", NS_PER_MS, remarks=[_ROUNDING, _CONNECT])


def _when_ns(stamp: str) -> int:
    """Milliseconds since 1970, or a written time (without its zone, so taken for UTC)."""
    if stamp.isdigit():
        return int(stamp) * NS_PER_MS
    whole, _, fraction = stamp.replace(",", ".").partition(".")
    for form in _FORMS:
        try:
            moment = datetime.strptime(whole, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return int(moment.timestamp()) * NS_PER_S + int((fraction + "0" * 9)[:9])
    raise ValueError(f"{stamp!r} is no time that is known, such as 1795789792413 or 2026/11/27 14:29:52.413")


_MEASURES = "begin of sending (connecting too, where new) to last byte; first byte; failures by `success`"
_DEFECTS = "transactions beside their own requests are left out; a time without its zone is taken for UTC"

READERS = (
    Reader(
        name="JMeter JTL (CSV)",
        made_by="`jmeter -n -l FILE`; any delimiter, header optional, timestamps in ms or written",
        recognises=_is_csv,
        read=_read_csv,
        measures=_MEASURES,
        rounding="1 ms",
        defects=_DEFECTS,
    ),
    Reader(
        name="JMeter JTL (XML)",
        made_by="`jmeter -n -l FILE -Jjmeter.save.saveservice.output_format=xml`",
        recognises=lambda head: b"<testResults" in head,
        read=_read_xml,
        measures=_MEASURES,
        rounding="1 ms",
        defects="requests within a transaction are left to it",
    ),
)
