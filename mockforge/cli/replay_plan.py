"""What a replay is to do, read and checked before anything is sent, and one that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mockforge.errors import RecordingError, UsageError
from mockforge.learning.operations import Operations
from mockforge.model.exchange import Exchange
from mockforge.recording.selection import Filter, Selection
from mockforge.recording.store import RecordingReader
from mockforge.replay.abort import Condition
from mockforge.replay.correlated import CorrelatedFeed
from mockforge.replay.correlation import Correlations
from mockforge.replay.load import Load
from mockforge.replay.sender import Sender
from mockforge.replay.statistics import ReplayStatistics
from mockforge.replay.transport import HttpTransport
from mockforge.replay.workload import Workload, read_workload
from mockforge.targets import UpstreamTls

__all__ = ["Plan", "Recorded", "Running"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The exchanges of a recording that are to be replayed; they are read anew each time."""

    reader: RecordingReader
    selection: Selection | None

    @classmethod
    def of(cls, reader: RecordingReader, expression: str | None) -> Recorded:
        """Those that a filter leaves, or all. Raises UsageError where it is none."""
        if expression is None:
            return cls(reader, None)
        wanted = Filter.parse(expression)
        names = Operations.find(reader.requests()).name_of if wanted.names_operations else None
        started_ns = reader.meta.started_wall_ns
        return cls(reader, wanted.bind(started_wall_ns=started_ns, markers=reader.markers(), name_of=names))

    def __iter__(self) -> Iterator[Exchange]:
        return self.reader.exchanges(self.selection)

    def workload(self) -> Workload:
        """Their requests. Raises RecordingError or UsageError where there are none."""
        where = str(self.reader.path)
        if not self.reader.count:
            raise RecordingError("no exchanges to replay", where=where, hint="record some traffic")
        if next(iter(self), None) is None:
            raise UsageError(f"{where}: --filter leaves none of {self.reader.count:,} exchanges")
        return read_workload(self)


@dataclass(frozen=True, slots=True)
class Plan:
    """A load that is sent, and its result written `into` a recording that carries the `notes`.

    `tls` is how to speak TLS, where the target does.
    """

    load: Load
    into: Path
    conditions: tuple[Condition, ...] = ()
    correlations: Correlations | None = None
    tls: UpstreamTls = field(default_factory=UpstreamTls)
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Running:
    """A replay under way, or ended. `aborted` is why a condition ended it."""

    plan: Plan
    sender: Sender
    transport: HttpTransport
    statistics: ReplayStatistics
    correlated: CorrelatedFeed | None = None
    aborted: str | None = None
