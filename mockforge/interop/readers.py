"""The formats that can be imported: a name, how a file is recognised, and the function that reads it.

To add one, write its reader and enter it here; what `mockforge import` offers follows from the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from mockforge.interop.access_log import preset_of, read_access_log
from mockforge.interop.har_reading import read_har
from mockforge.interop.source import Imported, Source, SourceError, mapped
from mockforge.interop.timing_columns import looks_like_timings
from mockforge.interop.timing_tables import delimited_names, read_csv, read_parquet
from mockforge.interop.wiremock_events import read_wiremock_events
from mockforge.recording.foreign.unusable import Unusable

__all__ = ["READERS", "Reader", "read_source"]

_HEAD = 65_536
_FIRST_KEY = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"([^"]*)"')
_RECORDING = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Reader:
    """A format. `recognises` is given the first bytes of a file, 64 KiB at most."""

    name: str
    recognises: Callable[[bytes], bool]
    read: Callable[[Source], Imported]


def _is_har(head: bytes) -> bool:
    found = _FIRST_KEY.match(head)
    return found is not None and (found[1] == b"log" or b'"log"' in head)


def _is_wiremock(head: bytes) -> bool:
    found = _FIRST_KEY.match(head)
    return found is not None and (found[1] == b"requests" or b'"requests"' in head)


def _is_csv(head: bytes) -> bool:
    first = head.split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf")
    return looks_like_timings(delimited_names(first)[0])


#: In the order in which a file is looked at.
READERS = {
    reader.name: reader
    for reader in (
        Reader("parquet", lambda head: head.startswith(b"PAR1"), read_parquet),
        Reader("har", _is_har, read_har),
        Reader("wiremock", _is_wiremock, read_wiremock_events),
        Reader("csv", _is_csv, read_csv),
        Reader("access-log", lambda head: preset_of(head) is not None, read_access_log),
    )
}


def read_source(source: Source, name: str = "auto") -> tuple[str, Imported]:
    """The format of a source, and what it holds; `auto` looks at its first bytes.

    Raises SourceError where the format is unknown or the source is not in it.
    """
    if name not in READERS:
        name = _recognised(source) if name == "auto" else _refuse(name)
    try:
        return name, READERS[name].read(source)
    except Unusable as error:  # of no entry: the file as a whole is not what it should be
        raise SourceError(f"as {name}, it cannot be read: {error}", where=str(source.path)) from error


def _recognised(source: Source) -> str:
    head = bytes(mapped(source.path)[:_HEAD])
    where = str(source.path)
    if not head:
        raise SourceError("the file is empty", where=where)
    if head.startswith(_RECORDING):
        raise SourceError("this is a recording already, or another database", where=where)
    if source.log_format is not None:
        return "access-log"
    for reader in READERS.values():
        if reader.recognises(head):
            return reader.name
    raise SourceError(
        "its format is not recognised",
        where=where,
        hint=f"say it with --format ({', '.join(READERS)}); an access log needs its --log-format",
    )


def _refuse(name: str) -> str:
    near = get_close_matches(name, READERS, 1)
    raise SourceError(
        f"there is no format {name!r} to import",
        hint=f"did you mean {near[0]}?" if near else f"there are {', '.join(READERS)}",
    )
