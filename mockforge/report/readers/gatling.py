"""Gatling: simulation.log, text (up to 3.12) or binary (from 3.13 on).

The binary form is big-endian; a record begins with one byte that says what it is. Strings are a length, the
bytes and one byte for their coding; those of a request are cached: a positive index announces a new one, a
negative index repeats it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path

from mockforge.errors import ComparisonError
from mockforge.model.sample import FailureKind
from mockforge.recording.foreign.failures import kind_of
from mockforge.report.readers.opened import Opened, bad_row
from mockforge.report.readers.reader import Reader
from mockforge.report.readers.toolrun import NS_PER_MS, Sample, ToolRun

__all__ = ["READERS"]

_RUN, _REQUEST, _USER, _GROUP, _ERROR = range(5)
_ROUNDING = "Gatling rounds to whole milliseconds; its log has no status: a request that it calls KO failed"
_FOUND = re.compile(r"found (\d{3})\b")


def _is_text(head: bytes) -> bool:
    return head.startswith((b"RUN\t", b"ASSERTION\t"))


def _is_binary(head: bytes) -> bool:
    """A run record, and a short version string."""
    if len(head) < 6 or head[0] != _RUN:
        return False
    (size,) = struct.unpack_from(">i", head, 1)
    return 0 < size < 40 and head[5 : 5 + size].replace(b".", b"").replace(b"-", b"").isalnum()


def _read_text(path: Path) -> ToolRun:
    """Every REQUEST line: groups, name, start and end in ms, OK or KO, what was said."""
    run = _run()
    with Opened(path) as opened:
        for number, line in enumerate(opened.lines(), 1):
            parts = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
            if parts[0] != "REQUEST":
                continue
            try:
                groups, name, start, end, verdict, said = parts[1:7]
                if verdict not in ("OK", "KO"):
                    raise ValueError(f"{verdict!r} is neither OK nor KO")
                ms = int(start), int(end)
            except ValueError as error:
                if opened.unended:
                    run.torn = f"line {number} ends in its middle"
                    break
                raise bad_row(path, number, "\t".join(parts), error) from error
            why = "" if verdict == "OK" else said.strip() or "KO"
            run.add(_sample([*filter(None, groups.split(",")), name], ms, why))
            if opened.unended:
                run.torn = f"line {number} ends in its middle"
        run.torn = run.torn or opened.torn
    return run


def _read_binary(path: Path) -> ToolRun:
    """Every request record; a file that ends in the middle of one is read up to it."""
    run = _run()
    with Opened(path) as opened:
        reader = _Reader(opened.file.read())
        run.torn = opened.torn
    try:
        start_ms = reader.run_record()
        while reader.left:
            kind = reader.byte()
            if kind == _REQUEST:
                names = [*reader.groups(), reader.cached()]
                begin, end = reader.int32(), reader.int32()
                ok, said = reader.byte() != 0, reader.cached()
                run.add(_sample(names, (start_ms + begin, start_ms + end), "" if ok else said or "KO"))
            elif kind == _USER:
                reader.skip(4 + 1 + 4)
            elif kind == _GROUP:
                reader.groups()
                reader.skip(4 + 4 + 4 + 1)
            elif kind == _ERROR:
                reader.cached()
                reader.skip(4)
            else:
                raise ComparisonError(
                    f"record {kind} at byte {reader.at} is not known",
                    where=str(path),
                    hint="logs of Gatling 3.13 and later are read",
                )
    except struct.error:
        run.torn = "the last record ends in its middle"
    return run


def _run() -> ToolRun:
    return ToolRun("Gatling", NS_PER_MS, remarks=[_ROUNDING])


def _sample(names: Sequence[str], ms: tuple[int, int], said: str) -> Sample:
    """A request within its groups; `said` is why it failed, "" where it did not."""
    found = _FOUND.search(said)
    status = int(found[1]) if found else 0 if said else 200
    return Sample(
        label=" / ".join(names),
        start_ns=ms[0] * NS_PER_MS,
        total_ns=(ms[1] - ms[0]) * NS_PER_MS,
        status=status,
        failed=bool(said),
        failure=FailureKind.NONE if status else kind_of(said) or FailureKind.BROKEN,
    )


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._known: dict[int, str] = {}
        self.at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self.at

    def skip(self, size: int) -> None:
        if size > self.left:
            raise struct.error
        self.at += size

    def byte(self) -> int:
        self.skip(1)
        return self._data[self.at - 1]

    def int32(self) -> int:
        value: int
        (value,) = struct.unpack_from(">i", self._data, self.at)
        self.at += 4
        return value

    def string(self) -> str:
        size = self.int32()
        if size <= 0:
            return ""
        self.skip(size + 1)
        raw, coder = self._data[self.at - size - 1 : self.at - 1], self._data[self.at - 1]
        return raw.decode("latin-1" if coder == 0 else "utf-16-le", "replace")

    def cached(self) -> str:
        index = self.int32()
        if index > 0:
            self._known[index] = self.string()
        return self._known.get(abs(index), "")

    def groups(self) -> list[str]:
        return [self.cached() for _ in range(self.int32())]

    def run_record(self) -> int:
        """The start of the run in ms; all other times of the file count from it."""
        self.byte()
        self.string()
        self.string()
        (start_ms,) = struct.unpack_from(">q", self._data, self.at)
        self.at += 8
        self.string()
        for _ in range(self.int32()):
            self.string()
        for _ in range(self.int32()):
            self.skip(self.int32())
        return int(start_ms)


_MEASURES = "begin of sending (connecting too, where new) to last byte; OK or KO"

READERS = (
    Reader(
        name="Gatling simulation.log (text)",
        made_by="Gatling up to 3.12",
        recognises=_is_text,
        read=_read_text,
        measures=_MEASURES,
        rounding="1 ms",
        defects="no status but what a KO's message says",
    ),
    Reader(
        name="Gatling simulation.log (binary)",
        made_by="Gatling from 3.13",
        recognises=_is_binary,
        read=_read_binary,
        measures=_MEASURES,
        rounding="1 ms",
        defects="no status but what a KO's message says",
    ),
)
