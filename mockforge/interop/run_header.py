"""What a recording says of itself, in files of other formats that MockForge wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mockforge.model.exchange import Marker
from mockforge.recording.foreign.unusable import Unusable
from mockforge.recording.store import RecordingReader

__all__ = ["Header", "header_from", "header_of"]


@dataclass(frozen=True, slots=True)
class Header:
    """What holds for a run as a whole; as good as empty where another tool wrote the file."""

    target: str = ""
    kind: str = "recording"
    started_wall_ns: int | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    markers: tuple[Marker, ...] = ()


def header_of(reader: RecordingReader) -> dict[str, Any]:
    """The header of a recording as JSON has it."""
    meta = reader.meta
    return {
        "target": meta.target,
        "kind": meta.kind,
        "started_wall_ns": meta.started_wall_ns,
        "notes": dict(meta.notes),
        "markers": [[marker.label, marker.at_ns, marker.wall_ns] for marker in reader.markers()],
    }


def header_from(said: Mapping[str, Any]) -> Header:
    """The inverse of `header_of`; raises Unusable where it was damaged."""
    try:
        markers = tuple(Marker(label, at_ns, wall_ns) for label, at_ns, wall_ns in said["markers"])
        return Header(said["target"], said["kind"], said["started_wall_ns"], said["notes"], markers)
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable(f"what it says of its run is damaged: {type(error).__name__} {error}") from error
