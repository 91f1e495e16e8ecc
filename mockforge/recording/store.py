"""The recording store: what every other part uses of a recording file.

The file's tables are in `schema`, the writing thread in `writer`, the reading side in `reader`.
"""

from __future__ import annotations

from mockforge.recording.reader import Columns, RecordingReader
from mockforge.recording.schema import SCHEMA_VERSION, RecordingMeta
from mockforge.recording.writer import RecordingWriter

__all__ = ["SCHEMA_VERSION", "Columns", "RecordingMeta", "RecordingReader", "RecordingWriter"]
