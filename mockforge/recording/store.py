"""The recording store: what every other part uses of a recording file.

The file's tables are in `schema`, the writing thread in `writer`, the reading side in `reader`, filters in
`selection`; whole files are made of others in `derive`, mended in `mend`.
"""

from __future__ import annotations

from mockforge.recording.bounds import Bounds
from mockforge.recording.reader import Columns, Line, RecordingReader, Totals
from mockforge.recording.schema import SCHEMA_VERSION, RecordingMeta
from mockforge.recording.selection import Filter, Selection
from mockforge.recording.writer import RecordingWriter, Redacts

__all__ = [
    "SCHEMA_VERSION",
    "Bounds",
    "Columns",
    "Filter",
    "Line",
    "RecordingMeta",
    "RecordingReader",
    "RecordingWriter",
    "Redacts",
    "Selection",
    "Totals",
]
