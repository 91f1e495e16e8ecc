"""Gatling: simulation.log, text (up to 3.12) or binary (from 3.13 on).

The binary form is big-endian; a record begins with one byte that says what it is. Strings are a length, the
bytes and one byte for their coding; those of a request are cached: a positive index announces a new one, a
negative index repeats it.
"""

from __future__ import annotations

import struct
from pathlib import Path

from mockforge.errors import ComparisonError
from mockforge.report.readers.toolrun import ToolRun

__all__ = ["is_binary", "is_text", "read_binary", "read_text"]

_NS_PER_MS = 1_000_000
_RUN, _REQUEST, _USER, _GROUP, _ERROR = range(5)


def is_text(head: bytes) -> bool:
    """Whether a file that begins so is the text form."""
    return head.startswith(b"RUN\t")


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is the binary form: a run record, and a short version string."""
    if len(head) < 6 or head[0] != _RUN:
        return False
    (size,) = struct.unpack_from(">i", head, 1)
    return 0 < size < 40 and head[5 : 5 + size].replace(b".", b"").replace(b"-", b"").isalnum()


def read_text(path: Path) -> ToolRun:
    """Every REQUEST line: groups, name, start and end in ms, OK or KO."""
    run = _run()
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            parts = line.rstrip("\n").split("\t")
            if parts[0] != "REQUEST":
                continue
            try:
                groups, name, start, end, verdict = parts[1:6]
                start_ms, end_ms = int(start), int(end)
            except ValueError:
                run.torn = f"line {number} ends in its middle"
                break
            _take(run, [groups] if groups else [], name, (start_ms, end_ms), ok=verdict == "OK")
    return run


def read_binary(path: Path) -> ToolRun:
    """Every request record; a file that ends in the middle of one is read up to it."""
    run = _run()
    reader = _Reader(path.read_bytes())
    try:
        start_ms = reader.run_record()
        while reader.left:
            kind = reader.byte()
            if kind == _REQUEST:
                groups = reader.groups()
                name = reader.cached()
                begin, end = reader.int32(), reader.int32()
                ok = reader.byte() != 0
                reader.cached()
                _take(run, groups, name, (start_ms + begin, start_ms + end), ok=ok)
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
    run = ToolRun("Gatling", _NS_PER_MS, from_urls=False)
    run.remarks.append("Gatling's log has no status: a request that it calls KO counts as failed")
    return run


def _take(run: ToolRun, groups: list[str], name: str, ms: tuple[int, int], *, ok: bool) -> None:
    label = " / ".join([*groups, name])
    start_ns, end_ns = ms[0] * _NS_PER_MS, ms[1] * _NS_PER_MS
    run.add(label, start_ns, end_ns - start_ns, 200 if ok else 0, failed=not ok)


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
