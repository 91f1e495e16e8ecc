"""HAR 1.2 as a run: what a browser, a proxy or k6's converter saw, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mockforge.errors import ComparisonError
from mockforge.recording.foreign.failures import kind_of
from mockforge.recording.foreign.instants import iso_ns
from mockforge.recording.foreign.json_spans import begin_of, elements, member, parsed
from mockforge.recording.foreign.unusable import Unusable
from mockforge.report.readers.opened import Opened
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import NS_PER_MS, Sample, ToolRun

__all__ = ["READERS"]

_BROWSER = "the HAR is counted from each request's last byte sent; being blocked and connecting is not in it"


def _recognises(head: bytes) -> bool:
    return head.startswith(b"{") and b'"log"' in head[:256] and (b'"entries"' in head or b'"creator"' in head)


def _read(path: Path) -> ToolRun:
    run = ToolRun("HAR", NS_PER_MS // 1_000, remarks=[_BROWSER])
    with Opened(path) as opened:
        data = opened.file.read()
        run.torn = opened.torn
    number = 0
    try:
        log, _ = member(data, begin_of(data), "log")
        entries = member(data, log, "entries")[0] if log is not None else None
        spans = enumerate(elements(data, entries), 1) if entries is not None else ()
        for number, span in spans:
            try:
                _take(run, parsed(data[slice(*span)]))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
                raise ComparisonError(f"entry {number} cannot be read: {why}", where=str(path)) from error
    except Unusable:
        run.torn = f"it ends in the middle of entry {number + 1}"
    return run


def _take(run: ToolRun, entry: Mapping[str, Any]) -> None:
    if entry.get("_fromCache"):
        return
    timings = entry.get("timings") or {}
    wait_ms, receive_ms = (max(float(timings.get(name) or 0), 0.0) for name in ("wait", "receive"))
    whole_ms = max(float(entry.get("time") or 0), wait_ms + receive_ms)
    total_ms = wait_ms + receive_ms or whole_ms
    status = max(int(entry["response"].get("status") or 0), 0)
    size = entry["response"].get("content", {}).get("size", -1)
    said = str(entry["response"].get("_error") or entry.get("_error") or "")
    run.add(
        Sample(
            label=f"{entry['request']['method']} {entry['request']['url']}",
            start_ns=iso_ns(entry["startedDateTime"]) + (whole_ms - total_ms) * NS_PER_MS,
            total_ns=total_ms * NS_PER_MS,
            status=status,
            failed=bool(said) or not 0 < status < 400,
            ttfb_ns=wait_ms * NS_PER_MS if timings.get("wait", -1) >= 0 and status else -1,
            size=size if isinstance(size, int) else -1,
            failure=kind_of(said or ("" if status else "no answer"), answered=status > 0),
        )
    )


READERS = (
    Reader(
        name="HAR",
        made_by="browsers, proxies, `mockforge export --format har`",
        recognises=_recognises,
        read=_read,
        measures="request's last byte to answer's last byte (`wait`, `receive`); first byte; body sizes",
        rounding="what its writer rounds to; browsers 1 µs to 1 ms",
        defects="answers from a cache are left out; blocking and connecting are not in it",
    ),
)
