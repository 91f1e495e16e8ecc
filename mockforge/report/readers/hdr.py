"""HdrHistogram's files: the log of histograms (`.hlog`) and the table of percentiles (`.hgrm`)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mockforge.errors import ComparisonError
from mockforge.model.sample import OperationSummary
from mockforge.report.readers.opened import Opened, bad_row
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import ANY, NS_PER_MS, NS_PER_S, ToolRun, ToolSummary
from mockforge.stats.hdr_histogram import decode

__all__ = ["READERS"]

_LEVELS = (0.0, 0.1, 0.25, 0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0)
_CORRECTED = (
    "what wrote the histogram may have corrected it for coordinated omission, by adding values that nobody "
    "measured (HdrHistogram_py adds one too many to each): such values count here as requests"
)
_ORDER = (
    "a histogram log has no order within its intervals: requests are laid evenly over each, in an arbitrary "
    "order, so that dependence between neighbours is not seen and intervals may be too narrow"
)
_MS = "the table's values are taken for milliseconds"

_BEGIN = re.compile(rb"#\[(StartTime|BaseTime): ([\d.]+)")
_ENTRY = re.compile(
    rb'(?:Tag=(?P<tag>[^,]*),)?"?(?P<start>[\d.]+)"?,(?P<length>[\d.]+),(?P<most>[\d.]+),(?P<histogram>\S+)'
)
_ROW = re.compile(
    rb'^\s*"?(?P<value>\d[\d.]*)"?[\s,]+(?P<level>[01](?:\.\d+)?)[\s,]+(?P<count>\d+)[\s,]+(?:[\d.]+|inf|Infinity)\s*$'
)
_MEAN = re.compile(rb"#\[Mean\s*=\s*([\d.]+)")
_HGRM = re.compile(rb'^\s*"?Value(?:\(ms\))?"?[\s,]+"?Percentile"?[\s,]+"?TotalCount"?')
_MOST = 10_000_000
#: A table whose median is above this is hardly in ms.
_LONG_MS = 60_000.0
#: A day: a start that is less is counted from the log's own begin.
_RELATIVE_S = 86_400.0


class _Interval(NamedTuple):
    """One histogram of a log: values in ns, rising, with their counts."""

    tag: str
    start_ns: int
    length_ns: int
    values_ns: NDArray[np.float64]
    counts: NDArray[np.int64]


def _read_log(path: Path) -> ToolRun:
    run = ToolRun("HdrHistogram", NS_PER_MS // 1_000, remarks=[_ORDER, _CORRECTED])
    with Opened(path) as opened:
        for number, interval in enumerate(_intervals(path, opened, run)):
            count = int(interval.counts.sum())
            if len(run) + count > _MOST:
                raise ComparisonError(
                    f"the log counts more than {_MOST:,} requests, too many to lay out one by one",
                    where=str(path),
                    hint="compare its percentiles: write it as .hgrm",
                )
            values = np.repeat(interval.values_ns, interval.counts)
            order = np.random.default_rng(number).permutation(count)
            starts = interval.start_ns + (np.arange(count) + 0.5) * interval.length_ns / max(count, 1)
            run.extend(interval.tag or ANY, starts, values[order])
        run.torn = run.torn or opened.torn
    return run


def _intervals(path: Path, opened: Opened, run: ToolRun) -> Iterator[_Interval]:
    begin_s = 0.0
    for number, line in enumerate(opened.lines(), 1):
        begin = _BEGIN.match(line)
        if begin:
            begin_s = float(begin[2])
        entry = _ENTRY.match(line)
        if entry is None:
            continue
        try:
            values, counts = decode(entry["histogram"])
        except ValueError as error:
            if opened.unended:
                run.torn = f"line {number} ends in its middle"
                return
            raise bad_row(path, number, line.decode(errors="replace"), error) from error
        start_s = float(entry["start"])
        yield _Interval(
            tag=(entry["tag"] or b"").decode("utf-8", "replace"),
            start_ns=round((start_s + (begin_s if start_s < _RELATIVE_S else 0.0)) * NS_PER_S),
            length_ns=round(float(entry["length"]) * NS_PER_S),
            values_ns=values * _unit_ns(values, float(entry["most"])),
            counts=counts,
        )


def _unit_ns(values: NDArray[np.float64], most_ms: float) -> float:
    """What a value of 1 is: the log says the interval's greatest in ms, whatever the histogram counts in."""
    if not values.size or most_ms <= 0 or values[-1] <= 0:
        return 1.0
    return float(10.0 ** (3 * round(math.log10(most_ms * NS_PER_MS / float(values[-1])) / 3)))


def _read_table(path: Path) -> ToolSummary:
    """Percentiles from the counts below each value; the mean is the tool's own."""
    values, counts, mean_ms = [], [], math.nan
    with Opened(path) as opened:
        for line in opened.lines():
            row, mean = _ROW.match(line), _MEAN.match(line)
            if row:
                values.append(float(row["value"]))
                counts.append(int(row["count"]))
            elif mean:
                mean_ms = float(mean[1])
    if not counts or not counts[-1]:
        raise ComparisonError("the table has no counts", where=str(path))
    summary = ToolSummary("HdrHistogram", precision=0.001, remarks=[_MS, _CORRECTED])
    median = _quantile(values, counts, 0.5)
    if median > _LONG_MS:
        summary.remarks.insert(0, f"its median would be {median / 1e3:,.0f} s: it is hardly in milliseconds")
    if math.isnan(mean_ms):
        mean_ms = float(np.average(values, weights=np.diff(counts, prepend=0)))
    summary.overall = OperationSummary(
        ANY, counts[-1], None, mean_ms, {p: _quantile(values, counts, p) for p in _LEVELS}
    )
    return summary


def _quantile(values: Sequence[float], counts: Sequence[int], p: float) -> float:
    """The value that a part `p` of all are not above, between the table's rows where it has none for it."""
    return float(np.interp(p, np.array(counts) / counts[-1], values))


READERS = (
    Reader(
        name="HdrHistogram log",
        made_by="`.hlog` of wrk2's kin, Hyperfoil, jHiccup; version 2 histograms",
        recognises=lambda head: b"#[Histogram log format version" in head or b"HISTFAAA" in head,
        read=_read_log,
        measures="what its writer measured; a tag is an operation",
        rounding="its significant digits",
        defects="no order within an interval; values that a correction added count as requests "
        "(HdrHistogram_py adds one too many)",
    ),
    Reader(
        name="HdrHistogram percentiles",
        made_by="`.hgrm`, its CSV, `vegeta report -type hdrplot`",
        recognises=lambda head: _HGRM.search(head) is not None,
        read=_read_table,
        measures="what its writer measured: every percentile, and the mean",
        rounding="its significant digits",
        defects="values are taken for ms; values that a correction added count as requests",
        summary=True,
    ),
)
