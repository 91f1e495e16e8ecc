"""A file that is imported: what the user said of it, its bytes, and what a reader makes of it."""

from __future__ import annotations

import gzip
import mmap
import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mockforge.errors import MockForgeError
from mockforge.model.exchange import Exchange, Marker
from mockforge.targets import Target

__all__ = ["Imported", "LeftOut", "Source", "SourceError", "Tally", "mapped"]

_GZIP = b"\x1f\x8b"
_SHOWN = 160


class SourceError(MockForgeError):
    """A file cannot be imported, or a recording cannot be exported."""


class LeftOut(Exception):  # noqa: N818 - no failure: the entry is in order and no exchange with a backend
    """An entry of a source is left out on purpose; the text says why."""


def _untold(_share: float) -> None:
    """The progress of a reading that nobody watches."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import.

    `target` names the backend where the file does not, or chooses one of several that it has. `log_format`
    is for access logs; `time_unit` and `duration_unit` (`s`, `ms`, `us`, `ns`) for tables whose columns
    do not tell. `told` hears the share, 0 to 1, that was read.
    """

    path: Path
    target: Target | None = None
    log_format: str | None = None
    time_unit: str | None = None
    duration_unit: str | None = None
    told: Callable[[float], None] = _untold


@dataclass(slots=True)
class Tally:
    """What was not imported of a source, and why: `bad` entries, and those left out on purpose."""

    bad: int = 0
    first_bad: str = ""
    left_out: Counter[str] = field(default_factory=Counter)

    def add_bad(self, where: str, why: str, raw: object = None) -> None:
        """Count an entry that cannot be used; the first is kept to be shown."""
        if not self.bad:
            said = "" if raw is None else f": {_shown(raw)}"
            self.first_bad = f"{where}: {why}{said}"
        self.bad += 1


@dataclass(frozen=True, slots=True)
class Imported:
    """What a source holds: `count` exchanges ordered by arrival, and what a recording says of itself.

    `exchanges` can be gone through once. `tally` and `remarks` are complete from the start.
    """

    target: str
    started_wall_ns: int
    count: int
    exchanges: Iterator[Exchange]
    tally: Tally
    kind: str = "recording"
    notes: Mapping[str, str] = field(default_factory=dict)
    markers: tuple[Marker, ...] = ()
    remarks: tuple[str, ...] = ()


def mapped(path: Path) -> bytes | mmap.mmap:
    """The bytes of a file, mapped and not read; those of a gzipped one unpacked into a temporary file.

    Raises SourceError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) != _GZIP:
                return _mapped(file)
        with gzip.open(path) as packed, tempfile.TemporaryFile() as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
            plain.flush()
            return _mapped(plain)
    except FileNotFoundError as error:
        raise SourceError("there is no such file", where=str(path)) from error
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"the file cannot be read: {why}", where=str(path)) from error


def _mapped(file: IO[bytes]) -> bytes | mmap.mmap:
    if file.seek(0, 2) == 0:
        return b""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _shown(raw: object) -> str:
    """A piece of what was found, on one line."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    text = " ".join(text.split())
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
