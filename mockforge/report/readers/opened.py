"""A load tool's file as it is read: unzipped, without its byte order mark, up to where it is torn."""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import orjson

from mockforge.errors import ComparisonError
from mockforge.report.readers.toolrun import ToolRun

__all__ = ["Opened", "bad_row", "document", "head_of", "read_json_lines", "read_rows"]

_HEAD_BYTES = 65_536
_CHUNK = 262_144
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
_BOM = b"\xef\xbb\xbf"
_SHOWN = 80
#: vegeta's CSV has whole bodies in its cells.
_LONGEST_CELL = 1 << 30
_ANYTHING = re.compile(rb"\S")


class _Unzipped(io.RawIOBase):
    """A gzip stream, member after member, that ends where the data do; `torn` where that was too early."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(_GZIP_WINDOW)
        self.torn = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data:
            if self._inflate.eof:
                rest = self._inflate.unused_data or self._file.read(_CHUNK)
                if not rest.startswith(_GZIP):
                    return 0
                self._inflate = zlib.decompressobj(_GZIP_WINDOW)
            else:
                rest = self._inflate.unconsumed_tail or self._file.read(_CHUNK)
            try:
                data = self._inflate.decompress(rest, len(buffer))
            except zlib.error:
                rest = b""
            if not rest:
                self.torn = True
                return 0
        buffer[: len(data)] = data
        return len(data)


class Opened:
    """A file being read. `unended` says that the line given last had no end: it may be cut.

    Raises ComparisonError where it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.unended = False
        try:
            self._raw = path.open("rb")
            zipped = self._raw.read(2) == _GZIP
            self._raw.seek(0)
        except OSError as error:
            raise ComparisonError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
        self._unzipped = _Unzipped(self._raw) if zipped else None
        self.file: io.BufferedReader = (
            io.BufferedReader(self._unzipped, _CHUNK) if self._unzipped else self._raw
        )
        if self.file.peek(3)[:3] == _BOM:
            self.file.read(3)

    def __enter__(self) -> Opened:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raw.close()

    @property
    def torn(self) -> str | None:
        """Where the compressed data ended too early, once all of them were read."""
        cut = self._unzipped is not None and self._unzipped.torn
        return "its compressed data end in their middle" if cut else None

    def lines(self) -> Iterator[bytes]:
        """Every line, with its end."""
        for line in self.file:
            self.unended = not line.endswith(b"\n")
            yield line

    def rows(self, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
        """Every row of a table that is not blank, with the number of its last line."""
        csv.field_size_limit(_LONGEST_CELL)
        reader = csv.reader((line.decode("utf-8", "replace") for line in self.lines()), delimiter=delimiter)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as error:
            raise ComparisonError(
                f"line {reader.line_num} cannot be read: {error}", where=str(self._path)
            ) from error


def head_of(path: Path) -> bytes:
    """The first bytes of a file, unzipped, without a byte order mark and leading blanks."""
    with Opened(path) as opened:
        return opened.file.read(_HEAD_BYTES).lstrip()


def document(path: Path) -> Any:
    """The one JSON value that a file holds. Raises ComparisonError: a summary cannot be read in part."""
    with Opened(path) as opened:
        try:
            return orjson.loads(opened.file.read())
        except orjson.JSONDecodeError as error:
            raise ComparisonError(
                f"its JSON is cut or broken: {error}",
                where=str(path),
                hint="a summary cannot be read in part; write it again",
            ) from error


def read_json_lines(
    path: Path, run: ToolRun, take: Callable[[Any], None], wanted: re.Pattern[bytes] = _ANYTHING
) -> None:
    """Give every JSON line that has `wanted` in it to `take`, up to where the file is torn."""
    with Opened(path) as opened:
        for number, line in enumerate(opened.lines(), 1):
            if not wanted.search(line):
                continue
            try:
                take(orjson.loads(line))
            except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
                if opened.unended:
                    run.torn = f"line {number} ends in its middle"
                    break
                raise bad_row(path, number, line.decode(errors="replace"), error) from error
        run.torn = run.torn or opened.torn


def read_rows(
    path: Path,
    run: ToolRun,
    take: Callable[[Mapping[str, str]], None],
    *,
    delimiter: str = ",",
    columns: Sequence[str] = (),
) -> None:
    """Give every row to `take`, by the names of the columns, up to where the file is torn.

    The first row has the names unless `columns` are given. The last cell of a line without an end may be
    cut, and is not given.
    """
    with Opened(path) as opened:
        rows = opened.rows(delimiter)
        names = columns or [name.strip() for name in next(rows, (0, []))[1]]
        for number, row in rows:
            cells = dict(zip(names, row, strict=False))
            if opened.unended:
                cells.popitem()
            try:
                if len(row) < len(names):
                    raise ValueError(f"it has {len(row)} of {len(names)} columns")
                take(cells)
            except (KeyError, ValueError, OverflowError) as error:
                if opened.unended:
                    run.torn = f"line {number} ends in its middle"
                    break
                raise bad_row(path, number, delimiter.join(row), error) from error
        run.torn = run.torn or opened.torn


def bad_row(path: Path, line: int, text: str, error: Exception) -> ComparisonError:
    """The error of a line that cannot be read."""
    why = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
    return ComparisonError(f"line {line} cannot be read: {why}: {text.strip()[:_SHOWN]!r}", where=str(path))
